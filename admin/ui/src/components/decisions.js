/* Decisions: what one looks like in a table, and the dialogs that make and end them. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { may, post, remove } from "../api.js";
import { ACTIONS, ago, exact, span } from "../format.js";
import { link } from "../router.js";
import { useAction } from "../use.js";
import { Pill, Problem, Time } from "./bits.js";
import { Dialog, ask } from "./dialog.js";
import { Area, Choice, Field, Text } from "./form.js";
import { toast } from "./toast.js";

/* Of those that can be held against somebody. */
export const REMEDIES = Object.entries(ACTIONS).filter(([word]) => word !== "allow").map(([word, a]) => [word, a.text]);
export const SCOPES = ["Ip", "Range", "AS", "Country", "Session", "Username"];

const DURATIONS = [["1h", "an hour"], ["4h", "four hours"], ["1d", "a day"], ["7d", "a week"], ["30d", "30 days"], ["365d", "a year"]];
const FOR_EVER = ["3650d", "ten years"];

export const Remedy = ({ d }) => html`<${Pill} tone=${ACTIONS[d.remedy]?.tone} title=${d.simulated ? "It is told, not enforced" : undefined}>
	${ACTIONS[d.remedy]?.text ?? d.remedy}<//>${d.simulated && html` <${Pill} tone="info hollow">simulated<//>`}`;

/* An address leads to its card; of others the scope is told. */
export const Whose = ({ d }) => (d.scope === "Ip"
	? html`<a class="mono" href=${link(`/clients/${encodeURIComponent(d.value)}`)}>${d.value}</a>`
	: html`<span class="mono break">${d.value}</span> <span class="tag">${d.scope}</span>`);

/* "embergate" is this installation; the rest is said as it is, and that it is only said. */
const ORIGINS = { embergate: "seen here", manual: "by hand", cscli: "cscli" };

export const Origin = ({ d }) => html`<span class="break">${ORIGINS[d.origin] ?? d.origin}</span>${d.hearsay && html`
	<span class="tag" title="No gate of this installation saw it itself">hearsay</span>`}`;

/* To the nearest unit: what was made for four hours ends "in 4 h", not "in 3 h". */
export function Until({ d }) {
	const s = (Date.parse(d.until) - Date.now()) / 1000;
	const unit = s > 3 * 86400 ? 86400 : s > 3 * 3600 ? 3600 : 60;

	return html`<time dateTime=${d.until} title=${exact(d.until)}>in ${span(s > 60 ? Math.round(s / unit) * unit : s)}</time>`;
}

export const DECISION_COLUMNS = [
	{ name: "value", head: "Against", cell: (d) => html`<${Whose} d=${d} />` },
	{ name: "remedy", head: "Remedy", cell: (d) => html`<${Remedy} d=${d} />` },
	{ name: "reason", head: "Reason", cell: (d) => html`<span class="break">${d.reason || "no reason given"}</span>` },
	{ name: "origin", head: "Origin", cell: (d) => html`<${Origin} d=${d} />` },
	{ name: "node", head: "Node", num: true, wide: true, cell: (d) => d.node },
	{ name: "made", head: "Since", wide: true, cell: (d) => html`<${Time} at=${d.made} />` },
	{ name: "until", head: "Ends", cell: (d) => html`<${Until} d=${d} />` },
];

/* ---- what is done with one ---- */

export const lift = (d, done) => ask({
	title: `Lift the decision against ${d.value}?`, action: "Lift it", tone: "bad",
	text: `It was made ${ago(d.made)} because of “${d.reason || "no reason given"}”. Requests are judged anew from the next one on.`,
	run: async () => { await remove(`/decisions/${encodeURIComponent(d.id)}`); toast(`${d.value} is free again.`); done(); },
});

export const disallow = (d, done) => ask({
	title: `Allow ${d.value} no longer?`, text: "Decisions and lists count for it again, at once.", action: "Take it off", tone: "bad",
	run: async () => { await remove(`/allow/${encodeURIComponent(d.value)}`); toast(`${d.value} is judged like anybody.`); done(); },
});

function FormDialog({ title, action, wide, close, submit, children }) {
	const [run, { busy, error }] = useAction(submit);

	return html`<${Dialog} title=${title} wide=${wide} close=${close} actions=${html`<button type="button" onClick=${close}>Cancel</button>
			<button class="primary" form="decision" disabled=${busy}>${action}</button>`}>
		<form id="decision" class="stack" onSubmit=${(e) => { e.preventDefault(); run(); }}><${Problem} error=${error} />${children}</form><//>`;
}

/* `value` given: it stands fast, as for the card of a client. */
export function HoldDialog({ value, close, done }) {
	const [form, set] = useState({ value: value ?? "", scope: "", remedy: "deny", duration: "4h", reason: "" });
	const put = (key) => (v) => set({ ...form, [key]: v });
	const submit = async () => {
		const d = await post("/decisions", { ...form, scope: form.scope || undefined, reason: form.reason || undefined });

		toast(`Decided against ${d.value}.`);
		close();
		done();
	};

	return html`<${FormDialog} title=${value ? `New decision against ${value}` : "New decision"} action="Decide" close=${close} submit=${submit}>
		${!value && html`<div class="form">
			<${Field} label="Against" hint="An address, a block, or what the scope says."><${Text} class="mono" value=${form.value} on=${put("value")}
				placeholder="203.0.113.7 or 203.0.113.0/24" required autofocus /><//>
			<${Field} label="Scope"><${Choice} value=${form.scope} on=${put("scope")} options=${[["", "by what it looks like"], ...SCOPES]} /><//></div>`}
		<div class="form">
			<${Field} label="Requests are"><${Choice} value=${form.remedy} on=${put("remedy")} options=${REMEDIES} /><//>
			<${Field} label="For"><${Choice} value=${form.duration} on=${put("duration")} options=${DURATIONS} /><//></div>
		<${Field} label="Reason" hint="For whoever wonders in a week."><${Text} value=${form.reason} on=${put("reason")} maxlength="200" /><//><//>`;
}

export function AllowDialog({ value, close, done }) {
	const [form, set] = useState({ value: value ?? "", duration: FOR_EVER[0], reason: "" });
	const put = (key) => (v) => set({ ...form, [key]: v });
	const submit = async () => {
		const d = await post("/allow", { ...form, reason: form.reason || undefined });

		toast(`Nothing is held against ${d.value} any more.`);
		close();
		done();
	};

	return html`<${FormDialog} title=${value ? `Always allow ${value}` : "Always allow somebody"} action="Allow" close=${close} submit=${submit}>
		<p>Decisions, lists and scenarios do not count for it. What the rules find in a request still does.</p>
		${!value && html`<${Field} label="Address or block"><${Text} class="mono" value=${form.value} on=${put("value")} placeholder="203.0.113.7 or 203.0.113.0/24" required autofocus /><//>`}
		<${Field} label="For"><${Choice} value=${form.duration} on=${put("duration")} options=${[FOR_EVER, ...DURATIONS.slice().reverse()]} /><//>
		<${Field} label="Reason" hint="Whose it is, and why."><${Text} value=${form.reason} on=${put("reason")} maxlength="200" /><//><//>`;
}

const FILE_MAX = 1e6; /* bytes: what the API takes */

export function ImportDialog({ close, done }) {
	const [text, set] = useState("");
	const [result, setResult] = useState(null);
	const [large, setLarge] = useState(false);
	const submit = async () => {
		setResult(await post("/decisions/import", { text }));
		done();
	};
	const read = async (e) => {
		const file = e.currentTarget.files[0];

		setLarge(file?.size > FILE_MAX);
		if (file && file.size <= FILE_MAX)
			set(await file.text());
	};

	if (result)
		return html`<${Dialog} title="Imported" close=${close} actions=${html`<button type="button" class="primary" onClick=${close}>Done</button>`}>
			<p><b>${result.added}</b> are held now${result.refused ? html`, <b>${result.refused}</b> were refused` : ""}.</p>
			${result.errors.length > 0 && html`<ul class="plain-list">${result.errors.map((t) => html`<li key=${t} class="mono break">${t}</li>`)}</ul>`}<//>`;
	return html`<${FormDialog} title="Import decisions" action="Import" wide close=${close} submit=${submit}>
		<${Field} label="From a file" hint="Up to a megabyte; larger ones with embergate ctl decisions import." error=${large && "The file is larger than a megabyte."}>
			<input type="file" accept=".txt,.csv,.json,.list,.netset,text/*" onChange=${read} /><//>
		<${Field} label="Or as text" hint="An address or block a line; CSV and JSON as cscli writes them.">
			<${Area} class="mono" rows=${10} value=${text} on=${set} required placeholder=${"203.0.113.7\n198.51.100.0/24"} /><//><//>`;
}

export const can_decide = () => may("operator");
