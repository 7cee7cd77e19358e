/* Which certificates are shown to whom, and how long they last. */
import { html } from "htm/preact";
import { Card, Empty, Head, Pill, Time } from "../components/bits.js";
import { Listing } from "../components/table.js";
import { useGet } from "../use.js";

const DAY = 86400000;

function Left({ c }) {
	const days = Math.floor((Date.parse(c.expires) - Date.now()) / DAY);

	if (days < 0)
		return html`<${Pill} tone="bad">expired<//>`;
	return html`<${Pill} tone=${days < 7 ? "bad" : days < 30 ? "warn" : "good"}>${days} d left<//>`;
}

const COLUMNS = [
	{ name: "hosts", head: "For", cell: (c) => html`<b class="break">${c.hosts.join(", ") || "every name"}</b>` },
	{ name: "listener", head: "On", cell: (c) => html`<span class="mono">${c.listener}</span>` },
	{ name: "left", head: "State", cell: (c) => html`<${Left} c=${c} />` },
	{ name: "expires", head: "Expires", cell: (c) => html`<${Time} at=${c.expires} />` },
	{ name: "issuer", head: "Issued by", wide: true, cell: (c) => c.issuer },
];

export default function Certs() {
	const certs = useGet("/certs", undefined, { every: 60000 });

	return html`
		<${Head} title="Certificates" about="Renewed files are taken with the next reload; embergate ctl cert tells the same." />
		<${Card} title="Certificates" flush><${Listing} label="Certificates" pages=${certs} columns=${COLUMNS} row_key=${(c) => `${c.listener} ${c.hosts.join()}`}
			empty=${html`<${Empty} icon="privacy" title="No listener has a certificate"><p>Name some under <code>listen: - {bind: ..., tls: {certs: [...]}}</code>.</p><//>`} /><//>`;
}
