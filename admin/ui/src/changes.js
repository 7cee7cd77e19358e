/* Changes of the configuration. Each is tried first (dry run), shown as a diff, and only then written; where the gate
 * is told to, it takes back what nobody confirms in time. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { call, get, may, post } from "./api.js";

export const CONFIRM_S = 90; /* to say that the gate can still be reached */

/* {until, by} of a change that waits to be confirmed, or null. */
export const pending = signal(null);

export async function pending_look() {
	pending.value = may("viewer") ? (await get("/config")).pending ?? null : null;
}

/* Calls `reload` when a change is kept or taken back: what is shown is of before. */
export function usePending(reload) {
	const seen = useRef(pending.value?.until);

	useEffect(() => {
		if (seen.current !== pending.value?.until)
			reload();
		seen.current = pending.value?.until;
	}, [pending.value]);
}

export const pending_confirm = () => post("/config/confirm").then(pending_look);
export const pending_rollback = () => post("/config/rollback").then(pending_look);

/* The version that a change is made of: a write with an older one is refused. */
export const config_etag = async () => (await call("GET", "/config")).etag;

/* A change is {method, path, body}. */
export const change_try = async ({ method, path, body }) =>
	(await call(method, path, { body, query: { dry_run: true }, etag: await config_etag() })).data;

export async function change_write({ method, path, body }, confirm_s) {
	const change = (await call(method, path,
		{ body, query: { confirm: confirm_s || undefined }, etag: await config_etag() })).data;

	await pending_look();
	return change;
}
