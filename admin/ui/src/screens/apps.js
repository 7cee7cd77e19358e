/* The apps: are they well, and what protects them? */
import { html } from "htm/preact";
import { Card, Empty, Head, Mode, Pill } from "../components/bits.js";
import { Listing } from "../components/table.js";
import { count, span } from "../format.js";
import { link } from "../router.js";
import { useGet } from "../use.js";

export const Health = ({ servers }) => {
	const up = servers.filter((s) => s.up).length;

	return html`<${Pill} tone=${up === servers.length ? "good" : up ? "warn" : "bad"}
		title=${servers.map((s) => `${s.address}: ${s.up ? "up" : "down"}`).join("\n")}>
			${up} of ${servers.length} up<//>`;
};

const SOON = 14 * 86400; /* s: a certificate that ends so soon is marked */

export function Expiry({ certs }) {
	if (!certs.length)
		return html`<span class="dim">no TLS</span>`;
	const left = Math.min(...certs.map((c) => (Date.parse(c.expires) - Date.now()) / 1000));

	return html`<${Pill} tone=${left < 0 ? "bad" : left < SOON ? "warn" : "good"}>
		${left < 0 ? "over" : `for ${span(left)}`}<//>`;
}

const COLUMNS = [
	{ name: "name", head: "App", cell: (a) => html`<b>${a.name}</b>` },
	{ name: "hosts", head: "Hosts",
		cell: (a) => html`<span class="break">${a.hosts.join(", ") || "every host"}</span>` },
	{ name: "mode", head: "Mode",
		cell: (a) => html`<${Mode} mode=${a.mode} /> ${a.under_attack
		&& html`<${Pill} tone="warn">attack mode<//>`}` },
	{ name: "servers", head: "Servers", cell: (a) => html`<${Health} servers=${a.servers} />` },
	{ name: "rules", head: "Rules", num: true, cell: (a) => a.rules },
	{ name: "paranoia", head: "Paranoia", num: true, wide: true, cell: (a) => a.paranoia ?? "1" },
	{ name: "threshold", head: "Blocks from", num: true, wide: true, cell: (a) => `score ${a.threshold ?? 5}` },
	{ name: "exceptions", head: "Exceptions", num: true, cell: (a) => a.exceptions.length },
	{ name: "certs", head: "Certificate", cell: (a) => html`<${Expiry} certs=${a.certs} />` },
];

export default function Apps() {
	const apps = useGet("/apps", undefined, { every: 15000 });

	return html`<${Head} title="Apps"
		about=${apps.data && count(apps.data.items.length, "application") + " behind this gate."} />
		<${Card} flush><${Listing} label="Apps" pages=${apps} columns=${COLUMNS} row_key=${(a) => a.name}
			href=${(a) => link(`/apps/${encodeURIComponent(a.name)}`)}
			empty=${html`<${Empty} icon="apps" title="No app is configured">
				<p>Add one under <code>apps:</code> in the configuration.</p><//>`} /><//>`;
}
