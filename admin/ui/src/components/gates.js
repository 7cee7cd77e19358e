/* Where several gates share a Redis, figures and events may be of all of them. */
import { html } from "htm/preact";
import { requery, route } from "../router.js";
import { useGet } from "../use.js";
import { Note } from "./bits.js";
import { Segments } from "./form.js";

/* {self, others, nodes}: the names, and "all" where the address asks for all. */
export function useGates() {
	const { data } = useGet("/nodes", undefined, { every: 30000 });
	const others = data?.items.filter((n) => !n.self).map((n) => n.name) ?? [];

	const all = others.length > 0 && route.value.query.nodes === "all";

	return { self: data?.self, others, nodes: all ? "all" : undefined };
}

export const GatesChoice = ({ gates }) => gates.others.length > 0 && html`
	<${Segments} label="Gates" value=${gates.nodes ?? ""} options=${[["", "This gate"], ["all", "All gates"]]}
		on=${(nodes) => requery({ nodes })} />`;

export const Silent = ({ names, time = "half a second" }) => names?.length > 0 && html`
	<${Note} tone="warn">Without ${names.join(", ")}: no answer came within ${time}.<//>`;
