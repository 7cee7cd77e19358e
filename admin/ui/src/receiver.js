/* A webhook as an entry of `notify`, put into the text of the changes: the gate reads it before it is written. */

/* JSON is YAML. */
const quoted = (text) => JSON.stringify(text);

const entry = ({ url, events, every, min, secret, full }) => [
	`  - url: ${quoted(url.trim())}`,
	...(events.length ? [`    events: [${events.join(", ")}]`] : []),
	`    every: ${every}`,
	...(Number(min) > 1 ? [`    min: ${Number(min)}`] : []),
	...(secret.trim() ? [`    secret: ${quoted(secret.trim())}`] : []),
	...(full ? ["    full: on"] : []),
];

/* Behind "notify:" where that stands, else at the end. */
export function with_receiver(text, form) {
	const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
	const at = lines.findIndex((line) => /^notify:\s*(#.*)?$/.test(line));

	if (at < 0)
		lines.push("notify:", ...entry(form));
	else
		lines.splice(at + 1, 0, ...entry(form));
	return `${lines.join("\n")}\n`;
}
