/* Who is held to be what, by whom, and for how long; and who is never. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { address } from "../api.js";
import { Card, Empty, Head } from "../components/bits.js";
import { AllowDialog, DECISION_COLUMNS, HoldDialog, ImportDialog, REMEDIES, SCOPES, can_decide, disallow, lift } from "../components/decisions.js";
import { Dialog } from "../components/dialog.js";
import { Filters, filtered } from "../components/filters.js";
import { Segments } from "../components/form.js";
import { Icon } from "../components/icons.js";
import { Listing } from "../components/table.js";
import { count } from "../format.js";
import { requery, route } from "../router.js";
import { usePages } from "../use.js";

const FIELDS = [
	{ name: "q", label: "Search", placeholder: "value, reason, origin", main: true },
	{ name: "value", label: "Address", placeholder: "what it would meet", size: 16 },
	{ name: "scope", label: "Scope", options: SCOPES },
	{ name: "remedy", label: "Remedy", options: REMEDIES },
	{ name: "origin", label: "Origin", placeholder: "embergate", size: 12 },
];

const ALLOW_COLUMNS = DECISION_COLUMNS.filter((c) => ["value", "reason", "origin", "made", "until"].includes(c.name));
const row_key = (d) => d.id;

const total = (pages, one) => pages.total !== undefined && html`<span role="status">${count(pages.total, one, one === "entry" ? "entries" : undefined)}</span>`;

const EXPORTS = [["plain", "Addresses, one a line", "txt"], ["csv", "CSV", "csv"], ["json", "JSON", "json"], ["nft", "Set of nftables", "nft"],
	["ipset", "ipset restore", "ipset"], ["haproxy", "Map of HAProxy", "map"], ["nginx", "geo of nginx", "conf"]];

const ExportDialog = ({ close }) => html`<${Dialog} title="Export for other programs" close=${close}>
	<p>All decisions in force, as they are now. <code>embergate ctl decisions export</code> writes the same.</p>
	<ul class="plain-list">${EXPORTS.map(([format, text, end]) => html`
		<li key=${format}><a href=${address("/decisions/export", { format })} download=${`decisions.${end}`}>${text}</a></li>`)}</ul><//>`;

function Held() {
	const filter = filtered(FIELDS);
	const pages = usePages("/decisions", filter);
	const [dialog, set] = useState(null);
	const nodes = new Set(pages.items?.map((d) => d.node)); /* one alone needs no column */
	const shown = DECISION_COLUMNS.filter((c) => c.name !== "node" || nodes.size > 1);
	const doing = { name: "do", cell: (d) => html`<button type="button" aria-label=${`Lift the decision against ${d.value}`} onClick=${() => lift(d, pages.reload)}>Lift</button>
		${d.scope === "Ip" && html` <button type="button" class="quiet" aria-label=${`Allow ${d.value}, whatever it does`} onClick=${() => set({ value: d.value })}>Allow</button>`}` };

	return html`
		<${Filters} fields=${FIELDS} />
		<${Card} title="Decisions in force" flush side=${html`${total(pages, "decision")} <button type="button" onClick=${() => set("export")}>Export</button>
			${can_decide() && html`<button type="button" onClick=${() => set("import")}>Import</button>
				<button type="button" class="primary" onClick=${() => set("hold")}><${Icon} name="plus" />New decision</button>`}`}>
			<${Listing} label="Decisions" pages=${pages} columns=${can_decide() ? [...shown, doing] : shown} row_key=${row_key}
				empty=${Object.keys(filter).length ? html`<${Empty} icon="decisions" title="Nothing is held that fits these filters" />`
					: html`<${Empty} icon="decisions" title="Nothing is held against anybody">
						<p>Scenarios decide by themselves when a client behaves like a scanner or a guesser; lists and other gates bring theirs.</p><//>`} />
			${dialog === "hold" && html`<${HoldDialog} close=${() => set(null)} done=${pages.reload} />`}
			${dialog === "export" && html`<${ExportDialog} close=${() => set(null)} />`}
			${dialog === "import" && html`<${ImportDialog} close=${() => set(null)} done=${pages.reload} />`}
			${dialog?.value && html`<${AllowDialog} value=${dialog.value} close=${() => set(null)} done=${pages.reload} />`}<//>`;
}

function Allowed() {
	const pages = usePages("/allow");
	const [adding, set] = useState(false);
	const doing = { name: "do", cell: (d) => html`<button type="button" aria-label=${`Remove ${d.value}`} onClick=${() => disallow(d, pages.reload)}>Remove</button>` };

	return html`<${Card} title="Never held against" flush side=${html`${total(pages, "entry")}
			${can_decide() && html`<button type="button" class="primary" onClick=${() => set(true)}><${Icon} name="plus" />Allow</button>`}`}>
		<${Listing} label="Allowed" pages=${pages} columns=${can_decide() ? [...ALLOW_COLUMNS, doing] : ALLOW_COLUMNS} row_key=${row_key}
			empty=${html`<${Empty} icon="check" title="Everybody is judged"><p>Put your own monitoring, offices and partners here, if scenarios hold them.</p><//>`} />
		${adding && html`<${AllowDialog} close=${() => set(false)} done=${pages.reload} />`}<//>`;
}

export default function Decisions() {
	const { show = "held" } = route.value.query;

	return html`<${Head} title="Decisions">
			<${Segments} label="Which" value=${show} options=${[["held", "Held"], ["allowed", "Allowed"]]}
				on=${(s) => requery({ show: s === "held" ? "" : s })} /><//>
		${show === "allowed" ? html`<${Allowed} />` : html`<${Held} />`}`;
}
