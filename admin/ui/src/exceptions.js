/* Exceptions: what they say, as text and in words. */

const LISTS = ["methods", "rules", "categories", "tags", "args", "cookies", "headers", "parts"];
const bare = /^[\w./-]+$/;

const listed = (key, values) =>
	`${key}: [${values.map((v) => (key !== "args" && bare.test(v) ? v : JSON.stringify(v))).join(", ")}]`;

/* As it would stand in the configuration. */
export function exception_yaml(e) {
	const parts = [
		e.path && `path: ${JSON.stringify(e.path)}`,
		...LISTS.filter((k) => e[k]?.length).map((k) => listed(k, e[k])),
		e.until && `until: ${e.until}`,
		e.reason && `reason: ${JSON.stringify(e.reason)}`,
	];

	return `- {${parts.filter(Boolean).join(", ")}}`;
}

const list_at = (line, key) => {
	const found = new RegExp(`\\b${key}: \\[((?:"(?:\\\\.|[^"\\\\])*"|[^\\]"])*)\\]`).exec(line);

	return found ? (found[1].match(/"(?:\\.|[^"\\])*"|[^\s,"]+/g) ?? []).map((v) =>
		(v[0] === '"' ? JSON.parse(v) : v)) : [];
};

/* What the gate proposes for an event: lines like those of exception_yaml(), without a reason. */
export function exceptions_proposed(text) {
	return (text ?? "").split("\n").filter((line) => /^\s*- \{path: /.test(line)).map((line) => {
		const path = /\{path: ("(?:\\.|[^"\\])*")/.exec(line);
		const e = { path: path ? JSON.parse(path[1]) : "" };

		for (const key of LISTS) {
			const values = list_at(line, key);

			if (values.length)
				e[key] = values;
		}
		return e;
	});
}

const said = (values, one, many) => values?.length && `${values.length > 1 ? many : one} ${values.join(", ")}`;

/* "rule 942100 does not look at the argument q of /search". */
export function exception_words(e) {
	const at = `${e.path || "every path"}${e.methods?.length ? ` (${e.methods.join(", ")})` : ""}`;

	if (e.skip?.length)
		return `${e.skip.join(", ")} not inspected at ${at}`;
	const what = said(e.rules, "rule", "rules") || said(e.categories, "rules of", "rules of")
		|| said(e.tags, "rules tagged", "rules tagged")
		|| "no rule";
	const where = [said(e.args, "argument", "arguments"), said(e.cookies, "cookie", "cookies"),
		said(e.headers, "header", "headers"),
		said(e.parts, "part", "parts")].filter(Boolean).join(", ");
	const plural = (e.rules?.length ?? 2) > 1;

	return `${what} ${plural ? "do" : "does"} not look at ${where || "requests"} ${where ? "of" : "to"} ${at}`;
}

/* For POST /exceptions: without what is empty. */
export const exception_body = (app, e) =>
	Object.fromEntries(Object.entries({ app, ...e }).filter(([, v]) => v !== "" && v !== null && v !== undefined
		&& !(Array.isArray(v) && !v.length)));
