/* One stream a tab. It is read with fetch, not EventSource: so a refusal has a status, and what was last seen is sent
 * again (Last-Event-ID) also after the stream was closed on purpose. */
import { signal } from "@preact/signals";
import { session } from "./api.js";
import { sse_parser } from "./sse.js";

const WAIT_MIN = 1000, WAIT_MAX = 30000; /* ms between tries */
const SILENCE = 40000;                   /* ms: the gate comments every 15 s */
const UNSEEN = 60000;                    /* ms after which a hidden tab gives its stream back */

export const link_state = signal("connecting"); /* "live", "connecting", "full", "off" */
export const fresh = signal(0);                 /* streams that began with the present: a list from before has a gap */
export const stats = signal(null);              /* as GET /stats, of this second */

const topics = new Map();                       /* topic -> Set of functions */
let last_id, abort, timer, wait = WAIT_MIN, hidden;

function take({ event, data, id }) {
	if (id)
		last_id = id;
	const value = JSON.parse(data);

	if (event === "stats")
		stats.value = value;
	topics.get(event)?.forEach((on) => on(value, id));
}

async function read(answer, alive) {
	const parse = sse_parser(take);
	const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();

	for (;;) {
		const { value, done } = await reader.read();

		if (done)
			return;
		alive();
		parse(value);
	}
}

async function connect() {
	const own = (abort = new AbortController());
	const headers = last_id ? { "Last-Event-ID": last_id } : {};
	let silence;
	const alive = () => {
		clearTimeout(silence);
		silence = setTimeout(() => own.abort(), SILENCE);
	};

	try {
		alive();
		const answer = await fetch(`/api/v1/stream?topics=${[...topics.keys()].sort().join(",")}`,
			{ headers, signal: own.signal, cache: "no-store" });

		if (answer.status === 401)
			session.value = null;
		if (!answer.ok)
			link_state.value = answer.status === 503 ? "full" : "off";
		else {
			link_state.value = "live";
			if (!last_id)
				fresh.value++;
			wait = WAIT_MIN;
			await read(answer, alive);
		}
	} catch {
		/* it ended; below it begins again */
	}
	clearTimeout(silence);
	if (own === abort)
		again();
}

function again() {
	if (!session.value)
		return;
	if (link_state.value === "live")
		link_state.value = "connecting";
	timer = setTimeout(connect, wait);
	wait = Math.min(2 * wait, WAIT_MAX);
}

function stop() {
	const old = abort;

	clearTimeout(timer);
	abort = undefined;
	old?.abort();
}

function restart() {
	stop();
	if (session.value && topics.size)
		timer = setTimeout(connect, 0); /* several changes of topics make one stream */
}

/* Gives the function that ends it. */
export function listen(topic, on) {
	const is_new = !topics.has(topic);

	if (is_new)
		topics.set(topic, new Set());
	topics.get(topic).add(on);
	if (is_new)
		restart();
	return () => {
		topics.get(topic)?.delete(on);
		if (topics.get(topic)?.size === 0) {
			topics.delete(topic);
			last_id = undefined; /* who comes back later begins with a list, and the present */
			restart();
		}
	};
}

export function stream_start() {
	session.subscribe((s) => (s ? restart() : stop()));
	document.addEventListener("visibilitychange", () => {
		clearTimeout(hidden);
		if (document.hidden)
			hidden = setTimeout(stop, UNSEEN);
		else if (!abort)
			restart();
	});
}
