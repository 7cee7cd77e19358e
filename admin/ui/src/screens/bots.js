/* Is the challenge hurting people? And who says that it is a bot. */
import { html } from "htm/preact";
import { Bar, Card, Empty, Head, Note, Problem, Skeleton, Time } from "../components/bits.js";
import { Segments } from "../components/form.js";
import { Table } from "../components/table.js";
import { count, micros, number, percent } from "../format.js";
import { requery, route } from "../router.js";
import { useGet } from "../use.js";

const RANGES = [["1h", "1 hour"], ["24h", "24 hours"], ["30d", "30 days"]];

/* What became of a challenge, in the words of people; in the order of the funnel. */
const FAILURES = [
	["wrong", "Wrong answer", "A solution that does not hold, or a captcha that was not solved."],
	["expired", "Too late", "The page was left open for longer than it is good for."],
	["forged", "Forged", "Not a challenge of ours, or changed on its way."],
	["crowded", "Too many from one network", "Its network has as many passes as it may have."],
	["trouble", "Our side", "The captcha's provider did not answer, or there was no room."],
];

const Step = ({ name, n, all, tone, about }) => html`<li><span class="top-key" title=${about}>${name}</span>
	<span class="num">${number(n)} <span class="dim">${percent(n, all)}</span></span><${Bar} part=${all ? n / all : 0} tone=${tone} /></li>`;

function Funnel({ f, since }) {
	const failed = FAILURES.reduce((n, [key]) => n + (f[key] ?? 0), 0);
	const left = Math.max(0, f.issued - f.solved - failed);

	return html`<${Card} title="What became of challenges" side=${html`<span>since <${Time} at=${since} /></span>`}>
		<ul class="top-list">
			<${Step} name="Shown" n=${f.issued} all=${f.issued} />
			<${Step} name="Solved" n=${f.solved} all=${f.issued} tone="good" />
			<${Step} name="Not answered" n=${left} all=${f.issued} tone="warn" about="Shown, and not answered so far: programs that cannot, people who went, or who are at it." />
			${FAILURES.map(([key, name, about]) => f[key] > 0 && html`<${Step} key=${key} name=${name} n=${f[key]} all=${f.issued} tone="bad" about=${about} />`)}
		</ul>
		${f.shared > 0 && html`<p>${count(f.shared, "pass", "passes")} turned up in too many networks, as farmed ones do, and ${f.shared === 1 ? "was" : "were"} revoked.</p>`}
		${f.trouble > 0 && html`<${Note} tone="warn"><p>Some failures are on our side: see the log for the captcha's provider.</p><//>`}<//>`;
}

/* From the series, which outlive the process; the rest is counted since it began. */
const Over = ({ over, range, on }) => html`<${Card} title="Over time" side=${html`<${Segments} label="Range" value=${range} options=${RANGES} on=${on} />`}>
	${over ? html`<ul class="top-list">
		<${Step} name="Requests that were challenged" n=${over.issued} all=${over.issued} />
		<${Step} name="Passes given" n=${over.solved} all=${over.issued} tone="good" />
		<${Step} name="Failed" n=${over.failed} all=${over.issued} tone="bad" /></ul>` : html`<p class="dim">Nothing is known of this time.</p>`}<//>`;

const bound = (b, i, all) => (i < all.length ? `up to ${micros(b * 1000)}` : `over ${micros(all[all.length - 1] * 1000)}`);

function Times({ t }) {
	const most = Math.max(1, ...t.counts), all = t.counts.reduce((a, b) => a + b, 0);
	const slowest = t.counts.findLastIndex((n) => n > 0); /* nothing is said of what is slower than all */

	return html`<${Card} title="Time to solve">${all === 0 ? html`<p class="dim">Nobody has solved one yet.</p>` : html`
		<ul class="top-list">${t.counts.slice(0, slowest + 1).map((n, i) => html`<li key=${i}><span class="top-key">${bound(t.buckets[i], i, t.buckets)}</span>
			<span class="num">${number(n)} <span class="dim">${percent(n, all)}</span></span><${Bar} part=${n / most} /></li>`)}</ul>`}<//>`;
}

const APP_COLUMNS = [
	{ name: "app", head: "App", cell: (a) => html`<b>${a.app}</b>` },
	{ name: "issued", head: "Shown", num: true, cell: (a) => number(a.issued) },
	{ name: "solved", head: "Solved", num: true, cell: (a) => `${number(a.solved)} (${percent(a.solved, a.issued)})` },
	{ name: "left", head: "Not solved", num: true, cell: (a) => number(Math.max(0, a.issued - a.solved)) },
];

const CATEGORY_COLUMNS = [
	{ name: "category", head: "Category", cell: (c) => html`<b>${c.category.replaceAll("_", " ")}</b>` },
	{ name: "requests", head: "Requests", num: true, cell: (c) => number(c.requests) },
	{ name: "verified", head: "Proven", num: true, cell: (c) => number(c.verified) },
	{ name: "impostors", head: "Impostors", num: true, cell: (c) => (c.impostors ? html`<b class="bad">${number(c.impostors)}</b>` : "0") },
];

const Shown = ({ d, range, on }) => html`
	<div class="grid"><div class="stack"><${Funnel} f=${d.funnel} since=${d.since} /><${Times} t=${d.solve_ms} /></div>
		<div class="stack"><${Over} over=${d.over} range=${range} on=${on} />
		<${Card} title="By app" flush>${d.by_app.length ? html`<${Table} label="Challenges by app" columns=${APP_COLUMNS} rows=${d.by_app} row_key=${(a) => a.app} />`
			: html`<${Empty} icon="apps" title="No app has challenged anybody" />`}<//>
		<${Card} title="Who says it is a bot" flush>${d.categories.length
			? html`<${Table} label="Bots by category" columns=${CATEGORY_COLUMNS} rows=${d.categories} row_key=${(c) => c.category} />`
			: html`<${Empty} icon="bots" title="No bot has named itself yet" />`}<//></div></div>`;

export default function Bots() {
	const { range = "24h" } = route.value.query;
	const { data, error, reload } = useGet("/bots", { range }, { every: 15000 });

	return html`
		<${Head} title="Bots & challenges" about="Is the challenge hurting people?" />
		<${Problem} error=${error} retry=${reload} />
		${data && html`<${Shown} d=${data} range=${range} on=${(r) => requery({ range: r })} />`}
		${!data && !error && html`<${Skeleton} lines=${6} />`}`;
}
