/* One app: how it is, and what of it can be changed. A change is a text in the configuration: it is shown before it is
 * written. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { may, post, session } from "../api.js";
import { usePending } from "../changes.js";
import { Card, Empty, Facts, Head, Mode, Note, Pill, Problem, Skeleton, Time } from "../components/bits.js";
import { ChangeDialog } from "../components/change.js";
import { ask } from "../components/dialog.js";
import { ExceptionDialog } from "../components/accept.js";
import { Choice, Field, Segments, Text } from "../components/form.js";
import { Table } from "../components/table.js";
import { told } from "../components/toast.js";
import { exception_words } from "../exceptions.js";
import { ACTIONS, bytes, count, number, span } from "../format.js";
import { link } from "../router.js";
import { useGet } from "../use.js";
import { Expiry, Health } from "./apps.js";

const MODES = [["block", "Block"], ["detect", "Detect"], ["off", "Off"]];
const ATTACK = [["off", "Off"], ["auto", "When overloaded"], ["on", "On"]];
const MODE_WORDS = {
	block: "Requests that the rules hold are blocked.",
	detect: "Nothing is blocked by rules; what would be is recorded.",
	off: "The rules do not look at requests.",
};
const ATTACK_WORDS = {
	off: "Nobody is challenged merely for coming.",
	auto: "While the servers are overloaded, everyone without a pass is challenged.",
	on: "Everyone without a pass is challenged.",
};

/* ---- what an operator switches at once ---- */

function Switches({ app, reload }) {
	const set_mode = (mode) => ask({
		title: `${app.name}: ${MODES.find(([m]) => m === mode)[1].toLowerCase()}`, tone: mode === "off"
			? "bad" : "",
		text: `${MODE_WORDS[mode]} Until the next start; the configuration says ${app.configured_mode}.`,
		action: "Switch", run: async () => { await post(`/apps/${encodeURIComponent(app.name)}/mode`,
			{ mode }); reload(); },
	});
	const set_attack = async (mode) => {
		await told(post(`/apps/${encodeURIComponent(app.name)}/attack`, { mode }), `Attack mode: ${mode}`);
		reload();
	};

	const may_switch = may("operator") && session.value?.writes;

	return html`<${Card} title="Now">
		<div class="setting"><b>Rules</b>
			<${Segments} label="Mode" value=${app.mode} options=${MODES} disabled=${!may_switch}
			on=${set_mode} />
			<span class="dim">${MODE_WORDS[app.mode]}</span></div>
		${app.mode !== app.configured_mode
			&& html`<${Note} tone="warn">The configuration says ${app.configured_mode}: after the next start
				that holds.<//>`}
		<div class="setting"><b>Attack mode</b>
			<${Segments} label="Attack mode" value=${app.attack_mode} options=${ATTACK}
			disabled=${!may_switch} on=${set_attack} />
			<span class="dim">${ATTACK_WORDS[app.attack_mode]}${
				app.under_attack && app.attack_mode === "auto"
				? " It is on now." : ""}</span></div>
		${app.mode === "detect" && html`<${DayTwo} app=${app} on=${set_mode} />`}<//>`;
}

/* From detecting to blocking: the few things to decide before. */
function DayTwo({ app, on }) {
	const would = useGet("/top", { by: "action", app: app.name, from: "24h" });
	const open = useGet("/suggestions", { app: app.name, days: 1 });
	const decide = open.data?.items.filter((s) => s.state === "open" && s.likely !== "attack").length;

	return html`<${Note}><p><b>On the way to blocking</b></p><ol class="steps">
		<li>Detect for a day, with ordinary use: ${would.data
			? count(would.data.items.reduce((n, i) => n + i.count, 0), "event")
			: "…"} in the last 24 h.</li>
		<li>${decide === undefined ? "Decide what looks like a false positive." : decide
			? html`<a href=${link("/false-positives", { app: app.name })}>
				${count(decide, "suggestion")}</a> to decide.`
				: "Nothing looks like a false positive."}</li>
		<li>Switch to blocking.</li></ol>
		${may("operator") && session.value?.writes && html`<button type="button" class=${decide === 0 ? "primary" : ""}
			onClick=${() => on("block")}>Block now</button>`}<//>`;
}

/* ---- what an administrator changes in the configuration ---- */

const REMEDIES = ["allow", "log", "throttle", "challenge", "captcha", "tarpit",
	"deny"].map((w) => [w, ACTIONS[w].text]);

/* Only what differs from what is configured is written. */
function changed(app, form) {
	const body = {};

	if (form.mode !== app.configured_mode)
		body.mode = form.mode;
	for (const key of ["paranoia", "threshold"])
		if (String(form[key]) !== String(app[key] ?? ""))
			body[key] = form[key] === "" ? null : Number(form[key]);
	const acts = Object.fromEntries(Object.entries(form.acts).filter(([k, v]) => v !== app.bots.acts[k]));

	if (Object.keys(acts).length)
		body.bots = acts;
	return body;
}

function Edit({ app, reload }) {
	const [form, set] = useState({ mode: app.configured_mode, paranoia: app.paranoia ?? "",
		threshold: app.threshold ?? "", acts: app.bots.acts });
	const [change, setChange] = useState(null);
	const put = (key) => (v) => set({ ...form, [key]: v });
	const body = changed(app, form);
	const n = Object.keys(body).length;
	const submit = (e) => {
		e.preventDefault();
		setChange({ method: "PATCH", path: `/apps/${encodeURIComponent(app.name)}`, body });
	};

	return html`<${Card} title="Configuration"
		side=${html`<span class="mono">${app.where.file}${app.where.line ? `:${app.where.line}` : ""}</span>`}>
		<form class="stack" onSubmit=${submit}>
			<fieldset class="stack" disabled=${!may("administrator") || session.value.writes === false}>
			<div class="form app-form">
				<${Field} label="Mode" hint=${MODE_WORDS[form.mode]}>
					<${Choice} value=${form.mode} options=${MODES} on=${put("mode")} /><//>
				<${Field} label="Paranoia" hint="1 to 4: more rules, more false positives.">
					<${Text} type="number" min="1" max="4" placeholder="1, of the rules"
					value=${form.paranoia} on=${put("paranoia")} /><//>
				<${Field} label="Blocks from score" hint="Lower is stricter; 5 is one critical match.">
					<${Text} type="number" min="1" max="1000" placeholder="5, of the rules"
					value=${form.threshold} on=${put("threshold")} /><//>
			</div>
			<details><summary>Bots: what is done about each kind (${app.bots.mode})</summary>
				<div class="form">${Object.entries(form.acts).map(([kind, act]) => html`
				<${Field} key=${kind} label=${kind}>
					<${Choice} value=${act} options=${REMEDIES}
					on=${(v) => put("acts")({ ...form.acts, [kind]: v })} /><//>`)}</div></details>
			<div class="row"><button class="primary" disabled=${!n}>Show the change</button>
				<span class="dim">${n ? `${count(n, "setting")} changed`
					: "Nothing is changed."}</span></div>
		</fieldset></form>
		${session.value.writes === false
			&& html`<p class="dim">The configuration may not be written from here.</p>`}
		${change && html`<${ChangeDialog} title=${`Change ${app.name}`} change=${change}
			close=${() => setChange(null)} done=${reload} />`}<//>`;
}

/* ---- what there is ---- */

const SERVER_COLUMNS = [
	{ name: "address", head: "Server", cell: (s) => html`<span class="mono">${s.url || s.address}</span>` },
	{ name: "up", head: "State",
		cell: (s) => html`<${Pill} tone=${s.up ? "good" : "bad"}>${s.up ? "up" : "down"}<//>` },
	{ name: "weight", head: "Weight", num: true, cell: (s) => s.weight },
	{ name: "requests", head: "Under way", num: true, cell: (s) => count(s.requests, "request") },
];

const LIMIT_COLUMNS = [
	{ name: "path", head: "Path", cell: (l) => html`<span class="mono">${l.path ?? "every path"}</span>` },
	{ name: "methods", head: "Methods", cell: (l) => l.methods.join(", ") || "all" },
	{ name: "rate", head: "Rate", num: true, cell: (l) => l.rate },
	{ name: "burst", head: "At once", num: true, cell: (l) => number(l.burst) },
	{ name: "then", head: "Then",
		cell: (l) => html`<${Pill} tone=${ACTIONS[l.then]?.tone}>${ACTIONS[l.then]?.text ?? l.then}<//>` },
];

function Exceptions({ app, reload }) {
	const [adding, setAdding] = useState(false);
	const [removing, setRemoving] = useState(null);
	const columns = [
		{ name: "what", head: "What",
			cell: (e) => html`<div class="break">${exception_words(e)}
			${e.max_body ? `, bodies to ${bytes(e.max_body)}` : ""}</div>
			<div class="dim">${e.reason ?? "no reason given"}</div>` },
		{ name: "until", head: "Until",
			cell: (e) => html`<${Time} at=${e.until} none="for ever" /> ${e.over
			&& html`<${Pill}>over<//>`}` },
		{ name: "by", head: "By", cell: (e) => e.by
			? html`${e.by}, <${Time} at=${e.made} />`
			: html`<span class="dim mono">${e.where.file}:${e.where.line}</span>` },
		{ name: "do", cell: (e) => e.writable && may("operator")
			&& html`<button type="button" onClick=${() => setRemoving(e)}>Take away</button>` },
	];

	return html`<${Card} title="Exceptions" flush side=${may("operator") && session.value.writes !== false
			&& html`<button type="button" onClick=${() => setAdding(true)}>Add</button>`}>
		${app.exceptions.length ? html`<${Table} label="Exceptions" rows=${app.exceptions} columns=${columns}
			row_key=${(e) => e.id} mark=${(e) => e.over && "dead"} />`
			: html`<${Empty} icon="fp" title="No exceptions">
				<p>Events and <a href=${link("/false-positives",
				{ app: app.name })}>false positives</a> propose them.</p><//>`}
		${adding && html`<${ExceptionDialog} app=${app.name} value=${{ path: "/" }}
			close=${() => setAdding(false)} done=${reload} />`}
		${removing && html`<${ChangeDialog} title="Take the exception away" safe
			close=${() => setRemoving(null)} done=${reload}
			change=${{ method: "DELETE",
				path: `/exceptions/${encodeURIComponent(removing.id)}` }} />`}<//>`;
}

const challenge_words = ({ level, bits }) =>
	({ pow: `proof of work of ${bits} bits`, wait: "a short wait" })[level] ?? level;

const facts = (a) => [
	["Hosts", a.hosts.join(", ") || "every host"],
	["Listens on", a.listeners.join(", ")],
	["Servers", html`<${Health} servers=${a.servers} /> ${a.servers.length > 1
		? a.balance.replace("_", " ") : ""}`],
	["Certificate", html`<${Expiry} certs=${a.certs} />`],
	["Rules", `${number(a.rules)} (${a.ruleset})`],
	["Inspects", `the first ${bytes(a.window)} of a body`],
	["Challenge", `${challenge_words(a.challenge)}; a pass holds ${span(a.challenge.pass)}`],
];

export default function App({ params }) {
	const { data, error, reload } = useGet(`/apps/${encodeURIComponent(params.name)}`);

	usePending(reload);

	if (error)
		return html`<${Head} title=${params.name} />${error.status === 404
			? html`<${Card}><${Empty} icon="apps" title=${`No app is called ${params.name}`}>
				<a href=${link("/apps")}>To the apps</a><//><//>`
			: html`<${Problem} error=${error} retry=${reload} />`}`;
	if (!data)
		return html`<${Head} title=${params.name} /><${Card}><${Skeleton} lines=${8} /><//>`;
	return html`<${Head} title=${data.name}><${Mode} mode=${data.mode} />
		<a class="button" href=${link("/events", { app: data.name })}>Its events</a><//>
		<div class="grid two"><div class="stack"><${Switches} app=${data} reload=${reload} />
			<${Edit} key=${JSON.stringify([data.configured_mode, data.paranoia, data.threshold,
				data.bots.acts])} app=${data} reload=${reload} /></div>
			<${Card} title="About"><${Facts} of=${facts(data)} /><//></div>
		<${Card} title="Servers" flush>
			<${Table} label="Servers" rows=${data.servers} columns=${SERVER_COLUMNS}
			row_key=${(s) => s.address} /><//>
		<${Exceptions} app=${data} reload=${reload} />
		<${Card} title="Limits" flush>
			${data.limits.length ? html`<${Table} label="Limits" rows=${data.limits}
			columns=${LIMIT_COLUMNS} row_key=${(l) => `${l.path} ${l.methods} ${l.rate}`} />`
			: html`<${Empty} title="No limits">
				<p>Under <code>limits:</code> of the app, for instance <code>- {path: /login, methods:
					[POST], rate: 5/min, then: challenge}</code>.</p><//>`}<//>`;
}
