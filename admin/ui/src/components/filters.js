/* Filters live in the address, so a filtered view is a link. */
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { requery, route } from "../router.js";
import { useRest } from "../use.js";
import { Icon } from "./icons.js";

function TextFilter({ name, label, placeholder, size = 12, main }) {
	const there = route.value.query[name] ?? "";
	const [typed, set] = useState(there);
	const rested = useRest(typed.trim());

	useEffect(() => {
		if (rested !== (route.value.query[name] ?? ""))
			requery({ [name]: rested });
	}, [rested]);
	useEffect(() => set((t) => (t.trim() === there ? t : there)), [there]);
	return html`<label class="filter ${main ? "main" : ""}"><span>${label}</span>
		<input type="search" size=${size} value=${typed} placeholder=${placeholder} data-search=${main}
			spellcheck=${false} autocomplete="off" onInput=${(e) => set(e.currentTarget.value)} /></label>`;
}

const ChoiceFilter = ({ name, label, options, any = "all" }) => html`
	<label class="filter"><span>${label}</span>
		<select value=${route.value.query[name] ?? ""}
			onChange=${(e) => requery({ [name]: e.currentTarget.value })}>
			<option value="">${any}</option>
			${options.map((o) => {
				const [value, text] = Array.isArray(o) ? o : [o, o];

				return html`<option key=${value} value=${value}
					selected=${value === route.value.query[name]}>${text}</option>`;
			})}
		</select></label>`;

/* fields: [{name, label, options?: [text or [value, text]], placeholder?, size?, main?: "/" leads here,
 * rare?: not shown before it is asked for}]. */
export function Filters({ fields, children }) {
	const [all, setAll] = useState(false);
	const set = fields.filter((f) => route.value.query[f.name]);
	const shown = fields.filter((f) => all || !f.rare || set.includes(f));
	const clear = () => requery(Object.fromEntries(fields.map((f) => [f.name, undefined])));

	return html`<form class="filters" role="search" aria-label="Filters" onSubmit=${(e) => e.preventDefault()}>
		${shown.map((f) => html`<${f.options ? ChoiceFilter : TextFilter} key=${f.name} ...${f} />`)}
		${shown.length < fields.length
			&& html`<button type="button" class="quiet" onClick=${() => setAll(true)}>
			<${Icon} name="plus" /> More filters</button>`}
		${set.length > 0 && html`<button type="button" class="quiet" onClick=${clear}>
			<${Icon} name="close" /> Clear</button>`}
		${children}
	</form>`;
}

/* The part of the address's query that `fields` name. */
export const filtered = (fields) =>
	Object.fromEntries(fields.map((f) => [f.name, route.value.query[f.name]]).filter(([, value]) => value));
