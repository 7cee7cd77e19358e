/* What the gate's API answers. Every problem becomes an ApiError whose message may be shown as it is. */
import { signal } from "@preact/signals";

const ROOT = "/api/v1";

/* The session as GET /session tells it; null: nobody is logged in; undefined: not asked yet. */
export const session = signal(undefined);

export class ApiError extends Error {
	constructor(status, problem) {
		super(problem.detail || problem.title || `The gate answered ${status}.`);
		this.status = status;
		this.problem = problem;
	}
}

export function address(path, query) {
	const q = new URLSearchParams();

	for (const [name, value] of Object.entries(query ?? {}))
		if (value !== undefined && value !== null && value !== "" && value !== false)
			q.set(name, value);
	return ROOT + path + (q.size ? `?${q}` : "");
}

/* What has had no answer yet, and the name it was sent by: tried again, it is done once. */
const unanswered = new Map();

function key_of(request) {
	if (!unanswered.has(request))
		unanswered.set(request, [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join(""));
	return unanswered.get(request);
}

function headers(method, body, etag, key) {
	const h = { Accept: "application/json" };

	if (body !== undefined)
		h["Content-Type"] = "application/json";
	if (method !== "GET" && session.value?.csrf)
		h["X-Embergate-CSRF"] = session.value.csrf;
	if (etag)
		h["If-Match"] = etag;
	if (key)
		h["Idempotency-Key"] = `"${key}"`;
	return h;
}

async function problem_of(answer) {
	try {
		return await answer.json();
	} catch {
		return { title: `The gate answered ${answer.status} ${answer.statusText}`.trim() + "." };
	}
}

async function fetched(url, options) {
	try {
		return await fetch(url, options);
	} catch (e) {
		if (e.name === "AbortError")
			throw e;
		throw new ApiError(0, { title: "The gate cannot be reached. Is it still running?" });
	}
}

/* {data, etag}; data is null where the answer has no content, text where it is no JSON. */
export async function call(method, path, { query, body, etag, abort } = {}) {
	const url = address(path, query);
	const text = body === undefined ? undefined : JSON.stringify(body);
	const request = `${url} ${text}`;
	const answer = await fetched(url, {
		method,
		headers: headers(method, body, etag, method === "POST" ? key_of(request) : null),
		body: text,
		credentials: "same-origin",
		cache: "no-store",
		signal: abort,
	});

	unanswered.delete(request);
	if (answer.status === 401 && path !== "/session" && path !== "/setup")
		session.value = null;
	if (!answer.ok)
		throw new ApiError(answer.status, await problem_of(answer));
	const type = answer.headers.get("Content-Type") ?? "";
	const data = answer.status === 204 ? null : await (type.includes("json") ? answer.json() : answer.text());
	return { data, etag: answer.headers.get("ETag") };
}

export const get = async (path, query, abort) => (await call("GET", path, { query, abort })).data;
export const post = async (path, body, more) => (await call("POST", path, { body, ...more })).data;
export const put = async (path, body, more) => (await call("PUT", path, { body, ...more })).data;
export const patch = async (path, body, more) => (await call("PATCH", path, { body, ...more })).data;
export const remove = async (path, more) => (await call("DELETE", path, more)).data;

const ROLES = ["none", "viewer", "operator", "administrator"];

/* May the one who is logged in do what needs `role`? The gate decides; this only hides what it would refuse. */
export const may = (role) => ROLES.indexOf(session.value?.role ?? "none") >= ROLES.indexOf(role);
