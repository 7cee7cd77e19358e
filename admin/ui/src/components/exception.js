/* The form of an exception: as narrow as it was proposed, and editable. */
import { html } from "htm/preact";
import { Field, Text, words_of } from "./form.js";

const Words = ({ label, hint, value, on }) => html`<${Field} label=${label} hint=${hint}>
	<${Text} value=${(value ?? []).join(" ")} on=${(t) => on(words_of(t))} /><//>`;

const DAY = 86400000;
export const ENDS = [["", "for ever"], ["30", "for 30 days"], ["90", "for 90 days"], ["365", "for a year"]];
export const end_of = (days) => (days ? new Date(Date.now() + Number(days) * DAY).toISOString() : undefined);

/* value: as POST /exceptions takes it, `days` in place of `until`. */
export function ExceptionForm({ value, on }) {
	const put = (key) => (v) => on({ ...value, [key]: v });

	return html`<div class="form">
		<${Field} label="Path" hint="* stands for anything between two slashes, ** for anything." wide>
			<${Text} class="mono" value=${value.path} on=${put("path")} required /><//>
		<${Words} label="Rules" hint="Their ids." value=${value.rules} on=${put("rules")} />
		<${Words} label="Arguments" hint="Of the query or a form; none: all." value=${value.args}
			on=${put("args")} />
		<${Words} label="Cookies" value=${value.cookies} on=${put("cookies")} />
		<${Words} label="Headers" value=${value.headers} on=${put("headers")} />
		<${Words} label="Methods" hint="None: every method." value=${value.methods} on=${put("methods")} />
		<${Field} label="Holds"><select value=${value.days ?? ""}
			onChange=${(e) => put("days")(e.currentTarget.value)}>
			${ENDS.map(([v, text]) =>
				html`<option key=${v} value=${v} selected=${v === (value.days ?? "")}>
				${text}</option>`)}</select><//>
		<${Field} label="Reason" hint="For whoever reads it in a year." wide>
			<${Text} value=${value.reason} on=${put("reason")} required /><//>
	</div>`;
}
