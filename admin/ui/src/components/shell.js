/* The frame: menu, search, who is logged in, how the stream is; and the screen that the address names. */
import { html } from "htm/preact";
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { may, session } from "../api.js";
import { rate } from "../format.js";
import { go, link, match, route } from "../router.js";
import { routes } from "../routes.js";
import { log_out } from "../session.js";
import { link_state, listen, stats } from "../stream.js";
import { next_theme, theme } from "../themes.js";
import { Empty, Head, Note, Problem, Skeleton } from "./bits.js";
import { Asked } from "./dialog.js";
import { Icon, Logo } from "./icons.js";
import { Pending } from "./pending.js";
import { Toasts, told } from "./toast.js";

const menu_open = signal(false);

function found(path) {
	for (const r of routes) {
		const params = match(r.path, path);

		if (params)
			return { ...r, params };
	}
	return null;
}

/* ---- the menu ---- */

const Entry = ({ r, here }) => html`
	<li><a href=${link(r.path)} aria-current=${here ? "page" : undefined}
		onClick=${() => (menu_open.value = false)}>
		<${Icon} name=${r.icon} /><span>${r.title}</span></a></li>`;

function Menu({ at }) {
	const shown = routes.filter((r) => r.icon && may(r.role ?? "viewer"));
	const here = at?.under ?? at?.path;

	return html`<nav aria-label="Screens">${[...new Set(shown.map((r) => r.group))].map((group) => html`
		<div key=${group} class="menu-group">
			${group && html`<p class="menu-title" id=${`menu-${group}`}>${group}</p>`}
			<ul aria-labelledby=${group ? `menu-${group}` : undefined}>
				${shown.filter((r) => r.group === group)
				.map((r) => html`<${Entry} key=${r.path} r=${r}
					here=${r.path === here} />`)}</ul></div>`)}</nav>`;
}

/* An address goes to its card; else it is the id of a request, or the start of one. */
function Search() {
	const submit = (e) => {
		const what = e.currentTarget.elements.what.value.trim();

		e.preventDefault();
		if (!what)
			return;
		go(/[.:]/.test(what) ? `/clients/${encodeURIComponent(what)}` : `/events/${encodeURIComponent(what)}`);
		e.currentTarget.reset();
		menu_open.value = false;
	};

	return html`<form class="find" role="search" aria-label="Find" onSubmit=${submit}>
		<${Icon} name="search" /><input name="what" type="search" aria-label="Find a request id or an address"
			placeholder="Id or address" autocomplete="off" spellcheck=${false} data-find />
				<kbd>/</kbd></form>`;
}

const LINK = {
	live: ["good", "Live"], connecting: ["warn", "Connecting"], full: ["warn", "No free stream"],
		off: ["bad", "Not live"],
};

function Pulse() {
	const [tone, text] = LINK[link_state.value];
	const s = stats.value;

	return html`<p class="pulse" role="status"><span class="dot ${tone}"></span>${text}
		${link_state.value === "live" && s
			&& html`<span class="dim num" aria-hidden="true">${rate(s.rps)}</span>`}</p>`;
}

const THEMES = { auto: ["auto", "system"], light: ["sun", "light"], dark: ["moon", "dark"] };

function Person() {
	const [icon, word] = THEMES[theme.value];
	const s = session.value;

	return html`<div class="person">
		<a class="person-name" href=${link("/account")}><b>${s.user}</b><span class="dim">${s.role}</span></a>
		<button type="button" class="quiet only-icon" title=${`Theme: ${word}`}
			aria-label=${`Theme: ${word}. Change`}
			onClick=${next_theme}><${Icon} name=${icon} /></button>
		<button type="button" class="quiet only-icon" title="Log out" aria-label="Log out"
			onClick=${() => told(log_out())}>
			<${Icon} name="out" /></button></div>`;
}

/* ---- the screen ---- */

/* A screen's module gives a component; it gets the address's parts as `params`. */
function Screen({ at }) {
	const [screen, set] = useState({});

	useEffect(() => {
		let old = false;

		at.load().then((m) => old || set({ of: at.path, view: m.default }),
			() => old || set({ of: at.path,
				error: new Error("This screen could not be loaded. Is the gate still running?") }));
		return () => (old = true);
	}, [at.path]);
	if (screen.of !== at.path)
		return html`<${Head} title=${at.title} /><${Skeleton} lines=${6} />`;
	return screen.error ? html`<${Head} title=${at.title} />
		<${Problem} error=${screen.error} retry=${() => location.reload()} />`
		: html`<${screen.view} key=${route.value.path} params=${at.params} />`;
}

function Main({ at }) {
	if (!at)
		return html`<${Head} title="Nothing here" /><${Empty} title="This address names no screen">
			<a href=${link("/")}>To the overview</a><//>`;
	if (!may(at.role ?? "viewer"))
		return html`<${Head} title=${at.title} />
			<${Empty} icon="privacy" title=${`Only a user with the role ${at.role} may see this`} />`;
	return html`<${Screen} at=${at} />`;
}

/* The title is read, and keys go on from it, when another screen opens; not when a filter changes. */
function useArrival(at) {
	const first = useRef(true);

	useEffect(() => {
		document.title = [...Object.values(at?.params ?? {}), at?.title ?? "Nothing here",
			"Embergate"].join(" · ");
		if (!first.current) {
			scrollTo(0, 0);
			document.getElementById("title")?.focus({ preventScroll: true });
		}
		first.current = false;
	}, [route.value.path]);
}

const types = (e) => /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) || e.target.isContentEditable;

function useKeys() {
	useEffect(() => {
		const on_key = (e) => {
			if (e.key === "Escape")
				menu_open.value = false;
			if (e.key !== "/" || types(e) || e.ctrlKey || e.metaKey || e.altKey
				|| document.querySelector("dialog[open]"))
				return;
			e.preventDefault();
			(document.querySelector("[data-search=true]") ?? document.querySelector("[data-find]")).focus();
		};

		addEventListener("keydown", on_key);
		return () => removeEventListener("keydown", on_key);
	}, []);
}

export function Shell() {
	const at = found(route.value.path);

	useArrival(at);
	useKeys();
	useEffect(() => listen("stats", () => {}), []);
	return html`
		<a class="skip" href="#main"
			onClick=${(e) => { e.preventDefault(); document.getElementById("title")?.focus(); }}>To the
				content</a>
		<header class="top">
			<button type="button" class="quiet only-icon" aria-label="Menu" aria-expanded=${menu_open.value}
				aria-controls="side"
				onClick=${() => (menu_open.value = !menu_open.value)}>
					<${Icon} name=${menu_open.value ? "close" : "menu"} size=${20} /></button>
			<a class="brand" href=${link("/")}><${Logo} size=${22} />Embergate</a><${Pulse} />
		</header>
		<aside class="side ${menu_open.value ? "open" : ""}" id="side" aria-label="Menu">
			<a class="brand" href=${link("/")} aria-label="Embergate, overview"><${Logo} />Embergate</a>
			<${Search} /><${Menu} at=${at} />
			<div class="side-foot"><${Pulse} /><${Person} /></div>
		</aside>
		<main id="main"><${Pending} />${session.value.writes === false && at?.path.startsWith("/config")
			&& html`<${Note}>The configuration may not be changed from here: the gate was started without
				permission to write it.<//>`}
			<${Main} at=${at} /></main>
		<${Asked} /><${Toasts} />`;
}
