/* What was done, for a few seconds at the edge of the screen. */
import { html } from "htm/preact";
import { signal } from "@preact/signals";
import { Icon } from "./icons.js";

const SHOWN = 6000; /* ms */

const toasts = signal([]);
let next = 0;

const drop = (id) => (toasts.value = toasts.value.filter((t) => t.id !== id));

/* tone: "good", "bad", "info". */
export function toast(text, tone = "good") {
	const id = next++;

	toasts.value = [...toasts.value.slice(-2), { id, text, tone }];
	setTimeout(() => drop(id), SHOWN);
}

/* For a promise that has nothing else to show: its failure is told. */
export async function told(promise, text) {
	try {
		const value = await promise;

		if (text)
			toast(text);
		return value;
	} catch (e) {
		toast(e.message, "bad");
		return undefined;
	}
}

export const Toasts = () => html`<div class="toasts" role="status" aria-live="polite">
	${toasts.value.map((t) =>
		html`<div key=${t.id} class="toast ${t.tone}"><${Icon} name=${t.tone === "bad" ? "alert" : "check"} />
		<span>${t.text}</span><button type="button" class="quiet only-icon" aria-label="Dismiss"
			onClick=${() => drop(t.id)}>
		<${Icon} name="close" /></button></div>`)}</div>`;
