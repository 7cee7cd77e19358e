/* Lists of addresses that others keep: how many, how old, and what is wrong with them. */
import { html } from "htm/preact";
import { may, post } from "../api.js";
import { Card, Empty, Head, Pill, Time } from "../components/bits.js";
import { Remedy } from "../components/decisions.js";
import { Listing } from "../components/table.js";
import { told } from "../components/toast.js";
import { bytes, count, number } from "../format.js";
import { useGet } from "../use.js";

const State = ({ l }) => {
	if (l.error)
		return html`<${Pill} tone="bad">failed<//> <span class="break">${l.error}</span>`;
	return l.updated ? html`<${Pill} tone="good">good<//>` : html`<${Pill} tone="warn">not read yet<//>`;
};

const odd = (l) => [l.skipped && `${count(l.skipped, "line")} without an address`, l.left_out && `${count(l.left_out, "entry", "entries")} left out`]
	.filter(Boolean).join(", ");

const COLUMNS = [
	{ name: "name", head: "List", cell: (l) => html`<b>${l.name}</b><div class="dim mono break">${l.source}</div>` },
	{ name: "remedy", head: "Who is in it is", cell: (l) => html`<${Remedy} d=${l} />` },
	{ name: "entries", head: "Entries", num: true, cell: (l) => html`<span title=${bytes(l.bytes)}>${number(l.entries)}</span>` },
	{ name: "state", head: "State", cell: (l) => html`<${State} l=${l} />${odd(l) && html`<div class="dim">${odd(l)}</div>`}` },
	{ name: "updated", head: "Read", wide: true, cell: (l) => html`<${Time} at=${l.updated} />` },
	{ name: "confirmed", head: "Confirmed", cell: (l) => html`<${Time} at=${l.confirmed} />` },
];

export default function Lists() {
	const lists = useGet("/lists", undefined, { every: 15000 });
	const refresh = async (l) => {
		await told(post(`/lists/${encodeURIComponent(l.name)}/refresh`), `${l.name} is being fetched.`);
		lists.reload();
	};
	const doing = { name: "do", cell: (l) => html`<button type="button" aria-label=${`Fetch now: ${l.name}`} onClick=${() => refresh(l)}>Fetch now</button>` };

	return html`
		<${Head} title="Lists" about="Addresses that others warn of. They count as hearsay, unless the configuration says more." />
		<${Card} title="Lists" flush><${Listing} label="Lists" pages=${lists} columns=${may("operator") ? [...COLUMNS, doing] : COLUMNS} row_key=${(l) => l.name}
			empty=${html`<${Empty} icon="lists" title="No lists"><p>Name some under <code>cti: {lists: [...]}</code> of the configuration: a file or a URL each, plain text, CSV or JSON.</p><//>`} /><//>`;
}
