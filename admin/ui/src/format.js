/* Numbers, times and words for people. Every number that leaves here has its unit. */
export const NONE = "–";

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });

const known = (n) => n !== null && n !== undefined && !Number.isNaN(n);

export const number = (n) => (known(n) ? whole.format(n) : NONE);

/* 1.2 k, 3.4 M: for what stands in a tile or at an axis. */
export function short(n) {
	if (!known(n))
		return NONE;
	for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]])
		if (Math.abs(n) >= size)
			return `${fine.format(n / (unit === "k" ? 1e3 : size))} ${unit}`;
	return Math.abs(n) < 10 ? fine.format(n) : whole.format(n);
}

/* What is rare is told by the minute or the hour: [times a second, unit]. */
const per = (n) => (n === 0 || n >= 0.1 ? [1, "s"] : n >= 0.1 / 60 ? [60, "min"] : [3600, "h"]);

/* `like`: the number whose unit is taken; an axis has one. */
export function rate(n, like = n) {
	const [times, unit] = per(like);

	return known(n) ? `${short(n * times)}/${unit}` : NONE;
}

/* The least distance of two marks at an axis that goes to `max`, so that their texts differ. */
export const rate_step = (max) => 0.1 / per(max)[0];
export const percent = (part, all) => (all ? `${fine.format((100 * part) / all)} %` : NONE);
export const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

export function micros(us) {
	if (!known(us))
		return NONE;
	if (us < 1000)
		return `${whole.format(us)} µs`;
	return us < 1e6 ? `${fine.format(us / 1000)} ms` : `${fine.format(us / 1e6)} s`;
}

export function bytes(n) {
	if (!known(n))
		return NONE;
	for (const [size, unit] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]])
		if (n >= size)
			return `${fine.format(n / size)} ${unit}`;
	return `${n} B`;
}

const SPANS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

export function span(seconds) {
	const s = Math.max(0, Math.round(seconds));

	for (let i = 0; i < SPANS.length; i++) {
		const [size, unit] = SPANS[i];

		if (s < size)
			continue;
		const rest = SPANS[i + 1] && Math.floor((s % size) / SPANS[i + 1][0]);
		const big = Math.floor(s / size);
		return big < 3 && rest ? `${big} ${unit} ${rest} ${SPANS[i + 1][1]}` : `${big} ${unit}`;
	}
	return "0 s";
}

export function ago(time) {
	const s = (Date.now() - Date.parse(time)) / 1000;

	if (s < -1)
		return `in ${span(-s)}`;
	return s < 2 ? "now" : `${span(s).replace(/ \d+ \w+$/, "")} ago`;
}

const two = (n) => String(n).padStart(2, "0");

export const clock = (d) => `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
export const day = (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;

/* "UTC+2", as the reader's clock is then. */
export function zone(d) {
	const m = -d.getTimezoneOffset(), h = Math.trunc(Math.abs(m) / 60), rest = Math.abs(m) % 60;

	return `UTC${m ? `${m < 0 ? "−" : "+"}${h}${rest ? `:${two(rest)}` : ""}` : ""}`;
}

/* In the reader's time zone, with milliseconds. */
export function exact(time) {
	const d = new Date(time);

	return `${day(d)} ${clock(d)}.${String(d.getMilliseconds()).padStart(3, "0")}`;
}

const countries = new Intl.DisplayNames("en", { type: "region" });

export function country(code) {
	try {
		return countries.of(code);
	} catch {
		return code;
	}
}

/* The gate's words for what it did, for people and for the eye. */
export const ACTIONS = {
	allow: { text: "allowed", tone: "good" },
	log: { text: "logged", tone: "info" },
	throttle: { text: "throttled", tone: "odd" },
	challenge: { text: "challenged", tone: "warn" },
	captcha: { text: "captcha", tone: "warn" },
	tarpit: { text: "slowed down", tone: "odd" },
	deny: { text: "blocked", tone: "bad" },
};

export const SOURCES = {
	protocol: "HTTP itself", rule: "rules", own_rule: "a rule of the configuration", limit: "a limit",
	cti: "reputation", scenario: "a scenario", bot: "what bots may do", attack_mode: "attack mode",
};

export const action_text = (word) => ACTIONS[word]?.text ?? word;
