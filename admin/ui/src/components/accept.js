/* "If this was legitimate": what is proposed, tried on this very request, and written. */
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { may, post, session } from "../api.js";
import { exception_body, exception_words, exception_yaml } from "../exceptions.js";
import { count, number } from "../format.js";
import { useAction, useRest } from "../use.js";
import { Action, Card, Note, Problem } from "./bits.js";
import { ChangeDialog } from "./change.js";
import { Code } from "./code.js";
import { Dialog } from "./dialog.js";
import { ExceptionForm, end_of } from "./exception.js";

const calm = (action) => action === "allow" || action === "log";

/* For a replay: exceptions without app, reason and end. */
const bare = (e) => Object.fromEntries(Object.entries(exception_body(undefined, e)).filter(([k]) =>
	!["days", "until", "reason"].includes(k)));

const Outcome = ({ is }) =>
	html`<${Action} action=${is.action} /> <span
	class="dim">score ${is.score}, ${count(is.rules.length, "rule")}</span>`;

/* What the events of the last days say of an exception: whom it would have let through, and who of them is suspect. */
function Impact({ app, exception }) {
	const asked = useRest(JSON.stringify(bare(exception)), 400);
	const [told, set] = useState(null);

	useEffect(() => {
		let old = false;

		set(null);
		post("/exceptions/impact", { app, exception: JSON.parse(asked) }).then((t) => old || set(t),
			(error) => old || set({ error }));
		return () => (old = true);
	}, [app, asked]);
	if (!told)
		return html`<p class="dim" role="status">Looking at the events of the last 7 days</p>`;
	if (told.error)
		return html`<${Note} tone="warn">${told.error.message}<//>`;
	const { would_unblock: through, would_open: suspect } = told;

	if (!through.events)
		return html`<${Note} tone="info">Of the last 7 days it would have let nothing through: other rules
			matched, too, or
			nothing like it came.<//>`;
	const requests = count(through.events, "request"), clients = count(through.clients, "client");
	const whom = suspect.events
		? html`<b>${number(suspect.events)}</b> of them from clients with other marks against them.`
		: "none of these has another mark against it.";

	return html`<${Note} tone=${suspect.events ? "warn" : "good"}>
		<p>In the last 7 days it would have let through <b>${requests}</b> of <b>${clients}</b>; ${whom}
			${told.more && html`<span> Only the newest 1,000 events were looked at.</span>`}</p><//>`;
}

/* What the present configuration would do with the request. */
export function Replayed({ result, with_exceptions }) {
	const now = result.now;

	return html`<div class="replayed" role="status"><dl class="facts">
			<div><dt>Then</dt><dd><${Outcome} is=${result.was} /></dd></div>
			<div><dt>${with_exceptions ? "With this" : "Now"}</dt><dd>
				<${Outcome} is=${now} /></dd></div></dl>
		${with_exceptions && (calm(now.action)
			? html`<${Note} tone="good">It would pass. Rules that still match: ${now.rules.join(", ")
				|| "none"}.<//>`
			: html`<${Note} tone="warn">It would still be held: ${now.rules.join(", ")} match
				elsewhere.<//>`)}
		${!result.exact
			&& html`<p class="dim">Secrets of the request were redacted, so this is an estimate.</p>`}
		${result.notes.map((n) => html`<p key=${n} class="dim">${n}</p>`)}</div>`;
}

/* Writing an exception: edit, then the diff. value: as ExceptionForm takes it. */
export function ExceptionDialog({ app, value, close, done }) {
	const [form, set] = useState({ reason: "", days: "90", ...value });
	const [change, setChange] = useState(null);
	const next = (e) => {
		const { days, ...rest } = form;

		e.preventDefault();
		setChange({ method: "POST", path: "/exceptions",
			body: exception_body(app, { ...rest, until: end_of(days) }) });
	};

	if (change)
		return html`<${ChangeDialog} title="Write the exception" change=${change} safe close=${close}
			done=${done}
			about=${html`<p>In ${app}, ${exception_words(form)}.</p>`} />`;
	return html`<${Dialog} title=${`Exception for ${app}`} wide close=${close} actions=${html`
			<button type="button" onClick=${close}>Cancel</button>
				<button class="primary" form="exception">Show the change</button>`}>
		<form id="exception" onSubmit=${next}><${ExceptionForm} value=${form} on=${set} /></form>
		<${Code} text=${exception_yaml(form)} label="As it will stand" copy=${false} />
		<${Impact} app=${app} exception=${form} /><//>`;
}

const Choice = ({ e, on, toggle }) =>
	html`<li><label class="choice"><input type="checkbox" checked=${on} onChange=${toggle} />
	<span><code>${exception_yaml(e)}</code><span class="dim">${exception_words(e)}</span></span></label></li>`;

/* other: the gate that keeps the event, and the request with it, where that is not this one. */
export function Accept({ event, proposed, other }) {
	const [off, setOff] = useState(new Set());
	const [writing, setWriting] = useState(null);
	const [written, setWritten] = useState(0);
	const [result, setResult] = useState(null);
	const chosen = proposed.filter((_, i) => !off.has(i));
	const [replay, { busy, error }] = useAction(async (exceptions) =>
		setResult({ ...(await post(`/events/${event.id}/replay`, exceptions.length
			? { exceptions: exceptions.map(bare) } : {})), tried: exceptions.length > 0 }));
	const toggle = (i) => {
		const next = new Set(off);

		if (!next.delete(i))
			next.add(i);
		setOff(next);
		setResult(null);
	};
	const begin = () => setWriting(chosen.slice());
	const allowed = may("operator");

	return html`<${Card} title="If this was legitimate">
		${proposed.length > 0 ? html`<p class="dim">The smallest exceptions for what matched:</p>
			<ul class="choices">${proposed.map((e, i) =>
				html`<${Choice} key=${i} e=${e} on=${!off.has(i)} toggle=${() => toggle(i)} />`)}</ul>`
			: html`<p class="dim">No exception can be made of what matched; the rules looked at the request
				as a whole.</p>`}
		<${Problem} error=${error} />
		${result && html`<${Replayed} result=${result} with_exceptions=${result.tried} />`}
		${result?.tried && chosen.map((e) =>
			html`<${Impact} key=${exception_yaml(e)} app=${event.app} exception=${e} />`)}
		${written > 0 && html`<${Note} tone="good">${count(written, "exception")} written.<//>`}
		${allowed ? html`<div class="row">
			${proposed.length > 0 && html`<button type="button" disabled=${busy || other || !chosen.length}
				onClick=${() => replay(chosen)}>Try with ${chosen.length > 1
				? "these" : "this"}</button>`}
			<button type="button" disabled=${busy || other} onClick=${() => replay([])}>Replay as it is now</button>
			${proposed.length > 0 && html`<button type="button" class="primary"
				disabled=${other || !chosen.length || session.value.writes === false}
				onClick=${begin}>Accept</button>`}</div>`
			: html`<p class="dim">An operator may replay it and accept exceptions.</p>`}
		${other && html`<p class="dim">${other} keeps the request: replay it, and accept exceptions, on the dashboard
			of that gate.</p>`}
		${session.value.writes === false
			&& html`<p class="dim">The configuration may not be written from here; copy the lines into
				it.</p>`}
		${writing?.length > 0 && html`<${ExceptionDialog} key=${writing.length} app=${event.app}
			value=${writing[0]} close=${() => setWriting(null)}
			done=${() => { setWritten((n) => n + 1); setTimeout(() => setWriting(writing.slice(1)),
				0); }} />`}<//>`;
}
