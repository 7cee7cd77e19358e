/* The small parts that every screen uses. */
import { html } from "htm/preact";
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { ACTIONS, ago, country, exact, zone } from "../format.js";
import { link } from "../router.js";
import { Icon } from "./icons.js";

/* What shows a relative time reads it, and so is drawn again every five seconds while somebody looks. */
const beat = signal(0);
setInterval(() => document.hidden || beat.value++, 5000);

/* "3 min ago", with the exact time at the pointer and for programs. */
export function Time({ at, none = "never" }) {
	beat.value;
	return at ? html`<time dateTime=${at} title=${`${exact(at)} ${zone(new Date(at))}`}>${ago(at)}</time>`
		: html`<span class="dim">${none}</span>`;
}

/* tone: good, bad, warn, info, odd, or none. */
export const Pill = ({ tone = "", title, children }) =>
	html`<span class="pill ${tone}" title=${title}>${children}</span>`;

/* What the gate did: `would` is what it had done if it were not only detecting. */
export function Action({ action, would }) {
	const is = ACTIONS[action] ?? { text: action, tone: "" };
	const only = would && would !== action && ACTIONS[would];

	return only
		? html`<${Pill} tone="info hollow" title="The app only detects">would be ${only.text}<//>`
		: html`<${Pill} tone=${is.tone}>${is.text}<//>`;
}

export const Country = ({ code }) =>
	code ? html`<abbr class="country" title=${country(code)}>${code}</abbr>` : null;

/* An address leads to its card. */
export const Address = ({ ip, country: code, as, as_name }) => html`
	<span class="address">
		<a class="mono" href=${link(`/clients/${encodeURIComponent(ip)}`)}>${ip}</a>
		${code || as ? html`<span class="dim"> <${Country} code=${code} /> ${as
			? html`<span title=${as_name}>AS${as}</span>` : null}</span>` : null}
	</span>`;

export const Mode = ({ mode }) =>
	html`<${Pill} tone=${{ block: "good", detect: "info", off: "warn" }[mode]}>
		${{ block: "blocking", detect: "detecting", off: "off" }[mode] ?? mode}<//>`;

export function Copy({ text, label = "Copy" }) {
	const [done, set] = useState(false);
	const copy = async () => {
		await navigator.clipboard.writeText(text);
		set(true);
		setTimeout(() => set(false), 1500);
	};

	return html`<button type="button" class="quiet" onClick=${copy}>
		<${Icon} name=${done ? "check" : "copy"} /> <span aria-live="polite">
			${done ? "Copied" : label}</span></button>`;
}

/* A share of the greatest, behind a name: top lists. */
export const Bar = ({ part, tone = "" }) =>
	html`<svg class="bar ${tone}" preserveAspectRatio="none" viewBox="0 0 100 4" aria-hidden="true">
	<rect width=${part > 0 ? Math.max(0.5, Math.min(100, 100 * part)) : 0} height="4" rx="0" /></svg>`;

export const Skeleton = ({ lines = 3 }) => html`
	<div class="skeleton" role="status"><span class="unseen">Loading</span>
		${Array.from({ length: lines }, (_, i) => html`<span key=${i} class=${`w${i % 4}`}></span>`)}</div>`;

/* What to do next, where there is nothing to see. */
export const Empty = ({ icon = "info", title, children }) => html`
	<div class="empty"><${Icon} name=${icon} size=${22} /><p class="empty-title">${title}</p>
		${children && html`<div>${children}</div>`}</div>`;

export const Problem = ({ error, retry }) =>
	error && html`<div class="note bad" role="alert"><${Icon} name="alert" /><div><p>${error.message}</p>
		${retry && html`<button type="button" onClick=${retry}>Try again</button>`}</div></div>`;

export const Note = ({ tone = "info", icon = tone === "info" ? "info" : tone === "good" ? "check" : "alert",
	children }) => html`
	<div class="note ${tone}"><${Icon} name=${icon} /><div>${children}</div></div>`;

/* The head of a screen; children stand at the right: its controls. */
export const Head = ({ title, about, children }) => html`
	<header class="head">
		<div><h1 tabindex="-1" id="title">${title}</h1>${about && html`<p class="about">${about}</p>`}</div>
		${children && html`<div class="head-side">${children}</div>`}
	</header>`;

/* A box with a title. */
export const Card = ({ title, side, flush, children, ...more }) => html`
	<section class="card ${flush ? "flush" : ""} ${more.class ?? ""}" aria-label=${title}>
		${title && html`<header class="card-head"><h2>${title}</h2>
			${side && html`<div class="card-side">${side}</div>`}</header>`}
		${children}
	</section>`;

/* Names and values: [[name, value], ...]; a value of null is left out. */
export const Facts = ({ of }) => html`
	<dl class="facts">${of.filter(([, value]) => value !== null && value !== undefined && value !== false
		&& value !== "")
		.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
