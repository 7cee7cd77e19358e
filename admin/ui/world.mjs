/* world.mjs -- the countries of Natural Earth as SVG paths with whole numbers, and their ISO 3166 codes.
 *
 * Natural Earth's own projection is for reading, not for measuring; 960 wide, and Antarctica, which asks nothing of anybody,
 * is left out. A path is relative ("m1 2l3 4"), which packs to two thirds. What has no code of ISO's (Northern Cyprus,
 * Somaliland) is drawn and counts for nothing; Kosovo has XK, as in the tables of addresses. */
import { pathToFileURL } from "node:url";

const WIDTH = 960;
const CODELESS = { Kosovo: "XK" };

/* A ring of points as a path, without points that fall on the one before; "" where nothing of it is left. */
function ring_path(points) {
	let [x, y] = points[0], text = `m${x} ${y}`, n = 0;

	for (const [px, py] of points.slice(1)) {
		if (px === x && py === y)
			continue;
		text += `${n++ ? " " : "l"}${px - x} ${py - y}`;
		[x, y] = [px, py];
	}
	return n > 2 ? `${text.replaceAll(" -", "-").replace("m", "M")}z` : "";
}

/* d3 draws into this, and so clips at the edge of the map. */
function pen() {
	const rings = [];

	return {
		rings,
		moveTo: (x, y) => rings.push([[Math.round(x), Math.round(y)]]),
		lineTo: (x, y) => rings.at(-1).push([Math.round(x), Math.round(y)]),
		closePath: () => rings.at(-1).push(rings.at(-1)[0]),
	};
}

export async function world(need) {
	const load = (name) => import(pathToFileURL(need.resolve(name)).href);
	const { geoNaturalEarth1, geoPath } = await load("d3-geo");
	const { feature } = await load("topojson-client");
	const atlas = need("world-atlas/countries-110m.json");
	const codes = Object.fromEntries(need("i18n-iso-countries/codes.json").map(([two, , number]) => [number, two]));
	const all = feature(atlas, atlas.objects.countries).features.filter((f) => f.properties.name !== "Antarctica");
	const projection = geoNaturalEarth1().fitWidth(WIDTH, { type: "FeatureCollection", features: all });
	const height = Math.ceil(geoPath(projection).bounds({ type: "FeatureCollection", features: all })[1][1]);
	const countries = all.map((f) => {
		const to = pen();

		geoPath(projection, to)(f);
		return [codes[f.id] ?? CODELESS[f.properties.name] ?? "", to.rings.map(ring_path).join("")];
	});

	return `export const width = ${WIDTH}, height = ${height}, countries = ${JSON.stringify(countries)};`;
}
