/* Who changed what. The entries are chained: what was altered or taken away is found. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { get } from "../api.js";
import { Address, Card, Empty, Head, Note, Problem, Time } from "../components/bits.js";
import { Code, Diff } from "../components/code.js";
import { Dialog } from "../components/dialog.js";
import { Filters, filtered } from "../components/filters.js";
import { Listing } from "../components/table.js";
import { count } from "../format.js";
import { useAction, usePages } from "../use.js";

const FIELDS = [{ name: "user", label: "User", placeholder: "all", main: true }];
const WAYS = { session: "dashboard", token: "token", socket: "this machine", none: "nobody" };

const is_diff = (text) => /^(@@|---|\+\+\+) /m.test(text);

const Detail = ({ entry, close }) => html`<${Dialog} title=${`${entry.action} ${entry.subject}`} wide close=${close}>
	<p>${entry.user}, <${Time} at=${entry.time} /></p>
	${is_diff(entry.detail) ? html`<${Diff} text=${entry.detail} />`
		: html`<${Code} text=${entry.detail} label="Detail" />`}
	<p class="dim break">Hash <span class="mono">${entry.hash}</span></p><//>`;

function Chain() {
	const [found, set] = useState(null);
	const [check, { busy, error }] = useAction(async () => set(await get("/audit/check")));

	return html`<button type="button" disabled=${busy} onClick=${() => check()}>
		${busy ? "Checking" : "Check the chain"}</button>
		${error && html`<${Problem} error=${error} />`}
		${found && html`<${Note} tone=${found.ok ? "good" : "bad"}>${found.ok
			? html`<p>${count(found.entries, "entry",
				"entries")}: each follows from the one before. The last hash is <code>
				${found.hash}</code>; noted elsewhere, it proves the log later.</p>`
			: `Entry ${found.broken_at} does not follow from the one before: the log was changed.`}<//>`}`;
}

export default function Audit() {
	const [open, set] = useState(null);
	const pages = usePages("/audit", filtered(FIELDS));
	const columns = [
		{ name: "time", head: "When", cell: (e) => html`<${Time} at=${e.time} />` },
		{ name: "user", head: "Who",
			cell: (e) => html`<b>${e.user}</b> <span class="dim">${WAYS[e.way] ?? e.way}</span>` },
		{ name: "action", head: "What",
			cell: (e) => html`<span class="mono">${e.action}</span> <span class="break">
			${e.subject}</span>` },
		{ name: "address", head: "From", wide: true, cell: (e) => e.address
			&& html`<${Address} ip=${e.address} />` },
		{ name: "detail", cell: (e) => e.detail
			&& html`<button type="button" class="quiet" onClick=${() => set(e)}>Detail</button>` },
	];

	return html`<${Head} title="Audit" about="Who changed what. Nothing here can be edited."><${Chain} /><//>
		<${Filters} fields=${FIELDS} />
		<${Card} flush><${Listing} label="Audit log" pages=${pages} columns=${columns} row_key=${(e) => e.id}
			empty=${html`<${Empty} icon="audit" title="Nothing was changed yet" />`} /><//>
		${open && html`<${Detail} entry=${open} close=${() => set(null)} />`}`;
}
