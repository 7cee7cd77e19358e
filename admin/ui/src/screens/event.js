/* One request: what was decided, why, what it looked like, and how to let it through if it was legitimate. */
import { html } from "htm/preact";
import { Accept } from "../components/accept.js";
import { Action, Address, Card, Copy, Country, Empty, Facts, Head, Note, Pill, Problem, Skeleton,
	Time } from "../components/bits.js";
import { Code } from "../components/code.js";
import { useGates } from "../components/gates.js";
import { exceptions_proposed } from "../exceptions.js";
import { ACTIONS, SOURCES, action_text, bytes, count, exact, micros, number, zone } from "../format.js";
import { link, route } from "../router.js";
import { useGet } from "../use.js";

/* ---- why ---- */

const STEPS = {
	client: "Who asked", reputation: "Reputation", bot: "Bot", limits: "Limits", scenarios: "Scenarios",
		rules: "Rules",
	score: "Score", remedy: "Decision",
};

const CALM = /^(ok|pass|passed|none|known|allow|allowed|nothing|unknown|log|logged)$/;

const tone_of = ({ step, outcome }) =>
	ACTIONS[outcome]?.tone ?? (step === "client" ? "" : CALM.test(outcome) ? "good" : /bot|verified/.test(outcome)
		? "info" : "warn");

const Snippet = ({ hit }) =>
	html`<code class="snippet">${hit.before ? "…" : ""}${hit.snippet || " "}${hit.after ? "…" : ""}</code>`;

const Hit = ({ hit }) => html`<li class="hit">
	<div class="hit-head"><a class="mono" href=${link("/rules", { q: hit.rule })}>${hit.rule}</a>
		${hit.severity && html`<span class="tag">${hit.severity}</span>`}
			${hit.category && html`<span class="tag">${hit.category}</span>`}
		<span class="grow"></span><b class="num" title="Added to the score">
			${hit.score ? `+${hit.score}` : "no score"}</b></div>
	<p>${hit.message}</p>
	<div class="hit-where"><span class="mono">${hit.variable}</span> <${Snippet} hit=${hit} />
		<span class="dim">${hit.length
			? `${count(hit.length, "byte")} from byte ${number(hit.offset)}`
			: `at byte ${number(hit.offset)}`}</span></div>
	${hit.data && html`<p class="dim break">${hit.data}</p>`}</li>`;

/* CRS has rules that look at nothing but the score of the others. */
const sums_up = (hit) => !hit.score && hit.variable.startsWith("TX:");

function Hits({ e }) {
	const sums = e.hits.filter(sums_up);

	return html`<ul class="hits">
		${e.hits.filter((h) => !sums_up(h)).map((h, i) => html`<${Hit} key=${i} hit=${h} />`)}</ul>
		${e.more_hits > 0
			&& html`<p class="dim">and ${count(e.more_hits, "match", "matches")} that had no room</p>`}
		${sums.length > 0 && html`<details><summary>
			${count(sums.length, "rule")} that only ${sums.length > 1 ? "sum" : "sums"} up</summary>
			<ul class="hits">${sums.map((h) => html`<${Hit} key=${h.rule} hit=${h} />`)}</ul></details>`}`;
}

const Score = ({ e }) => {
	const most = Math.max(e.score, e.threshold, 1);

	return e.threshold > 0 && html`<svg class="score" viewBox="0 0 100 6" preserveAspectRatio="none" role="img"
		aria-label=${`Score ${e.score}, threshold ${e.threshold}`}>
			<rect class="score-all" width="100" height="6" />
		<rect class=${e.score >= e.threshold ? "score-bad" : "score-ok"} width=${(100 * e.score) / most}
			height="6" />
		<rect class="score-limit" x=${Math.min(99.4, (100 * e.threshold) / most)} width=".6"
			height="6" /></svg>`;
};

const Overflow = ({ o }) => html`<li class="hit"><div class="hit-head"><b class="mono">${o.scenario}</b>
	<${Action} action=${o.remedy} />${o.simulated && html`<${Pill}>simulated<//>`}</div>
	<p>${count(o.count, "event")} of ${o.scope} <span class="mono">${o.value}</span>
		${o.until && html`, held until <${Time} at=${o.until} />`}</p>
	${o.seen.length > 0 && html`<ul class="seen">
		${o.seen.map((s, i) => html`<li key=${i}><span class="dim num">
		${s.time ? exact(s.time).slice(11) : ""}</span>
		<span class="mono break">${s.method} ${s.target}</span><span class="dim">
			${s.status}</span></li>`)}</ul>`}</li>`;

const Held = ({ h }) => html`<p>${action_text(h.remedy)}: ${h.scope} <span class="mono">${h.value}</span> for <b>
	${h.reason}</b>
	(<a href=${link("/decisions", { value: h.value })}>decision ${h.id}</a>, by ${h.origin}
		${h.until && html`, until <${Time} at=${h.until} />`})</p>`;

const MORE = {
	reputation: (e) => e.held && html`<${Held} h=${e.held} />`,
	scenarios: (e) => e.overflows.length > 0
		&& html`<ul class="hits">
		${e.overflows.map((o) => html`<${Overflow} key=${o.scenario} o=${o} />`)}</ul>`,
	rules: (e) => html`<${Hits} e=${e} />`,
	score: (e) => html`<${Score} e=${e} />`,
};

const Trace = ({ e }) => html`<ol class="trace">${e.trace.map((t, i) => html`
	<li key=${i} class=${tone_of(t)}><span class="trace-mark" aria-hidden="true"></span>
		<div class="trace-in"><b>${STEPS[t.step] ?? t.step}</b><div class="trace-text"><p class="break">
			${t.text}</p>
			${!CALM.test(t.outcome) && html`<${Pill} tone=${tone_of(t)}>
				${action_text(t.outcome)}<//>`}</div>
			${MORE[t.step] && html`<div class="trace-more">${MORE[t.step](e)}</div>`}</div></li>`)}</ol>`;

/* ---- the request ---- */

const wire = (e) => [
	`${e.method} ${e.path}${e.query ? `?${e.query}` : ""} HTTP/${e.http}`,
	...e.headers.map((h) => `${h.name}: ${h.value}`),
	...(e.more_headers ? [`(and ${count(e.more_headers, "more field")})`] : []),
	...(e.body ? ["", e.body + (e.body_truncated ? "\n(and more)" : "")] : []),
].join("\n");

const Received = ({ e }) => html`<${Card} title="Request as received" side="secrets are redacted">
	<${Code} text=${wire(e)} label="Request as received" />
	${!e.body && e.request_bytes > 0
		&& html`<p class="dim">Its body of ${bytes(e.request_bytes)} is not kept; <code>log: {body:
			on}</code> of the app keeps the first 4 KiB of those that are held.</p>`}<//>`;

const client = (e) => [
	["Address", html`<${Address} ip=${e.client} />`],
	["Found by", e.peer === e.client ? e.client_from : `${e.client_from}, from ${e.peer}`],
	["Country", e.country && html`<${Country} code=${e.country} />`],
	["Network", e.as && `AS${e.as} ${e.as_name ?? ""}`],
	["Agent", e.user_agent && html`<span class="break">${e.user_agent}</span>`],
	["Says it is", e.bot],
	["Pass", e.pass !== "none" && { wait: "waited", pow: "proof of work", captcha: "captcha" }[e.pass]],
	["Came from", e.referer && html`<span class="break">${e.referer}</span>`],
	["TLS", e.tls],
	["JA4", e.ja4 && html`<a class="mono break" title="Events with this fingerprint"
		href=${link("/events", { ja4: e.ja4 })}>${e.ja4}</a>`],
];

const answer = (e) => [
	["Status", e.status || "none: the connection ended"],
	["App", e.app && html`<a href=${link(`/apps/${e.app}`)}>${e.app}</a>`],
	["Server", e.upstream],
	["Took", `${micros(e.duration_us)}, of that ${micros(e.inspection_us)} inspection`],
	["Bytes", `${bytes(e.request_bytes)} in, ${bytes(e.response_bytes)} out`],
	["Node", e.node],
];

const similar = (e, other) =>
	link("/events", { rule: e.rule, app: e.app, path: e.path, from: "7d", nodes: other && "all" });

/* ---- the screen ---- */

/* other: the gate that keeps it, where that is not this one. */
function Detail({ e, other }) {
	const proposed = exceptions_proposed(e.exception);
	const only = e.would && e.would !== e.action;

	return html`
		<${Head} title=${html`${e.method
			? html`<span class="mono break">${e.method} ${e.path}</span>` : "No request line"}`}>
			<${Copy} text=${e.id} label="Copy the id" />
				<${Copy} text=${location.href} label="Copy the link" /><//>
		${other && html`<${Note}>${other} saw it, and decided: this is what it keeps.<//>`}
		<div class="verdict ${ACTIONS[only ? e.would : e.action]?.tone ?? ""}">
			<${Action} action=${e.action} would=${e.would} />
			<p><b>${e.reason || "Nothing was decided"}</b> <span
				class="dim">by ${SOURCES[e.source] ?? e.source}, <${Time} at=${e.time} />${" "}
				(${exact(e.time)} ${zone(new Date(e.time))})</span></p>
			<span class="dim mono break">${e.id}</span></div>
		<div class="grid two">
			<div class="stack">
				<${Card} title="Why"><${Trace} e=${e} /><//>
				<${Received} e=${e} />
			</div>
			<div class="stack">
				${(proposed.length > 0 || e.source === "rule")
					&& html`<${Accept} event=${e} proposed=${proposed} other=${other} />`}
				<${Card} title="Client"><${Facts} of=${client(e)} /><//>
				<${Card} title="Answer"><${Facts} of=${answer(e)} /><//>
				<${Card} title="Others like it"><p>${e.similar > 1
					? html`<a href=${similar(e, other)}>
						${count(e.similar, "event")}</a> of the same rule, app and path in the
							last 7 days.`
					: "The only one of this rule, app and path in the last 7 days."}</p><//>
				<${Card} title="As text" side=${html`<${Copy} text=${e.explain} />`}><details>
					<summary>The same as <code>embergate ctl explain</code> says</summary>
					<${Code} text=${e.explain} copy=${false} /></details><//>
			</div>
		</div>`;
}

/* As useGet(), and `unknown`: nobody has it; the gates that did not say. The list is asked first: of an event that is not there
 * the browser would tell an error. */
function useEvent(path, id, query) {
	const list = useGet(path && "/events", { ...query, id, limit: 1 });
	const has = path && list.data?.items[0]?.id === id;
	const event = useGet(has ? path : null, query);
	const gone = event.error?.status === 404;

	return {
		data: event.data,
		error: list.error ?? (gone ? null : event.error),
		unknown: (path && list.data && !has) || gone ? list.data.silent ?? [] : null,
		reload: list.error ? list.reload : event.reload,
	};
}

export default function Event({ params }) {
	const { node } = route.value.query; /* another gate, which alone has it */
	const path = `/events/${encodeURIComponent(params.id)}`;
	const gates = useGates();
	const here = useEvent(node ? null : path, params.id);
	const is_away = node || (here.unknown && gates.others.length > 0);
	const away = useEvent(is_away ? path : null, params.id, { nodes: "all" });
	const { data, error, unknown, reload } = is_away ? away : here;

	if (unknown)
		return html`<${Head} title="Event" /><${Card}>
			<${Empty} icon="search" title=${`No event is known by ${params.id}`}>
				<p>It may be older than what is kept, or nothing was held against that request.</p>
				${unknown.length > 0 && html`<p>${unknown.join(", ")} did not answer in time.</p>`}
				<p><a href=${link("/events", { id: params.id })}>Look for ids that begin so</a></p><//><//>`;
	if (error)
		return html`<${Head} title="Event" /><${Problem} error=${error} retry=${reload} />`;
	return data ? html`<${Detail} e=${data} other=${is_away && data.node !== gates.self && data.node} />`
		: html`<${Head} title="Event" /><${Card}><${Skeleton} lines=${8} /><//>`;
}
