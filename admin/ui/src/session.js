/* Who is logged in. */
import { call, get, post, session } from "./api.js";

/* What is known of the gate before anybody is logged in: why GET /session was refused. */
export async function session_begin() {
	try {
		session.value = await get("/session");
	} catch (e) {
		if (e.status !== 401 && e.status !== 403)
			throw e;
		session.value = null;
	}
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
