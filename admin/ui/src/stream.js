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
export const silent = signal([]);               /* of all gates: those that say nothing now */
export const missed = signal({});               /* gate -> events of it that a flood left out */

const topics = new Map();                       /* topic -> Set of functions */
let last_id, abort, timer, wait = WAIT_MIN, hidden;
let all = false, is_placed;                     /* events of all gates; is where they stand known? */

/* Events of other gates came from their present on, so a list from before has a gap there. */
function take_tail({ silent: names, node, missed: n }) {
	if (node)
		missed.value = { ...missed.value, [node]: (missed.value[node] ?? 0) + n };
	if (!names)
		return;
	silent.value = names;
	if (!is_placed)
		fresh.value++;
	is_placed = true;
}

function take({ event, data, id }) {
	if (id)
		last_id = id;
	const value = JSON.parse(data);

	if (event === "stats")
		stats.value = value;
	if (event === "tail")
		take_tail(value);
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
		is_placed = last_id?.includes(",");
		const wanted = [...topics.keys()].sort().join(",");
		const answer = await fetch(`/api/v1/stream?topics=${wanted}${all ? "&nodes=all" : ""}`,
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

/* Whether events are of all gates of the cluster, each with its `node`. */
export function follow_all(on) {
	silent.value = [];
	missed.value = {};
	if (all !== on) {
		all = on;
		restart();
	}
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
