/* Is it working, and is anything on fire? */
import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Bar, Card, Empty, Head, Mode, Pill, Problem, Skeleton, Time } from "../components/bits.js";
import { Chart } from "../components/chart.js";
import { WorldMap } from "../components/map.js";
import { GatesChoice, Silent, useGates } from "../components/gates.js";
import { Segments } from "../components/form.js";
import { SOURCES, count, country, micros, number, percent, rate, rate_step,
	short } from "../format.js";
import { link, requery, route } from "../router.js";
import { stats } from "../stream.js";
import { useGet } from "../use.js";

const RANGES = [["1h", "1 hour"], ["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"]];
const ROOM = 30; /* steps that are drawn at least */
const EVERY = { "1h": 10000, "24h": 60000, "7d": 300000, "30d": 300000 }; /* ms, as the series move */

/* ---- now ---- */

const Tile = ({ name, value, note, tone, href }) => html`
	<${href ? "a" : "div"} class="tile ${tone ?? ""}" href=${href}>
		<span class="tile-name">${name}</span><span class="tile-value num">${value}</span>
			<span class="tile-note">${note ?? " "}</span><//>`;

const fire = (value, limit) => (value >= limit ? "bad" : "");

/* It alone is drawn with each second's figures. */
function Tiles({ app, nodes }) {
	const asks = app || nodes;
	const first = useGet("/stats", { app, nodes }, asks ? { every: 2000 } : {});
	const s = (asks ? first.data : stats.value ?? first.data) ?? {};

	return html`<${Silent} names=${first.data?.silent} /><section class="tiles" aria-label="Now">
		<${Tile} name="Requests" value=${rate(s.rps)} note=${`${short(s.requests_total)} since the start`} />
		<${Tile} name="Blocked" value=${rate(s.blocked_ps)} note=${`${short(s.blocked_total)} since the start`}
			href=${link("/events", { action: "deny", nodes })} />
		<${Tile} name="Challenged" value=${rate(s.challenged_ps)} note="over the last 10 s"
			href=${link("/events", { action: "challenge", nodes })} />
		<${Tile} name="Added latency" value=${micros(s.added_p50_us)}
			note=${`99 % under ${micros(s.added_p99_us)}`} />
		<${Tile} name="Decisions" value=${number(s.decisions)} note="in force now"
			href=${link("/decisions")} />
		<${Tile} name="Connections" value=${number(s.connections)} tone=${fire(s.events_dropped, 1)}
			note=${s.events_dropped ? `${count(s.events_dropped, "event")} could not be stored`
				: "of clients, open"} />
	</section>`;
}

const NOTICES = {
	reload: () => ["bad", "The last reload was refused; the older configuration serves.", link("/config")],
	draining: () => ["warn", "This process drains. It takes no new connections."],
	server: ({ app }) => ["bad", `${app}: a server does not answer`, link(`/apps/${app}`)],
	attack: ({ app }) => ["warn", `${app} is in attack mode: everyone without a pass is challenged`, link(`/apps/${app}`)],
	unprotected: ({ app }) => ["warn", `${app} is not protected: its mode is off`, link(`/apps/${app}`)],
	unlike: () => ["warn", "its changes are not those of this gate", link("/cluster")],
	redis: () => ["warn", "Redis cannot be reached: this gate decides by itself", link("/cluster")],
};

/* What a person has to act on, at any gate; nothing is shown while all is well. */
function Notices({ gates }) {
	const { data } = useGet("/notices", { nodes: gates.others.length ? "all" : undefined }, { every: 15000 });
	const unlike = data?.cluster_writes ? data.gates?.filter((g) => g.differs).map((g) => ({ kind: "unlike", node: g.node })) ?? [] : [];
	const items = [...data?.items.filter((n) => NOTICES[n.kind]) ?? [], ...unlike];

	return items.length > 0 && html`<ul class="alarms">${items.map((n) => {
		const [tone, title, href] = NOTICES[n.kind](n);
		const other = n.node && n.node !== gates.self;

		return html`<li key=${[n.node, n.kind, n.app, n.text].join()} class="alarm ${tone}"><b>${n.node && html`${n.node}: `}
			${href && (!other || n.kind === "unlike") ? html`<a href=${href}>${title}</a>` : title}</b> <span>${n.text}</span></li>`;
	})}</ul>`;
}

/* ---- over time ---- */

const SHOWN = {
	Traffic: {
		unit: rate, step: rate_step, of: [["Requests", "requests", "--c-requests", true],
			["4xx", "s4xx", "--c-challenged"],
			["5xx", "s5xx", "--c-blocked"]],
	},
	"What was done": {
		unit: rate, step: rate_step, of: [["Blocked", "blocked", "--c-blocked", true],
			["Challenged", "challenged", "--c-challenged"],
			["Throttled", "throttled", "--c-throttled"], ["Detected", "detected", "--c-detected"]],
	},
	Challenges: {
		unit: rate, step: rate_step, of: [["Issued", "challenged", "--c-challenged", true],
			["Solved", "solved", "--c-solved"],
			["Failed", "failed", "--c-blocked"]],
	},
	"Added latency": {
		unit: micros, is_time: true,
		of: [["Median", "added_p50_us", "--c-solved"], ["99th percentile", "added_p99_us", "--c-challenged"]],
	},
};

/* A gate that has just begun knows little: what is drawn begins where it did, with some room. */
function begun({ from, step_s, series }) {
	const first = series.requests.findIndex((v) => v !== null);
	const skip = Math.max(0, Math.min(first < 0 ? 0 : first, series.requests.length - ROOM));

	return {
		step_s, from: Date.parse(from) / 1000 + skip * step_s,
		series: Object.fromEntries(Object.entries(series).map(([k, v]) => [k, v.slice(skip)])),
	};
}

/* The series count in steps; what is drawn is per second. */
const per_second = (values, step) => values.map((v) => (v === null ? null : v / step));

function Series({ data: asked, nodes, on_range }) {
	const data = begun(asked);
	const from = data.from;
	const n = data.series.requests.length;
	const times = Array.from({ length: n }, (_, i) => from + i * data.step_s);

	return html`<div class="grid charts">${Object.entries(SHOWN).map(([title, { unit, step, of, is_time }]) => html`
		<${Card} key=${title} title=${title} side=${nodes && is_time && "the highest of the gates"}>
			<${Chart} label=${title} times=${times} unit=${unit} step=${step} bridge=${is_time} on_range=${on_range}
			series=${of.map(([name, key, token, fill]) => ({
				name, token, fill, values: is_time
					? data.series[key] : per_second(data.series[key], data.step_s),
			}))} /><//>`)}</div>`;
}

const Waiting = () => html`<div class="grid charts">${Object.keys(SHOWN).map((title) => html`
	<${Card} key=${title} title=${title}><div class="chart"><div class="chart-canvas"></div>
		<div class="chart-legend"> </div></div><//>`)}</div>`;

/* ---- who and what ---- */

const TOPS = [
	{ by: "app", title: "Apps", filter: "app" },
	{ by: "rule", title: "Rules", filter: "rule", mono: true, tone: "bad", named: true },
	{ by: "address", title: "Addresses", href: (k) => link(`/clients/${encodeURIComponent(k)}`), mono: true },
	{ by: "path", title: "Paths", filter: "path", mono: true },
	{ by: "user_agent", title: "User agents", filter: "q", none: "none sent" },
	{ by: "source", title: "Decided by", filter: "source", text: (k) => SOURCES[k] ?? k },
];

/* items: the first few of GET /top. */
function TopList({ items, tone, mono, href, none = "unknown", text = (k) => k }) {
	const all = items.reduce((n, i) => n + i.count, 0);

	return html`<ol class="top-list">${items.map((i) => html`
		<li key=${i.key}>${i.key ? html`<a class="top-key ${mono ? "mono" : ""}" title=${text(i.key)}
			href=${href(i.key)}>${text(i.key)}</a>`
			: html`<span class="dim">${none}</span>`}
			<span class="num" title=${`${count(i.clients, "client")}, ${percent(i.count, all)} of these`}>
				${short(i.count)}</span>
			<${Bar} part=${i.count / items[0].count} tone=${tone} /></li>`)}</ol>`;
}

function Top({ by, title, filter, href, text, none, named, mono, tone, ...asked }) {
	const { data, error, reload } = useGet("/top", { by, ...asked, limit: 7 }, { every: 30000 });
	const items = data?.items.filter((i) => i.key || !named); /* what no rule decided is told by "Decided by" */

	return html`<${Card} title=${title}>
		<${Problem} error=${error} retry=${reload} />
		${!data && !error && html`<${Skeleton} lines=${5} />`}
		${items?.length === 0 && html`<p class="dim">Nothing in this time.</p>`}
		${items?.length > 0 && html`<${TopList} items=${items} tone=${tone} mono=${mono} text=${text}
			none=${none}
			href=${href ?? ((k) => link("/events", { [filter]: k, ...asked }))} />`}<//>`;
}

/* The map weighs half of all else that is loaded: it waits until it is nearly seen. */
function useSeen() {
	const box = useRef();
	const [seen, set] = useState(false);

	useEffect(() => {
		const watch = new IntersectionObserver(([entry]) => entry.isIntersecting && set(true),
			{ rootMargin: "100px" });

		watch.observe(box.current);
		return () => watch.disconnect();
	}, []);
	return [box, seen];
}

/* The map, and the same as a list. */
function World(asked) {
	const [box, seen] = useSeen();
	const { data, error, reload } = useGet(seen ? "/top" : null, { by: "country", ...asked, limit: 250 },
		{ every: 60000 });
	const known = data?.items.filter((i) => i.key) ?? [];
	const names = known.slice(0, 3).map((i) => country(i.key)).join(", ");

	return html`<div ref=${box}><${Card} title="Where events come from"><div class="where">
		${known.length ? html`<${WorldMap} items=${known}
			label=${`Map of events by country; most from ${names}`} />` : html`<div class="world"></div>`}
		<div class="stack"><${Problem} error=${error} retry=${reload} />
			${seen && !data && !error && html`<${Skeleton} lines=${5} />`}
			${data?.items.length > 0 && html`<${TopList} items=${data.items.slice(0, 8)} text=${country}
				href=${(k) => link("/events", { country: k, ...asked })} />`}
			${data && !known.length && html`<p class="dim">
				${data.items.length ? html`No address has a country: <code>geo:</code> in the
				configuration names a MaxMind DB file.`
					: "Nothing in this time."}</p>`}</div></div><//></div>`;
}

const AppRow = ({ a }) => {
	const up = a.servers.filter((s) => s.up).length;

	return html`<li><a href=${link(`/apps/${a.name}`)}>${a.name}</a><${Mode} mode=${a.mode} />
		<${Pill} tone=${up === a.servers.length ? "good" : up ? "warn" : "bad"}>
			${up} of ${count(a.servers.length, "server")} up<//></li>`;
};

function Gate({ status, others }) {
	return html`<${Card} title="Gate" side=${html`version ${status.version}`}>
		<ul class="gate-apps">${status.apps.map((a) => html`<${AppRow} key=${a.name} a=${a} />`)}</ul>
		<p class="dim">Serving since <${Time} at=${status.started} /> on ${status.listeners.join(", ")}
			${others.length > 0 && html`; beside <a href=${link("/cluster")}>
				${others.join(", ")}</a>`}.</p><//>`;
}

/* The series a range names; 7 days are a part of 30. */
function clipped(data, range) {
	if (range !== "7d" || !data)
		return data;
	const n = Math.min(data.series.requests.length, Math.round((7 * 86400) / data.step_s));
	const cut = Object.fromEntries(Object.entries(data.series).map(([k, v]) => [k, v.slice(-n)]));

	return { ...data, series: cut, from: new Date(Date.parse(data.to) - n * data.step_s * 1000).toISOString() };
}

function Newcomer({ status }) {
	const [, port] = /:(\d+)$/.exec(status.listeners[0] ?? "") ?? [];

	return html`<${Card}><${Empty} icon="overview" title="No request has come yet">
		<p>Send one that is clean and one that is not, then look here again:</p>
		<p><code>curl 'http://127.0.0.1:${port ?? "8080"}/?q=%3Cscript%3Ealert(1)'</code></p><//><//>`;
}

export default function Overview() {
	const { range = "1h", app } = route.value.query;
	const asked = range === "7d" ? "30d" : range;
	const gates = useGates();
	const { nodes } = gates;
	const series = useGet("/series", { range: asked, app, nodes }, { every: EVERY[range] });
	const status = useGet("/status", undefined, { every: 15000 });
	const select = (from, to) => {
		location.hash = link("/events",
			{ app, nodes, from: new Date(from * 1000).toISOString(), to: new Date(to * 1000).toISOString() });
	};
	const apps = status.data?.apps.map((a) => a.name) ?? [];

	return html`
		<${Head} title="Overview"><${GatesChoice} gates=${gates} />
			${apps.length > 1 && html`<label class="row"><span class="unseen">App</span>
				<select value=${app ?? ""}
				onChange=${(e) => requery({ app: e.currentTarget.value })}>
					<option value="">All apps</option>
				${apps.map((a) => html`<option key=${a} value=${a} selected=${a === app}>
					${a}</option>`)}</select></label>`}
			<${Segments} label="Range" value=${range} options=${RANGES}
				on=${(r) => requery({ range: r })} /><//>
		<${Notices} gates=${gates} />
		<${Problem} error=${status.error} retry=${status.reload} />
		<${Tiles} app=${app} nodes=${nodes} />
		${status.data?.requests === 0 && series.data && !series.data.series.requests.some(Boolean)
			&& html`<${Newcomer} status=${status.data} />`}
		${series.error && !series.data ? html`<${Problem} error=${series.error} retry=${series.reload} />`
			: series.data ? html`<${Series} data=${clipped(series.data, range)} nodes=${nodes} on_range=${select} />`
				: html`<${Waiting} />`}
		<${World} from=${range} app=${app} nodes=${nodes} />
		<div class="grid tops">${TOPS.map((t) =>
			html`<${Top} key=${t.by} ...${t} from=${range} app=${app} nodes=${nodes} />`)}</div>
		${status.data && html`<${Gate} status=${status.data} others=${gates.others} />`}`;
}
