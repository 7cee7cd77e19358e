/* The address is #/path?query, so that any file server can serve the dashboard and every view is a link. */
import { signal } from "@preact/signals";

function parse(hash) {
	const [path, query] = hash.replace(/^#/, "").split("?");

	/* the link of a first visit: #setup=TOKEN, with &user=NAME where that is settled */
	if (hash.startsWith("#setup=")) {
		const { setup: token, user } = Object.fromEntries(new URLSearchParams(hash.slice(1)));

		return { path: "/setup", query: { token, user } };
	}
	return { path: path || "/", query: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

export const route = signal(parse(location.hash));

export function route_start() {
	addEventListener("hashchange", () => (route.value = parse(location.hash)));
}

const kept = (query) =>
	Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");

export function link(path, query) {
	const q = new URLSearchParams(kept(query));

	return `#${path}${q.size ? `?${q}` : ""}`;
}

export const go = (path, query) => (location.hash = link(path, query));

/* Changes parts of the query in place: no new entry in the browser's history. */
export function requery(change) {
	const { path, query } = route.value;
	const next = { ...query, ...change };

	history.replaceState(null, "", link(path, next));
	route.value = { path, query: Object.fromEntries(kept(next)) };
}

/* "/events/:id" and "/events/ab12" give {id: "ab12"}; null: another path. */
export function match(pattern, path) {
	const want = pattern.split("/"), have = path.split("/"), params = {};

	if (want.length !== have.length)
		return null;
	for (let i = 0; i < want.length; i++)
		if (want[i].startsWith(":"))
			params[want[i].slice(1)] = decodeURIComponent(have[i]);
		else if (want[i] !== have[i])
			return null;
	return params;
}
