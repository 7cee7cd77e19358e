/* Alerts: what scenarios and agents saw. */
import { html } from "htm/preact";
import { ACTIONS, number } from "../format.js";
import { link } from "../router.js";
import { Pill, Time } from "./bits.js";

const led_to = (a) => {
	if (a.simulated)
		return html`<${Pill} tone="info hollow">simulated<//>`;
	return a.decisions ? html`<${Pill} tone=${ACTIONS[a.remedy]?.tone}>${ACTIONS[a.remedy]?.text ?? a.remedy}<//>` : html`<span class="dim">told only</span>`;
};

export const ALERT_COLUMNS = [
	{ name: "time", head: "Time", cell: (a) => html`<${Time} at=${a.time} />` },
	{ name: "scenario", head: "Scenario", cell: (a) => html`<a class="break" href=${link("/rules", { show: "scenarios", q: a.scenario })}>${a.scenario}</a>` },
	{ name: "value", head: "Of", cell: (a) => (a.scope === "Ip" ? html`<a class="mono" href=${link(`/clients/${encodeURIComponent(a.value)}`)}>${a.value}</a>`
		: html`<span class="mono break">${a.value}</span> <span class="tag">${a.scope}</span>`) },
	{ name: "count", head: "Events", num: true, cell: (a) => number(a.count) },
	{ name: "then", head: "Led to", cell: led_to },
	{ name: "origin", head: "Seen by", wide: true, cell: (a) => (a.origin === "embergate" ? "this gate" : a.origin) },
];
