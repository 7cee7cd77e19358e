/* Which events a filter names: the gate decides for lists, this for those that the stream brings. */

const number_of = (text) => {
	if (!text.includes(":"))
		return text.split(".").reduce((n, part) => n * 256n + BigInt(part), 0n);
	const [head, tail] = text.split("::").map((s) => s.split(":").filter(Boolean));
	const parts = tail ? [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail] : head;

	return parts.reduce((n, part) => n * 65536n + BigInt(`0x${part}`), 0n);
};

export function in_network(address, network) {
	const [base, bits] = network.split("/");
	const wide = base.includes(":") ? 128 : 32;

	if (bits === undefined || address.includes(":") !== base.includes(":"))
		return address === base;
	try {
		const away = BigInt(wide - Number(bits));

		return number_of(address) >> away === number_of(base) >> away;
	} catch {
		return false;
	}
}

const holds = (text, part) => (text ?? "").toLowerCase().includes(part.toLowerCase());

const TESTS = {
	app: (e, v) => e.app === v,
	action: (e, v) => e.action === v,
	source: (e, v) => e.source === v,
	rule: (e, v) => e.rules.includes(v),
	address: (e, v) => in_network(e.client, v),
	country: (e, v) => (e.country ?? "").toLowerCase() === v.toLowerCase(),
	as: (e, v) => String(e.as) === v.replace(/^AS/i, ""),
	ja4: (e, v) => (e.ja4 ?? "").startsWith(v),
	path: (e, v) => holds(e.path, v),
	method: (e, v) => e.method === v,
	status: (e, v) => String(e.status) === v,
	id: (e, v) => e.id.startsWith(v.toUpperCase()),
	q: (e, v) => [e.host, e.path, e.reason, e.rule].some((text) => holds(text, v)),
};

export const is_meant = (event, filter) =>
	Object.entries(filter).every(([name, value]) => !TESTS[name] || TESTS[name](event, value));
