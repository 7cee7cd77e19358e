/* Who is logged in. */
import { call, get, post, session } from "./api.js";

/* The cookie cannot be seen from here. Whoever never logged in with this browser is not asked about first: that would
 * be a refusal in the console of a page that is well. */
const KNOWN = "logged-in";

function remember(is_known) {
	try {
		if (is_known)
			localStorage.setItem(KNOWN, "1");
		else
			localStorage.removeItem(KNOWN);
	} catch {
		/* no storage: the gate is asked each time */
	}
}

function is_stranger() {
	try {
		return localStorage.getItem(KNOWN) === null;
	} catch {
		return false;
	}
}

export async function session_begin() {
	try {
		session.value = is_stranger() ? null : await get("/session");
	} catch (e) {
		if (e.status !== 401 && e.status !== 403)
			throw e;
		session.value = null;
	}
	session.subscribe((s) => remember(Boolean(s)));
}

/* Throws an ApiError; wants_code() of it says that the password was right and a code is missing. */
export async function log_in(user, password, code) {
	session.value = await post("/session", code ? { user, password, code } : { user, password });
}

export const wants_code = (error) => error?.status === 401 && /code wanted/.test(error.message);

export async function set_up(token, user, password) {
	session.value = await post("/setup", { token, user, password });
}

export async function log_out() {
	await call("DELETE", "/session");
	session.value = null;
}
