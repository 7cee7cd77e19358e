/* The gates of this installation: the same program, the same configuration, and what they tell each other. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { may } from "../api.js";
import { Card, Empty, Facts, Head, Note, Pill, Problem, Skeleton, Time } from "../components/bits.js";
import { ChangeDialog } from "../components/change.js";
import { Table } from "../components/table.js";
import { number } from "../format.js";
import { useGet } from "../use.js";

const milliseconds = (n) => `${number(n)} ms`;

/* Of its file for changes; of a gate that does not say, nothing. */
const overrides_of = (overrides, n, take) => {
	const told = overrides?.find((g) => g.node === n.name);

	return told && html`<code>${told.overrides.slice(0, 12)}</code>${told.differs && html` <${Pill} tone="warn">differs<//>
		${take && html` <button type="button" aria-label=${`Take over from ${n.name}`} onClick=${() => take(n.name)}>Take over</button>`}`}`;
};

const columns = (self, overrides, take) => [
	{ name: "name", head: "Node", cell: (n) => html`<b>${n.name}</b> ${n.self && html`<${Pill} tone="info">this one<//>`}` },
	{ name: "up", head: "State", cell: (n) => html`<${Pill} tone=${n.up ? "good" : "bad"}>${n.up ? "up" : "silent"}<//>` },
	{ name: "version", head: "Version", cell: (n) => (self && n.version !== self.version ? html`<b class="warn">${n.version}</b>` : n.version) },
	{ name: "config", head: "Configuration", cell: (n) => html`<code>${n.config_hash.slice(0, 12)}</code>
		${self && n.config_hash !== self.config_hash && html` <${Pill} tone="warn">differs<//>`}` },
	{ name: "overrides", head: "Changes", cell: (n) => overrides_of(overrides, n, take) },
	{ name: "lag", head: "Behind", num: true, cell: (n) => milliseconds(n.lag_ms) },
	{ name: "skew", head: "Clock", num: true, wide: true, cell: (n) => (n.skew_ms === undefined ? "" : milliseconds(n.skew_ms)) },
	{ name: "seen", head: "Heard of", cell: (n) => html`<${Time} at=${n.seen} />` },
];

const STATES = { following: ["good", "following"], joining: ["warn", "joining"], away: ["bad", "away"] };

const redis_facts = (r) => [
	["State", html`<${Pill} tone=${STATES[r.state]?.[0]}>${STATES[r.state]?.[1] ?? r.state}<//>`],
	["Writes the snapshots", r.leading === undefined ? null : r.leading ? "this gate" : "another gate"],
	["Sent", r.sent !== undefined && number(r.sent)],
	["Taken in", r.applied !== undefined && number(r.applied)],
	["Waiting", r.queued !== undefined && number(r.queued)],
	["Not fitted", r.dropped ? number(r.dropped) : null],
	["Refused records", r.errors ? html`<b class="bad">${number(r.errors)}</b>` : null],
	["Clocks too far ahead", r.ahead ? html`<b class="bad">${number(r.ahead)}</b>` : null],
];

function Notes({ d, self }) {
	const other = d.items.filter((n) => n.up && self && n.config_hash !== self.config_hash).map((n) => n.name);

	return html`
		${d.silent.length > 0 && html`<${Note} tone="bad"><p>Not heard of for 15 seconds: <b>${d.silent.join(", ")}</b>. What they decided since is not known here.</p><//>`}
		${other.length > 0 && html`<${Note} tone="warn"><p>Another configuration than here: <b>${other.join(", ")}</b>.</p><//>`}
		${d.redis && !d.redis.up && html`<${Note} tone="bad"><p>Redis cannot be reached. Each gate decides by itself; all is told when it is back.</p><//>`}`;
}

function Shown({ d, overrides, take }) {
	const self = d.items.find((n) => n.self);

	if (!d.redis)
		return html`<${Card}><${Empty} icon="cluster" title="This gate is alone">
			<p>Gates that name the same Redis under <code>redis: {url: ...}</code> share decisions, counts and passes.</p><//><//>`;
	return html`<${Notes} d=${d} self=${self} />
		<div class="grid two"><${Card} title="Nodes" flush><${Table} label="Nodes" columns=${columns(self, overrides, take)} rows=${d.items} row_key=${(n) => n.name} /><//>
			<${Card} title="Redis"><${Facts} of=${redis_facts(d.redis)} /><//></div>`;
}

export default function Cluster() {
	const { data, error, reload } = useGet("/nodes", undefined, { every: 5000 });
	const [from, setFrom] = useState(null);
	const notices = useGet(data?.redis ? "/notices" : null, { nodes: "all" }, { every: 15000 });

	return html`<${Head} title="Cluster" />
		<${Problem} error=${error} retry=${reload} />
		${data ? html`<${Shown} d=${data} overrides=${notices.data?.gates}
			take=${may("administrator") && notices.data?.cluster_writes && setFrom} />` : !error && html`<${Skeleton} lines=${5} />`}
		${from && html`<${ChangeDialog} title=${`The changes of ${from} in place of those of this gate`}
			change=${{ method: "POST", path: "/config/take", body: { from } }} done=${notices.reload} close=${() => setFrom(null)} />`}`;
}
