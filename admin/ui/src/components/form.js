/* Form fields: each has a label, a hint that is read with it, and its error beside it. */
import { html } from "htm/preact";
import { useId } from "preact/hooks";

export function Field({ label, hint, error, children, wide }) {
	return html`<div class="field ${wide ? "field-wide" : ""} ${error ? "has-error" : ""}">
		<label><span class="field-label">${label}</span>${children}</label>
		${error ? html`<p class="field-error" role="alert">${error}</p>` : hint
			&& html`<p class="field-hint">${hint}</p>`}
	</div>`;
}

const taken = (on) => (e) => on(e.currentTarget.value);

export const Text = ({ value, on, type = "text", ...more }) => html`
	<input type=${type} value=${value ?? ""} onInput=${taken(on)} spellcheck=${false} autocomplete="off"
		...${more} />`;

export const Area = ({ value, on, rows = 4, ...more }) => html`
	<textarea rows=${rows} value=${value ?? ""} onInput=${taken(on)} spellcheck=${false} ...${more}></textarea>`;

/* options: text, or [value, text]. */
export const Choice = ({ value, on, options, ...more }) => html`
	<select value=${value} onChange=${taken(on)} ...${more}>
		${options.map((o) => {
			const [v, text] = Array.isArray(o) ? o : [o, o];

			return html`<option key=${v} value=${v} selected=${v === value}>${text}</option>`;
		})}
	</select>`;

export const Switch = ({ label, on, value, disabled }) => html`
	<label class="switch"><input type="checkbox" role="switch" checked=${value} disabled=${disabled}
		onChange=${(e) => on(e.currentTarget.checked)} /><span class="switch-track" aria-hidden="true"></span>
		<span>${label}</span></label>`;

/* A few exclusive choices side by side; the browser's own radio keys. */
export function Segments({ label, value, options, on, disabled }) {
	const name = useId();

	return html`<fieldset class="segments" disabled=${disabled}><legend class="unseen">${label}</legend>
		${options.map((o) => {
			const [v, text] = Array.isArray(o) ? o : [o, o];

			return html`<label key=${v}><input type="radio" name=${name} value=${v} checked=${v === value}
				onChange=${() => on(v)} /><span>${text}</span></label>`;
		})}</fieldset>`;
}

/* "a, b c" as ["a", "b", "c"], and back. */
export const words_of = (text) => text.split(/[\s,]+/).filter(Boolean);
