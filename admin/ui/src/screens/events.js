/* What happens, as it happens; and what happened, by any filter. */
import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Action, Address, Card, Copy, Empty, Head, Note } from "../components/bits.js";
import { Filters, filtered } from "../components/filters.js";
import { GatesChoice, Silent, useGates } from "../components/gates.js";
import { Icon } from "../components/icons.js";
import { Listing } from "../components/table.js";
import { is_meant } from "../events_of.js";
import { ACTIONS, SOURCES, clock, count, day, exact, zone } from "../format.js";
import { link, requery, route } from "../router.js";
import { follow_all, fresh, link_state, listen, missed, silent } from "../stream.js";
import { useGet, usePages } from "../use.js";

const KEPT = 200;    /* rows of a tail; for older ones the gate is asked */
const HELD = 5000;   /* rows that wait while the reader reads */
const GATHER = 500;  /* ms: rows come in groups, not one by one */

const FIELDS = (apps) => [
	{ name: "q", label: "Search", placeholder: "path, host, rule, reason", main: true },
	{ name: "app", label: "App", options: apps },
	{ name: "action", label: "Action",
		options: Object.entries(ACTIONS).filter(([w]) => w !== "allow").map(([w, a]) => [w, a.text]) },
	{ name: "source", label: "Decided by", options: Object.entries(SOURCES) },
	{ name: "address", label: "Address", placeholder: "or network", size: 14 },
	{ name: "rule", label: "Rule", placeholder: "its id", size: 9 },
	{ name: "country", label: "Country", placeholder: "DE", size: 4, rare: true },
	{ name: "as", label: "AS", placeholder: "3320", size: 6, rare: true },
	{ name: "ja4", label: "JA4", placeholder: "t13d1516h2_…", size: 20, rare: true },
	{ name: "path", label: "Path has", placeholder: "/login", size: 10, rare: true },
	{ name: "id", label: "Request id", placeholder: "01M8…", size: 9, rare: true },
];

const stamp = (time) => {
	const d = new Date(time), today = day(d) === day(new Date());

	return today ? clock(d) : `${day(d).slice(5)} ${clock(d)}`;
};

export const EVENT_COLUMNS = [
	{ name: "time", head: "Time",
		cell: (e) => html`<time class="num" dateTime=${e.time}
		title=${`${exact(e.time)} ${zone(new Date(e.time))}`}>
		${stamp(e.time)}</time>` },
	{ name: "action", head: "Action", cell: (e) => html`<${Action} action=${e.action} would=${e.would} />` },
	{ name: "request", head: "Request", cell: (e) => html`<div class="request">${e.method
		? html`<b class="mono">${e.method}</b> <span class="mono break">${e.path}</span>`
			: html`<span class="dim">no request line</span>`}</div><div class="dim break">
			${[e.host, e.app, route.value.query.nodes && e.node].filter(Boolean).join(" · ")}</div>` },
	{ name: "why", head: "Why", cell: (e) => html`<div class="why">${e.reason || SOURCES[e.source]}</div>
		<div class="dim break">${[SOURCES[e.source], e.rule, e.threshold && e.score
			? `score ${e.score} of ${e.threshold}` : ""].filter(Boolean).join(" · ")}</div>` },
	{ name: "client", head: "Client",
		cell: (e) => html`<${Address} ip=${e.client} country=${e.country} as=${e.as} as_name=${e.as_name} />` },
	{ name: "status", head: "Status", num: true, wide: true, cell: (e) => e.status || "none" },
];

/* What the stream brings, in groups: {rows, waiting, show, is_cut, clear}. While `hold`, it waits. is_cut: more came
 * than is kept, so that a list from before does not follow on. */
function useTail(filter, hold) {
	const [rows, set] = useState([]);
	const [waiting, setWaiting] = useState(0);
	const [is_cut, setCut] = useState(false);
	const queue = useRef([]), wanted = useRef();
	const key = JSON.stringify(filter);
	const show = () => {
		const come = queue.current.splice(0).reverse();

		setWaiting(0);
		if (!come.length)
			return;
		setCut(is_cut || rows.length + come.length > KEPT);
		set([...come, ...rows].slice(0, KEPT));
	};
	const clear = () => {
		queue.current = [];
		set([]);
		setWaiting(0);
		setCut(false);
	};

	wanted.current = filter;
	useEffect(clear, [key]);
	useEffect(() => listen("security", (e) => {
		if (is_meant(e, wanted.current) && queue.current.push(e) > HELD)
			queue.current.shift();
	}), []);
	useEffect(() => {
		const timer = setInterval(() => {
			if (!hold && scrollY < 120)
				show();
			else
				setWaiting(queue.current.length);
		}, GATHER);

		return () => clearInterval(timer);
	});
	return { rows, waiting, show, is_cut, clear };
}

function Span({ from, to }) {
	const begin = from && `from ${/^\d+[smhd]$/.test(from) ? `${from} ago` : exact(from)}`;
	const text = [begin, to && `until ${exact(to)}`].filter(Boolean).join(" ");

	return html`<span class="tag">
		${text} <button type="button" class="quiet" onClick=${() => requery({ from: "", to: "" })}>
		<${Icon} name="close" /> Any time</button></span>`;
}

const state_text = (tails, paused, waiting, nodes) => {
	if (!tails)
		return "A span of time; nothing new comes in.";
	if (waiting)
		return `${count(waiting, "new event")} waiting`;
	if (paused)
		return "Paused";
	return link_state.value === "live"
		? `New events${nodes ? " of all gates" : ""} appear at the top.`
		: "The live stream is not there; the list is of the time when it was opened.";
};

/* What other gates did not send along in a flood; their lists have it. */
const Missed = ({ of }) => Object.keys(of).length > 0 && html`<${Note} tone="warn">Left out while too many came at once: ${
	Object.entries(of).map(([node, n]) => `${count(n, "event")} of ${node}`).join(", ")}. Load the page again to see them.<//>`;

export default function Events() {
	const [paused, setPaused] = useState(false);
	const status = useGet("/status");
	const fields = FIELDS(status.data?.apps.map((a) => a.name) ?? []);
	const filter = filtered(fields);
	const { from, to } = route.value.query;
	const gates = useGates();
	const tails = !to;
	const pages = usePages("/events", { ...filter, from, to, nodes: gates.nodes });
	const tail = useTail(filter, paused || !tails);
	useEffect(() => {
		follow_all(Boolean(gates.nodes));
		return () => follow_all(false);
	}, [gates.nodes]);
	useEffect(() => {
		if (fresh.value)
			pages.reload();
	}, [fresh.value]);
	const known = new Set(tail.rows.map((e) => e.id));
	const items = pages.items
		&& [...tail.rows, ...(tail.is_cut ? [] : pages.items.filter((e) => !known.has(e.id)))];
	const older = () => {
		setPaused(true);
		tail.clear();
		pages.reload();
	};
	const show = () => {
		tail.show();
		scrollTo({ top: 0 });
	};

	return html`
		<${Head} title="Live events"><${GatesChoice} gates=${gates} />
			<${Copy} text=${location.href} label="Copy link" />
			<button type="button" aria-pressed=${paused} disabled=${!tails}
				onClick=${() => setPaused(!paused)}>
				<${Icon} name=${paused ? "play" : "pause"} />${paused ? "Go on" : "Pause"}</button><//>
		<${Filters} fields=${fields}>${(from || to) && html`<${Span} from=${from} to=${to} />`}<//>
		<${Silent} names=${[...new Set([...pages.silent ?? [], ...silent.value])]} />
		<${Missed} of=${missed.value} />
		<${Card} title="Events" flush
			side=${html`<span role="status" aria-live="polite">
			${state_text(tails, paused, tail.waiting, gates.nodes)}</span>`}>
			${tail.waiting > 0 && html`<button type="button" class="fresh"
				onClick=${show}>Show ${count(tail.waiting, "new event")}</button>`}
			<${Listing} label="Events"
				pages=${{ ...pages, items, has_more: tail.is_cut || pages.has_more, more: tail.is_cut
				? older : pages.more }} columns=${EVENT_COLUMNS} row_key=${(e) => e.id}
				href=${(e) => link(`/events/${e.id}`, { node: gates.others.find((n) => n === e.node) })}
					empty=${html`<${Empty} icon="events" title=${Object.keys(filter).length
					? "No event fits these filters" : "No event yet"}>
					${Object.keys(filter).length
						? html`<p>Take one away, or look at another time.</p>`
						: html`<p>What the gate blocks, challenges, throttles or would have
							blocked appears here within a second.</p>`}<//>`} /><//>`;
}
