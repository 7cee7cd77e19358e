/* What is looked for in requests, which behaviour is counted, and a box to try both rules and requests. */
import { html } from "htm/preact";
import { may } from "../api.js";
import { Card, Empty, Head, Pill } from "../components/bits.js";
import { Filters, filtered } from "../components/filters.js";
import { Segments } from "../components/form.js";
import { RuleTest } from "../components/rule_test.js";
import { Listing } from "../components/table.js";
import { count, micros, number, percent } from "../format.js";
import { link, requery, route } from "../router.js";
import { useGet, usePages } from "../use.js";

/* ---- rules ---- */

const TONES = { critical: "bad", error: "warn", warning: "info", notice: "" };

/* Where it stands, by its file's own name: packs lie where the package put them. */
const file_of = ({ file, line }) => `${file.split("/").pop()}, line ${line}`;

const KNOWN_FROM = 10; /* alerts: docs/events.md */

/* The share of its alerts in which it seems to have been wrong. */
const mistaken = ({ fp_ratio, alerts }) => (fp_ratio !== null
	? html`<a href=${link("/false-positives")} title=${`of its ${count(alerts, "alert")} in 7 days`}>${percent(fp_ratio, 1)}</a>`
	: html`<span class="dim" title=${alerts === null ? "Its alerts cannot be read now" : `${count(alerts, "alert")} in 7 days: a share is told from ${KNOWN_FROM} on`}>
		<span aria-hidden="true">–</span><span class="unseen">not enough known</span></span>`);

/* Nanoseconds a request are microseconds of a thousand. */
const cost = (r) => (r.cost_ns !== null
	? html`<span title=${`Its own, beside the scan that all share; asked in ${percent(r.asked_ratio, 1)} of the requests that were timed`}>
		${r.cost_ns > 0 && r.cost_ns < 1 ? "< 1 µs" : micros(r.cost_ns)}</span>`
	: html`<span class="dim" title="One request of about 256 is timed"><span aria-hidden="true">–</span><span class="unseen">not yet known</span></span>`);

const RULE_COLUMNS = [
	{ name: "id", head: "Rule", sort: "id", cell: (r) => html`<b class="mono">${r.id}</b>` },
	{ name: "message", head: "What it finds", sort: "name", cell: (r) => html`<div>${r.message || "no message"}</div><div class="dim break" title=${r.file}>${file_of(r)}</div>` },
	{ name: "category", head: "Category", wide: true, cell: (r) => r.category && html`<span class="tag">${r.category}</span>` },
	{ name: "severity", head: "Severity", cell: (r) => html`<${Pill} tone=${TONES[r.severity]}>${r.severity}<//>` },
	{ name: "hits", head: "Hits", num: true, sort: "hits", falls: true, cell: (r) => (r.hits
		? html`<a href=${link("/events", { rule: r.id })} aria-label=${`Events of rule ${r.id}`}>${number(r.hits)}</a>` : "0") },
	{ name: "blocked", head: "Blocked", num: true, cell: (r) => number(r.blocked) },
	{ name: "fp", head: "Mistaken", num: true, sort: "fp", falls: true, cell: mistaken },
	{ name: "cost", head: "Time", num: true, sort: "cost", falls: true, cell: cost },
	{ name: "apps", head: "Apps", wide: true, cell: (r) => r.apps.join(", ") },
];

const RULE_FIELDS = (apps) => [
	{ name: "q", label: "Search", placeholder: "id, message, file", main: true },
	{ name: "app", label: "App", options: apps },
	{ name: "category", label: "Category", placeholder: "sqli", size: 10 },
	{ name: "hits", label: "Matched", options: [["true", "only those that matched"]] },
	{ name: "sort", label: "Order", any: "by id", options: [["name", "by name"], ["hits", "most hits"], ["fp", "most mistaken"], ["cost", "dearest"]] },
];

/* The sum of the column is the last of the three. */
const Costs = ({ shared_ns, rules_ns, samples }) => html`<p class="dim">
	To inspect a request takes ${micros((shared_ns + rules_ns) / 1000)} on average: ${micros(shared_ns / 1000)} to take it apart and for the
	scan that all rules share, ${micros(rules_ns / 1000)} of the rules' own, which is told for 1,000 requests below.
	Measured in ${count(samples, "request")} since the rules were loaded, one of about 256.</p>`;

function Rules({ apps }) {
	const fields = RULE_FIELDS(apps);
	const pages = usePages("/rules", filtered(fields));

	return html`<${Filters} fields=${fields} />
		${pages.costs && html`<${Costs} ...${pages.costs} />`}
		<${Card} title="Rules" flush side=${pages.total !== undefined && html`<span role="status">${count(pages.total, "rule")}, counted since the start</span>`}>
			<${Listing} label="Rules" pages=${pages} columns=${RULE_COLUMNS} row_key=${(r) => r.id}
				empty=${html`<${Empty} icon="rules" title="No rule fits"><p>Or none is loaded: see <code>waf</code> of the apps.</p><//>`} /><//>`;
}

/* ---- scenarios ---- */

const MODES = { on: ["good", "on"], simulate: ["info", "simulated"], off: ["", "off"] };

const SCENARIO_COLUMNS = [
	{ name: "name", head: "Scenario", cell: (s) => html`<b class="break">${s.name}</b><div class="dim">${s.label || s.description}</div>` },
	{ name: "mode", head: "Mode", cell: (s) => html`<${Pill} tone=${MODES[s.mode]?.[0]}>${MODES[s.mode]?.[1] ?? s.mode}<//>${s.remediation === false && html` <span class="tag">tells only</span>`}` },
	{ name: "behavior", head: "Behaviour", wide: true, cell: (s) => s.behavior && html`<span class="tag">${s.behavior}</span>` },
	{ name: "poured", head: "Counted", num: true, cell: (s) => number(s.poured) },
	{ name: "overflowed", head: "Overflows", num: true, cell: (s) => number(s.overflowed) },
	{ name: "failed", head: "Errors", num: true, wide: true, cell: (s) => (s.failed ? html`<b class="bad">${number(s.failed)}</b>` : "0") },
	{ name: "cost", head: "Time", num: true, wide: true, cell: cost },
	{ name: "file", head: "From", wide: true, cell: (s) => html`<span class="dim break" title=${s.file}>${s.file.split("/").pop()}</span>` },
];

const SCENARIO_FIELDS = [{ name: "q", label: "Search", placeholder: "name, label, behaviour", main: true }];

function Scenarios() {
	const all = useGet("/scenarios", undefined, { every: 15000 });
	const q = (route.value.query.q ?? "").toLowerCase();
	const items = all.data?.items.filter((s) => `${s.name} ${s.label} ${s.description} ${s.behavior}`.toLowerCase().includes(q));

	const own_ns = all.data?.items.reduce((sum, s) => sum + s.cost_ns, 0);

	return html`<${Filters} fields=${SCENARIO_FIELDS} />
		${all.data?.samples > 0 && html`<p class="dim">
			To follow a request takes ${micros((all.data.shared_ns + own_ns) / 1000)} on average: ${micros(all.data.shared_ns / 1000)} to see which
			scenarios it may concern, ${micros(own_ns / 1000)} of their own, which is told for 1,000 requests below.
			Measured in ${count(all.data.samples, "request")} since they were loaded, one of about 256.</p>`}
		<${Card} title="Scenarios" flush side=${items && html`<span role="status">${count(items.length, "scenario")}, counted since the last reload</span>`}>
			<${Listing} label="Scenarios" pages=${{ ...all, items }} columns=${SCENARIO_COLUMNS} row_key=${(s) => s.name}
				empty=${html`<${Empty} icon="rules" title=${q ? "No scenario fits" : "No scenarios are loaded"} />`} /><//>`;
}

/* ---- the screen ---- */

const SHOWN = [["rules", "Rules"], ["scenarios", "Scenarios"], ["test", "Try a request"]];

export default function RulesAndScenarios() {
	const { show = "rules" } = route.value.query;
	const status = useGet("/status");
	const apps = status.data?.apps.map((a) => a.name) ?? [];
	const shown = may("operator") ? SHOWN : SHOWN.slice(0, 2);

	return html`<${Head} title="Rules & scenarios">
			<${Segments} label="Which" value=${show} options=${shown} on=${(s) => requery({ show: s === "rules" ? "" : s, q: "", sort: "" })} /><//>
		${show === "scenarios" ? html`<${Scenarios} />` : show === "test" ? apps.length > 0 && html`<${RuleTest} apps=${apps} />` : html`<${Rules} apps=${apps} />`}`;
}
