/* What was held and looks legitimate, put together by rule, app, path and parameter: decide each in a minute. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { may, post, session } from "../api.js";
import { ExceptionDialog, Replayed } from "../components/accept.js";
import { Card, Empty, Head, Pill, Problem, Skeleton, Time } from "../components/bits.js";
import { Code } from "../components/code.js";
import { Filters, filtered } from "../components/filters.js";
import { GatesChoice, Silent, useGates } from "../components/gates.js";
import { told } from "../components/toast.js";
import { exception_body, exception_words, exception_yaml } from "../exceptions.js";
import { count, number, percent } from "../format.js";
import { link } from "../router.js";
import { useAction, useGet } from "../use.js";

const LIKELY = {
	"false positive": ["warn", "looks legitimate"], unclear: ["", "unclear"],
		attack: ["bad", "looks like an attack"],
};
const STATE = { open: "to decide", kept: "kept blocking", accepted: "accepted" };

const FIELDS = (apps) => [
	{ name: "app", label: "App", options: apps },
	{ name: "days", label: "Of the last", any: "7 days", options: [["1", "day"], ["30", "30 days"]] },
	{ name: "state", label: "State", any: "to decide",
		options: [["kept", "kept blocking"], ["accepted", "accepted"], ["all", "all"]] },
];

const Figure = ({ name, value, note, tone = "" }) =>
	html`<div class="figure ${tone}"><span>${name}</span><b class="num">${value}</b>
	<span class="dim">${note}</span></div>`;

/* Who they were: the more of them have shown that they are people, the less it is an attack. */
const Figures = ({ s }) => html`<div class="figures">
	<${Figure} name="Held" value=${number(s.events)} note=${`by ${count(s.clients, "client")}`} />
	<${Figure} name="Solved a challenge" value=${number(s.clients_with_pass)}
		note=${`${percent(s.clients_with_pass, s.clients)} of the clients`} />
	<${Figure} name="Served well otherwise" value=${number(s.clients_with_success)}
		note=${`${percent(s.clients_with_success, s.clients)} of the clients`} />
	<${Figure} name="Would let through" value=${number(s.would_unblock.events)}
		note=${s.would_unblock.events ? `of ${count(s.would_unblock.clients, "client")}`
			: "other rules still hold them"} tone=${s.would_unblock.events ? "good" : ""} />
	<${Figure} name="Suspect among these" value=${number(s.would_open.events)}
		tone=${s.would_open.events ? "bad" : "good"}
		note=${s.would_open.events
			? `of ${count(s.would_open.clients, "client")} with other marks`
			: "no other mark against them"} /></div>`;

/* Of all gates: who has how much of it. An exception is of one gate. */
const Where = ({ s }) => s.nodes && html`<p class="dim">${s.nodes.map((n) =>
	`${n.node}: ${count(n.events, "event")}, ${STATE[n.state]}`).join(" · ")}</p>`;

function Suggestion({ s, self, changed }) {
	const [accepting, setAccepting] = useState(false);
	const [result, setResult] = useState(null);
	const [replay, { busy, error }] = useAction(async () => {
		const { reason, until, ...bare } = exception_body(undefined, s.exception);

		setResult(await post(`/events/${s.sample}/replay`, { exceptions: [bare] }));
	});
	const decide = async (verdict) => {
		await told(post(`/suggestions/${s.id}`, { verdict }), verdict === "keep"
			? "It stays blocked; this is not suggested again." : "It is to be decided again.");
		changed();
	};
	const [tone, text] = LIKELY[s.likely] ?? ["", s.likely];
	const other = s.sample_node !== self ? s.sample_node : undefined;

	return html`<article class="card suggestion" aria-labelledby=${`s-${s.id}`}>
		<header class="card-head"><div><h2 id=${`s-${s.id}`}>${s.message}</h2>
			<p class="dim break"><a href=${link("/rules", { q: s.rule })} class="mono">
				${s.rule}</a> at <span class="mono">${s.path}</span>${
				s.parameter && html`, in <span class="mono">${s.parameter}</span>`} of <a
					href=${link(`/apps/${s.app}`)}>${s.app}</a></p></div>
			<div class="card-side"><${Pill} tone=${tone}>${text}<//>
				${s.state !== "open" && html`<${Pill}>${STATE[s.state]}<//>`}</div></header>
		<${Figures} s=${s} /><${Where} s=${s} />
		<div><p>Smallest exception: ${exception_words(s.exception)}.</p></div>
		<${Code} text=${exception_yaml(s.exception)} label="Suggested exception" />
		<${Problem} error=${error} />
		${result && html`<${Replayed} result=${result} with_exceptions />`}
		<footer class="row">
			<p class="dim">First <${Time} at=${s.first} />, last <${Time} at=${s.last} />: <a
				href=${link(`/events/${s.sample}`, { node: other })}>one of them</a>, <a
				href=${link("/events", { rule: s.rule, app: s.app,
					from: "7d", nodes: s.nodes && "all" })}>all of the rule</a></p><span class="grow"></span>
			${may("operator") && html`<button type="button" disabled=${busy || Boolean(other)}
				title=${other && `${other} keeps the event: it is tried there`} onClick=${() => replay()}>Try it</button>
				${s.state === "open" && html`<button type="button"
					onClick=${() => decide("keep")}>Keep blocking</button>`}
				${s.state === "kept" && html`<button type="button"
					onClick=${() => decide("open")}>Decide again</button>`}
				${s.state !== "accepted" && html`<button type="button"
					class=${s.likely === "attack" ? "" : "primary"}
					disabled=${session.value.writes === false}
					onClick=${() => setAccepting(true)}>Accept or edit</button>`}`}
		</footer>
		${accepting && html`<${ExceptionDialog} app=${s.app}
			value=${{ ...s.exception, reason: s.exception.reason || "" }}
			close=${() => setAccepting(false)} done=${changed} />`}</article>`;
}

const SHOWN = 12; /* at first: what is to be decided in one sitting */

const ABOUT = "What was held, or would be, and looks like ordinary use. Accept writes the smallest exception; " +
	"the rule goes on everywhere else.";

const order = { "false positive": 0, unclear: 1, attack: 2 };

export default function FalsePositives() {
	const status = useGet("/status");
	const fields = FIELDS(status.data?.apps.map((a) => a.name) ?? []);
	const { app, days = "7", state = "open" } = filtered(fields);
	const gates = useGates();
	const { data, error, reload } = useGet("/suggestions", { days, app, nodes: gates.nodes });
	const items = data?.items.filter((s) => state === "all" || s.state === state)
		.sort((a, b) => order[a.likely] - order[b.likely] || b.clients - a.clients);
	const [all, setAll] = useState(false);
	/* what looks like an attack is a click away: it is not what is to be decided in minutes */
	const first = items?.filter((s) => s.likely !== "attack" || state !== "open").slice(0, SHOWN);
	const shown = all ? items : first;
	const rest = items && items.slice(first.length);
	const detecting = status.data?.apps.filter((a) => a.mode === "detect") ?? [];

	return html`
		<${Head} title="False positives"
			about=${ABOUT}><${GatesChoice} gates=${gates} /><//>
		<${Filters} fields=${fields} />
		<${Silent} names=${data?.silent} time="five seconds" />
		<${Problem} error=${error} retry=${reload} />
		${!data && !error && html`<${Card}><${Skeleton} lines=${8} /><//>`}
		${shown?.map((s) =>
			html`<${Suggestion} key=${s.id} s=${s} self=${gates.self} changed=${reload} />`)}
		${shown?.length === 0 && html`<${Card}>
			<${Empty} icon="check" title=${state === "open"
			? "Nothing to decide" : "Nothing in this state"}>
			${state === "open" && html`<p>No rule held what looks like ordinary use in the
				last ${count(Number(days), "day")}.
				${detecting.length > 0 && html` ${detecting.map((a) =>
					html`<a key=${a.name} href=${link(`/apps/${a.name}`)}>${a.name}</a>`)} only
				${detecting.length > 1 ? "detect"
					: "detects"}: after a day of this, switch to blocking.`}</p>`}<//><//>`}
		${!all && rest?.length > 0 && html`<div class="row"><button type="button" onClick=${() => setAll(true)}>
			Show ${rest.length} ${rest.every((s) => s.likely === "attack")
				? `that ${rest.length > 1 ? "look like attacks" : "looks like an attack"}`
				: "more"}</button></div>`}`;
}
