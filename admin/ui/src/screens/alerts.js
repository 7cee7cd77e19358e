/* What scenarios and agents saw, and what came of it. */
import { html } from "htm/preact";
import { ALERT_COLUMNS } from "../components/alerts.js";
import { Card, Empty, Head } from "../components/bits.js";
import { Filters, filtered } from "../components/filters.js";
import { Listing } from "../components/table.js";
import { usePages } from "../use.js";

const FIELDS = [{ name: "value", label: "Of", placeholder: "address, block or name", main: true }];

export default function Alerts() {
	const filter = filtered(FIELDS);
	const pages = usePages("/alerts", filter);

	return html`
		<${Head} title="Alerts" about="Behaviour over time: a scenario counted too much of it." />
		<${Filters} fields=${FIELDS} />
		<${Card} title="Alerts" flush><${Listing} label="Alerts" pages=${pages} columns=${ALERT_COLUMNS} row_key=${(a) => a.id}
			empty=${html`<${Empty} icon="info" title=${filter.value ? "No alert of that" : "No alert yet"}>
				<p>Scans, guessed passwords and the like appear here, whether they led to a decision or not.</p><//>`} /><//>`;
}
