/* All that is known of an address: what is held against it, why, and what it did. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { post } from "../api.js";
import { Bar, Card, Copy, Country, Empty, Facts, Head, Note, Pill, Problem, Skeleton, Time } from "../components/bits.js";
import { ALERT_COLUMNS } from "../components/alerts.js";
import { AllowDialog, DECISION_COLUMNS, HoldDialog, Remedy, can_decide, disallow, lift } from "../components/decisions.js";
import { ask } from "../components/dialog.js";
import { Listing, Table } from "../components/table.js";
import { toast } from "../components/toast.js";
import { ACTIONS, count, span } from "../format.js";
import { link } from "../router.js";
import { useGet, usePages } from "../use.js";
import { EVENT_COLUMNS } from "./events.js";

const lift_all = (ip, done) => ask({
	title: `Lift all that is held against ${ip}?`, text: "Decisions only: lists that have it still count.", action: "Lift all", tone: "bad",
	run: async () => {
		const { lifted } = await post("/decisions/lift", { value: ip });

		toast(`${count(lifted, "decision")} lifted.`);
		done();
	},
});

/* The strictest word on it, in a sentence. */
function Standing({ c }) {
	const order = Object.keys(ACTIONS);
	const held = [...c.decisions.filter((d) => !d.simulated), ...c.lists].map((d) => d.remedy).sort((a, b) => order.indexOf(b) - order.indexOf(a));

	if (c.allow.length)
		return html`<${Note} tone="good"><p>Nothing is held against it: it is allowed${c.allow[0].reason && html`, because of “${c.allow[0].reason}”`}.</p><//>`;
	if (held.length)
		return html`<${Note} tone=${ACTIONS[held[0]]?.tone === "bad" ? "bad" : "warn"}><p>Its requests are <b>${ACTIONS[held[0]]?.text ?? held[0]}</b>.</p><//>`;
	return html`<${Note}><p>Nothing is held against it; each request is judged by itself.</p><//>`;
}

const facts = (c) => [
	["Network", html`<span class="mono">${c.prefix}</span>`],
	["Country", c.country && html`<${Country} code=${c.country} />`],
	["AS", c.as && `AS${c.as} ${c.as_name ?? ""}`],
	["Published by", c.bot],
	["Held before", c.decided !== undefined && `${count(c.decided, "decision")} in the last 72 hours`],
];

const Counts = ({ c }) => html`<${Card} title="Being counted">
	${c.buckets.length + c.passes.length === 0 && html`<p class="dim">No scenario counts anything of it, and its network has no pass.</p>`}
	<ul class="top-list">${c.buckets.map((b) => html`<li key=${b.scenario}><span class="top-key" title=${b.scenario}>${b.scenario}</span>
			<span class="num">${b.count}${b.capacity ? ` of ${b.capacity}` : ""}</span>${b.capacity > 0 && html`<${Bar} part=${b.count / b.capacity} tone="warn" />`}</li>`)}
		${c.passes.map((p) => html`<li key=${p.app}><span class="top-key">Passes of its network for ${p.app}</span>
			<span class="num">${p.used} of ${p.of}</span><${Bar} part=${p.used / p.of} /><span class="dim">They all come back in ${span(p.window_s)}.</span></li>`)}</ul><//>`;

const On = ({ lists }) => lists.length > 0 && html`<${Card} title="On lists"><ul class="gate-apps">${lists.map((l) => html`
	<li key=${l.name}><a href=${link("/lists")}>${l.name}</a> <${Remedy} d=${l} /> <span class="dim mono">${l.value}</span></li>`)}</ul><//>`;

function Known({ c, ip, reload }) {
	const [dialog, set] = useState(null);
	const doing = { name: "do", cell: (d) => html`<button type="button" onClick=${() => lift(d, reload)}>Lift</button>` };
	const undoing = { name: "do", cell: (d) => html`<button type="button" onClick=${() => disallow(d, reload)}>Remove</button>` };
	const shown = DECISION_COLUMNS.filter((k) => k.name !== "node");
	const able = can_decide();

	return html`
		<${Standing} c=${c} />
		${able && html`<div class="row">
			<button type="button" onClick=${() => set("hold")}>New decision</button>
			${c.decisions.length > 0 && html`<button type="button" onClick=${() => lift_all(ip, reload)}>Lift all</button>`}
			${!c.allow.length && html`<button type="button" onClick=${() => set("allow")}>Always allow</button>`}</div>`}
		<div class="grid two"><div class="stack">
			<${Card} title="Decisions" flush>${c.decisions.length
				? html`<${Table} label="Decisions" columns=${able ? [...shown, doing] : shown} rows=${c.decisions} row_key=${(d) => d.id} />`
				: html`<${Empty} icon="decisions" title="None in force" />`}<//>
			${c.allow.length > 0 && html`<${Card} title="Allowed" flush><${Table} label="Allowed" rows=${c.allow} row_key=${(d) => d.id}
				columns=${able ? [...shown, undoing] : shown} /><//>`}
			<${Card} title="Alerts" flush>${c.alerts.length
				? html`<${Table} label="Alerts" columns=${ALERT_COLUMNS.filter((k) => k.name !== "value")} rows=${c.alerts} row_key=${(a) => a.id} />`
				: html`<${Empty} icon="info" title="No scenario has spoken of it" />`}<//></div>
		<div class="stack"><${Card} title="Who it is"><${Facts} of=${facts(c)} /><//><${Counts} c=${c} /><${On} lists=${c.lists} /></div></div>
		${dialog === "hold" && html`<${HoldDialog} value=${ip} close=${() => set(null)} done=${reload} />`}
		${dialog === "allow" && html`<${AllowDialog} value=${ip} close=${() => set(null)} done=${reload} />`}`;
}

export default function Client({ params: { ip } }) {
	const { data, error, reload } = useGet(`/clients/${encodeURIComponent(ip)}`);
	const events = usePages("/events", { address: ip, limit: 20 });

	if (error?.status === 400)
		return html`<${Head} title="Client" /><${Card}><${Empty} icon="search" title=${`“${ip}” is no address`}>
			<p>An IPv4 or IPv6 address is wanted, like <code>203.0.113.7</code> or <code>2001:db8::7</code>.</p><//><//>`;
	return html`
		<${Head} title=${html`<span class="mono break">${ip}</span>`}><${Copy} text=${ip} /><//>
		<${Problem} error=${error} retry=${reload} />
		${data ? html`<${Known} c=${data} ip=${ip} reload=${reload} />` : !error && html`<${Skeleton} lines=${5} />`}
		<${Card} title="Its events" flush side=${html`<a href=${link("/events", { address: ip })}>All, with filters</a>`}>
			<${Listing} label="Events" pages=${events} columns=${EVENT_COLUMNS.filter((k) => k.name !== "client")} row_key=${(e) => e.id}
				href=${(e) => link(`/events/${e.id}`)} empty=${html`<${Empty} icon="events" title="No event"><p>None of its requests was stopped, challenged or noted.</p><//>`} /><//>`;
}
