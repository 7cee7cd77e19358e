/* build.mjs -- the dashboard as files with hashed names, and the same packed for the program.
 *
 *     node build.mjs MODULES OUT            once
 *     node build.mjs MODULES OUT --watch    again whenever a source changes, for `embergate --ui-dir OUT/dist`
 *
 * MODULES is the node_modules that package-lock.json made. OUT/dist has the files; OUT/ui.pack all of them, gzipped, one
 * behind the other; OUT/ui_files.inc a row for each, in the order of struct asset (admin/api/assets.h). */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { world } from "./world.mjs";

const [modules, out, flag] = process.argv.slice(2);
const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(out, "dist");
const need = createRequire(path.join(path.resolve(modules), "_.js"));
const esbuild = need("esbuild");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

/* `import("world")`: the map, projected here, so that no browser does it. */
const world_plugin = {
	name: "world",
	setup(build) {
		build.onResolve({ filter: /^world$/ }, () => ({ path: "world", namespace: "world" }));
		build.onLoad({ filter: /.*/, namespace: "world" }, async () => ({ contents: await world(need), loader: "js" }));
	},
};

const common = {
	absWorkingDir: here,
	nodePaths: [path.resolve(modules)],
	outdir: path.resolve(dist),
	bundle: true,
	minify: true,
	target: "es2020",
	legalComments: "none", /* they are in the package's copyright file */
	metafile: true,
	write: false,
	logLevel: "warning",
	entryNames: "assets/[name]-[hash]",
	chunkNames: "assets/[name]-[hash]",
};
const bundles = [
	{ ...common, entryPoints: ["src/main.js", "src/styles/main.css"], format: "esm", splitting: true, plugins: [world_plugin] },
	{ ...common, entryPoints: ["src/theme.js"], format: "iife" },
];

/* What the browser will want at once, beside the file itself: it need not find out one after the other. */
function imports_of(outputs, name, seen = new Set()) {
	for (const { path: to, kind } of outputs[name].imports)
		if (kind === "import-statement" && !seen.has(to)) {
			seen.add(to);
			imports_of(outputs, to, seen);
		}
	return seen;
}

/* The name in the sources -> the name in the page. */
function page(metas, names) {
	let text = fs.readFileSync(path.join(here, "index.html"), "utf8");
	const outputs = Object.assign({}, ...metas.map((m) => m.outputs));
	const rel = (name) => "/" + path.relative(dist, path.resolve(here, name));
	const preload = [];

	for (const [name, o] of Object.entries(outputs)) {
		if (!o.entryPoint || !/^src\/(styles\/)?(main|theme)\.(js|css)$/.test(o.entryPoint))
			continue;
		names.set("/" + path.basename(o.entryPoint), rel(name));
		if (o.entryPoint === "src/main.js")
			preload.push(...imports_of(outputs, name));
	}
	for (const [from, to] of names) {
		if (!text.includes(`"${from}"`))
			throw new Error(`index.html does not name ${from}`);
		text = text.replaceAll(`"${from}"`, `"${to}"`);
	}
	return text.replace("</head>", preload.map((name) => `\t<link rel="modulepreload" href="${rel(name)}">\n`).join("") + "</head>");
}

function write_dist(results) {
	const icon = fs.readFileSync(path.join(here, "favicon.svg")), icon_name = `/assets/favicon-${digest(icon)}.svg`;
	const files = results.flatMap((r) => r.outputFiles.map((f) => [path.relative(path.resolve(dist), f.path), f.contents]));

	files.push([icon_name.slice(1), icon]);
	files.push(["index.html", page(results.map((r) => r.metafile), new Map([["/favicon.svg", icon_name]]))]);
	fs.rmSync(dist, { recursive: true, force: true });
	for (const [name, contents] of files) {
		fs.mkdirSync(path.dirname(path.join(dist, name)), { recursive: true });
		fs.writeFileSync(path.join(dist, name), contents);
	}
	return files.map(([name]) => name).sort();
}

function pack(names) {
	const packs = [], rows = [];
	let at = 0;

	for (const name of names) {
		const plain = fs.readFileSync(path.join(dist, name)), packed = gzipSync(plain, { level: 9 });
		const row = [name === "index.html" ? "/" : `/${name}`, `${TYPES[path.extname(name)]}; charset=utf-8`, `W/\\"${digest(plain)}\\"`];

		rows.push(`{ ${row.map((text) => `BYTES_INIT("${text}")`).join(", ")}, ${at}, ${packed.length}, ${plain.length} },\n`);
		packs.push(packed);
		at += packed.length;
	}
	fs.writeFileSync(path.join(out, "ui.pack"), Buffer.concat(packs));
	fs.writeFileSync(path.join(out, "ui_files.inc"), rows.join(""));
}

async function build() {
	pack(write_dist(await Promise.all(bundles.map((b) => esbuild.build(b)))));
}

function watch() {
	let timer;
	const again = () => {
		clearTimeout(timer);
		timer = setTimeout(() => build().then(() => console.log("built"), (e) => console.error(e.message)), 100);
	};

	/* One for each folder: Node 18 watches no tree on Linux. */
	for (const folder of ["", "src", ...fs.readdirSync(path.join(here, "src")).map((name) => `src/${name}`)])
		if (fs.statSync(path.join(here, folder)).isDirectory())
			fs.watch(path.join(here, folder), again);
}

await build();
if (flag === "--watch")
	watch();
