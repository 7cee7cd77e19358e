/* The world, a country the darker the more it counts. The paths come with the build (world.mjs), when first needed. */
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { country, number } from "../format.js";

const STEPS = 5;
/* 1 to STEPS by orders of magnitude: one country with most of it does not make the others one colour. */
const step = (count, most) => Math.max(1, Math.ceil((STEPS * Math.log1p(count)) / Math.log1p(most)));

/* items: [{key: "DE", count}] as GET /top?by=country gives them. Whoever cannot see it has the table beside it. */
export function WorldMap({ items, label }) {
	const [world, set] = useState();
	const counts = new Map(items.map(({ key, count }) => [key, count]));
	const most = Math.max(1, ...counts.values());

	useEffect(() => void import("world").then(set, () => set(null)), []);
	if (!world)
		return html`<div class="world" aria-hidden="true"></div>`;
	return html`<svg class="world" viewBox="0 0 ${world.width} ${world.height}" role="img" aria-label=${label}>
		${world.countries.map(([code, d], i) => {
			const count = counts.get(code);

			return html`<path key=${i} d=${d} data-step=${count ? step(count, most) : undefined}>
				${count && html`<title>${country(code)}: ${number(count)}</title>`}</path>`;
		})}</svg>`;
}
