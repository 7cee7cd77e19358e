/* The test box: a request made up, asked of an app's rules, and of one more that is being written. Nothing is sent anywhere. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { post } from "../api.js";
import { count } from "../format.js";
import { link } from "../router.js";
import { useAction } from "../use.js";
import { Action, Card, Note, Problem } from "./bits.js";
import { Area, Choice, Field, Text } from "./form.js";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const EXAMPLE = "/?q=<script>alert(1)</script>";

/* "Name: value" a line, as they stand in a request. */
export const headers_of = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
	const at = line.indexOf(":");

	return at < 0 ? { name: line, value: "" } : { name: line.slice(0, at).trim(), value: line.slice(at + 1).trim() };
});

const Hit = ({ h }) => html`<li class="hit"><div class="hit-head"><a class="mono" href=${link("/rules", { q: h.rule })}>${h.rule}</a>
	${h.category && html`<span class="tag">${h.category}</span>`}<span class="grow"></span><b class="num">${h.score ? `+${h.score}` : "no score"}</b></div>
	<p>${h.message}</p><div class="hit-where"><span class="mono">${h.variable}</span> <code class="snippet">${h.snippet || " "}</code></div></li>`;

const Outcome = ({ r }) => html`<div class="stack" role="status">
	${r.errors.length > 0 && html`<${Note} tone="bad"><ul>${r.errors.map((t) => html`<li key=${t} class="mono break">${t}</li>`)}</ul><//>`}
	${r.action && html`<p class="row"><${Action} action=${r.action} would=${r.would} /> <span>${r.reason
		|| (r.hits.length ? count(r.hits.length, "rule matches", "rules match") : "No rule matches.")}</span>
		${r.threshold > 0 && html`<span class="dim">score ${r.score} of ${r.threshold}</span>`}</p>`}
	${r.hits.length > 0 && html`<ul class="hits">${r.hits.map((h, i) => html`<${Hit} key=${i} h=${h} />`)}</ul>`}</div>`;

export function RuleTest({ apps }) {
	const [form, set] = useState({ app: apps[0], method: "GET", target: EXAMPLE, headers: "User-Agent: Mozilla/5.0", body: "", rule: "" });
	const [result, setResult] = useState(null);
	const put = (key) => (v) => set({ ...form, [key]: v });
	const [run, { busy, error }] = useAction(async () => setResult(await post("/rules/test", {
		...form, headers: headers_of(form.headers), body: form.body || undefined, rule: form.rule || undefined,
	})));

	return html`<${Card} title="Try a request" side="Nothing is sent to the app.">
		<form class="stack" onSubmit=${(e) => { e.preventDefault(); run(); }}>
			<div class="form"><${Field} label="App"><${Choice} value=${form.app} options=${apps} on=${put("app")} /><//>
				<${Field} label="Method"><${Choice} value=${form.method} options=${METHODS} on=${put("method")} /><//>
				<${Field} label="Path and query" wide><${Text} class="mono" value=${form.target} on=${put("target")} required /><//></div>
			<div class="form"><${Field} label="Headers" hint="One a line."><${Area} class="mono" rows=${4} value=${form.headers} on=${put("headers")} /><//>
				<${Field} label="Body"><${Area} class="mono" rows=${4} value=${form.body} on=${put("body")} /><//></div>
			<${Field} label="With this rule beside the app's" hint="SecLang, or YAML as in a pack; tried here only, nothing is saved.">
				<${Area} class="mono" rows=${6} value=${form.rule} on=${put("rule")}
					placeholder=${'SecRule ARGS "@contains ember" "id:100001,phase:2,deny,msg:\'An example\'"'} /><//>
			<div class="row"><button class="primary" disabled=${busy}>${busy ? "Trying" : "Try it"}</button></div>
			<${Problem} error=${error} />
		</form>
		${result && html`<${Outcome} r=${result} />`}<//>`;
}
