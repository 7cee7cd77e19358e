/* Who is told what happens: webhooks and syslog, how that goes, a test of it, and one more. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { get, may, post, session } from "../api.js";
import { usePending } from "../changes.js";
import { Card, Empty, Head, Note, Pill, Time } from "../components/bits.js";
import { ChangeDialog } from "../components/change.js";
import { Dialog } from "../components/dialog.js";
import { Switch, Choice, Field, Text } from "../components/form.js";
import { Icon } from "../components/icons.js";
import { Listing } from "../components/table.js";
import { bytes, count, number, span } from "../format.js";
import { link } from "../router.js";
import { with_receiver } from "../receiver.js";
import { useAction, useGet } from "../use.js";

const STATES = { good: ["good", "good"], failing: ["bad", "failing"], untried: ["", "nothing told yet"] };
const EVENTS = [["attack", "a request was denied"], ["decision", "somebody is held"], ["reload", "a configuration was taken or refused"],
	["upstream", "a server is left out or back"], ["cert", "a certificate ends soon"], ["cti", "a list could not be had"]];
const EVERY = [["10s", "ten seconds"], ["1m", "a minute"], ["10m", "ten minutes"], ["1h", "an hour"]];

const place = ({ file, line }) => `${file.split("/").pop()}${line ? `, line ${line}` : ""}`;
const waiting = (o) => (o.kind === "syslog" ? bytes(o.waiting) : number(o.waiting));

const State = ({ o }) => html`<${Pill} tone=${STATES[o.state][0]}>${STATES[o.state][1]}<//>
	${o.why && html`<div class="dim break">${o.state === "failing" ? "" : "before: "}${o.why}</div>`}
	${o.next && html`<div class="dim">again <${Time} at=${o.next} /></div>`}`;

const COLUMNS = [
	{ name: "to", head: "Receiver", cell: (o) => html`<b class="break mono">${o.to}</b><div class="dim">
		${o.kind}${o.signed ? ", signed" : ""}, ${place(o.where)}</div>` },
	{ name: "events", head: "Is told of", cell: (o) => html`${o.events.map((e) => html`<span class="tag" key=${e}>${e}</span> `)}
		${o.every_s && html`<div class="dim">every ${span(o.every_s)}${o.min > 1 ? `, from ${o.min} attacks on` : ""}${o.full ? ", in full" : ""}</div>`}` },
	{ name: "state", head: "State", cell: (o) => html`<${State} o=${o} />` },
	{ name: "taken", head: "Last success", cell: (o) => html`<${Time} at=${o.taken_at} />${o.taken > 0 && html`<div class="dim">${count(o.taken, "message")}</div>`}` },
	{ name: "failed", head: "Last failure", cell: (o) => html`<${Time} at=${o.failed_at} />${o.failures > 0 && html`<div class="dim">${count(o.failures, "try", "tries")}</div>`}` },
	{ name: "waiting", head: "Waiting", num: true, cell: (o) => html`${waiting(o)}${o.dropped > 0 && html`<div class="bad">${count(o.dropped, "line")} lost</div>`}` },
];

/* What a test came to stays to be read. */
function TestDialog({ o, close }) {
	const [result, set] = useState(null);
	const [run, { busy, error }] = useAction(async () => set(await post(`/notify/${o.id}/test`)));

	return html`<${Dialog} title=${`Send a test to ${o.to}`} close=${close} actions=${html`
			<button type="button" onClick=${close}>${result ? "Done" : "Cancel"}</button>
			<button type="button" class="primary" disabled=${busy} onClick=${run}>${busy ? "Sending" : result ? "Send another" : "Send it"}</button>`}>
		<p>One message, of a happening of the kind <code>test</code>. It waits for nothing, and what waits does not wait for it.</p>
		${error && html`<${Note} tone="bad">${error.message}<//>`}
		${result && html`<div role="status"><${Note} tone=${result.taken ? "good" : "bad"}>${result.taken ? "" : "Not taken: "}${result.text}<//></div>`}<//>`;
}

const FORM = { url: "", events: [], every: "1m", min: "1", secret: "", full: false };

function AddDialog({ close, propose }) {
	const [form, set] = useState(FORM);
	const put = (key) => (v) => set({ ...form, [key]: v });
	const tell = (word) => (on) => set({ ...form, events: on ? [...form.events, word] : form.events.filter((e) => e !== word) });
	const [run, { busy, error }] = useAction(async () => propose(with_receiver((await get("/config")).overrides, form)));

	return html`<${Dialog} title="One more receiver" wide close=${close} actions=${html`<button type="button" onClick=${close}>Cancel</button>
			<button class="primary" form="receiver" disabled=${busy}>Show the change</button>`}>
		<form id="receiver" class="stack" onSubmit=${(e) => { e.preventDefault(); run(); }}>
			${error && html`<${Note} tone="bad">${error.message}<//>`}
			<${Field} label="URL" hint="A POST of JSON goes there." wide><${Text} class="mono" type="url" value=${form.url} on=${put("url")} required
				placeholder="https://hooks.example/embergate" /><//>
			<fieldset class="stack"><legend>Is told of (none: of all)</legend>
				${EVENTS.map(([word, text]) => html`<${Switch} key=${word} label=${`${word}: ${text}`} value=${form.events.includes(word)} on=${tell(word)} />`)}</fieldset>
			<div class="form">
				<${Field} label="One message in"><${Choice} value=${form.every} on=${put("every")} options=${EVERY} /><//>
				<${Field} label="Attacks, fewer are not told"><${Text} type="number" min="1" value=${form.min} on=${put("min")} /><//></div>
			<${Field} label="Secret that signs messages" hint="Where it is, never the secret itself: file:/etc/embergate/webhook.secret or env:NAME.">
				<${Text} class="mono" value=${form.secret} on=${put("secret")} pattern="(file|env):.+" /><//>
			<${Switch} label="Tell the app, the path and the id of attacks too" value=${form.full} on=${put("full")} />
		</form><//>`;
}

export default function Notifications() {
	const outlets = useGet("/notify", undefined, { every: 10000 });
	const [testing, setTesting] = useState(null);
	const [adding, setAdding] = useState(false);
	const [change, setChange] = useState(null);
	const edits = may("administrator") && session.value?.writes;
	const doing = { name: "do", cell: (o) => html`<button type="button" aria-label=${`Send a test to ${o.to}`} onClick=${() => setTesting(o)}>Test</button>` };

	usePending(outlets.reload);
	return html`<${Head} title="Notifications" about="Who is told what happens here, beside whoever looks at this page.">
			${edits && html`<button type="button" class="primary" onClick=${() => setAdding(true)}><${Icon} name="plus" />New receiver</button>`}<//>
		<${Card} title="Receivers" flush><${Listing} label="Receivers" pages=${outlets} columns=${may("administrator") ? [...COLUMNS, doing] : COLUMNS} row_key=${(o) => o.id}
			empty=${html`<${Empty} icon="bell" title="Nobody is told"><p>Name a webhook under <code>notify</code> of the configuration, or a receiver under <code>log: {syslog: ...}</code>.</p><//>`} /><//>
		<p class="dim">What was added here is in <a href=${link("/config")}>the changes made here</a>, where it can be changed and taken out;
			the rest is in your own files.</p>
		${testing && html`<${TestDialog} o=${testing} close=${() => { setTesting(null); outlets.reload(); }} />`}
		${adding && html`<${AddDialog} close=${() => setAdding(false)}
			propose=${(text) => { setAdding(false); setChange({ method: "PUT", path: "/config/overrides", body: { text } }); }} />`}
		${change && html`<${ChangeDialog} title="Tell one more" change=${change} close=${() => setChange(null)} done=${outlets.reload} />`}`;
}
