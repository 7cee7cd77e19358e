/* A chart over time, on uPlot; which is loaded when the first chart is shown. */
import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { clock, day, short } from "../format.js";
import { paint, theme } from "../themes.js";

/* A colour of the tokens, as a canvas wants it. */
function colour(token) {
	const probe = document.createElement("i");

	probe.style.color = `var(${token})`;
	document.body.append(probe);
	const found = getComputedStyle(probe).color;

	probe.remove();
	return found;
}

const thin = (rgb, alpha) => rgb.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);

/* 1, 2, 5, 10, ... times the least step. */
const STEPS = Array.from({ length: 10 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat();

const is_empty = (lines) => !lines.some((values) => values.some((v) => v > 0));
const is_known = (v) => v !== null && v !== undefined;

/* Points only where a line is not yet one. */
const few = (u, i) => u.data[i].filter(is_known).length < 3;

const axis = (values, more) => ({
	stroke: colour("--ink-3"), font: "11px system-ui, sans-serif", values,
	grid: { stroke: colour("--c-grid"), width: 1 }, ticks: { show: false }, ...more,
});

const line = ({ name, token, fill }, bridge) => ({
	label: name, stroke: colour(token), width: 1.5, spanGaps: bridge, points: bridge
		? { size: 4 } : { size: 4, show: few },
	fill: fill ? thin(colour(token), 0.14) : undefined,
});

function options({ series, unit, step, span_s, width, height, bridge, on_cursor, on_select }) {
	const long = span_s > 36 * 3600;
	const time = (u, at) => at.map((s) => {
		const d = new Date(s * 1000);

		return long ? day(d).slice(5) : clock(d).slice(0, 5);
	});

	return {
		width, height, legend: { show: false }, padding: [8, 18, 0, 0],
		cursor: { y: false, sync: { key: "time" }, drag: { x: true, y: false, setScale: false },
			points: { size: 6 } },
		scales: { y: { range: (u, min, max) => [0, max > 0 ? max * 1.08 : 1] } },
		axes: [axis(time, { size: 26, space: 64 }),
			axis((u, at) => at.map((v) => (v && is_empty(u.data.slice(1)) ? "" : unit(v, u.scales.y.max))),
				{ size: 58, space: 34, incrs: (u, i, min, max) => STEPS.map((n) => n * step(max)) })],
		series: [{}, ...series.map((s) => line(s, bridge))],
		hooks: { setCursor: [(u) => on_cursor(u.cursor.idx)], setSelect: [(u) => on_select?.(u)] },
	};
}

const size_of = (box) => ({ width: box.clientWidth, height: box.clientHeight });

const last_known = (values) => {
	for (let i = values.length - 1; i >= 0; i--)
		if (is_known(values[i]))
			return values[i];
	return null;
};

const Legend = ({ series, at, unit, times }) => html`
	<ul class="chart-legend" aria-hidden="true">
		${series.map((s) => html`<li key=${s.name}>
			<span class="chart-key" style=${{ background: `var(${s.token})` }}></span>${s.name}
			<b class="num">${is_known(last_known(s.values))
				&& unit(at === null ? last_known(s.values) : s.values[at])}</b></li>`)}
		${at !== null && html`<li class="chart-at">
			${day(new Date(times[at] * 1000)).slice(5)} ${clock(new Date(times[at] * 1000))}</li>`}
	</ul>`;

/* times: seconds; series: [{name, token, values, fill?}]; unit(n, like): text; step(max): the least that two marks of
 * the axis differ by; label: what is drawn, for those who cannot see it; bridge: a line goes on over what is not known; on_range(from_s, to_s): a span was drawn with the pointer. */
export function Chart({ times, series, unit = short, step = () => 1, label, bridge = false, on_range }) {
	const box = useRef(), plot = useRef();
	const [at, setAt] = useState(null);
	const [failed, setFailed] = useState(false);
	const names = series.map((s) => s.name).join();

	useEffect(() => {
		let watch, gone = false;

		import("uplot").then(({ default: Plot }) => {
			if (gone)
				return;
			const select = on_range && ((u) => {
				if (u.select.width > 4)
					on_range(u.posToVal(u.select.left, "x"),
						u.posToVal(u.select.left + u.select.width, "x"));
				u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
			});

			plot.current = new Plot(options({
				series, unit, step, bridge, span_s: times[times.length - 1] - times[0],
					...size_of(box.current),
				on_cursor: (i) => setAt(i ?? null), on_select: select,
			}), [times, ...series.map((s) => s.values)], box.current);
			watch = new ResizeObserver(() => plot.current.setSize(size_of(box.current)));
			watch.observe(box.current);
		}, () => setFailed(true));
		return () => {
			gone = true;
			watch?.disconnect();
			plot.current?.destroy();
			plot.current = undefined;
		};
	}, [names, times.length, theme.value, paint.value]);
	useEffect(() => plot.current?.setData([times, ...series.map((s) => s.values)]), [times, series]);
	const none = is_empty(series.map((s) => s.values)) && (series.some((s) => s.values.some(is_known))
		? "None in this time" : "No figures of this time yet");
	const shown = at !== null && at < times.length ? at : null;
	const said = series.map((s) =>
		`${s.name}: latest ${unit(last_known(s.values))}, most ${unit(Math.max(0, ...s.values))}`).join("; ");

	return html`<div class="chart">${none && html`<p class="chart-none dim">${none}</p>`}
		<div ref=${box} class="chart-canvas" role="img" aria-label=${`${label}. ${said}.`}>
			${failed && html`<p class="dim">The chart could not be loaded.</p>`}</div>
		<${Legend} series=${series} at=${shown} unit=${unit} times=${times} /></div>`;
}
