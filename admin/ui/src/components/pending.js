/* A change that waits to be confirmed: seen on every screen, until somebody decides or the time is up. */
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { may } from "../api.js";
import { pending, pending_confirm, pending_look, pending_rollback } from "../changes.js";
import { span } from "../format.js";
import { listen } from "../stream.js";
import { told } from "./toast.js";

function Remaining({ until }) {
	const left = () => Math.max(0, (Date.parse(until) - Date.now()) / 1000);
	const [s, set] = useState(left);

	useEffect(() => {
		const timer = setInterval(() => {
			set(left());
			if (left() <= 0)
				pending_look().catch(() => {});
		}, 1000);

		return () => clearInterval(timer);
	}, [until]);
	return html`<b class="num">${span(s)}</b>`;
}

export function Pending() {
	useEffect(() => {
		pending_look().catch(() => {});
		return listen("config", () => pending_look().catch(() => {}));
	}, []);
	const p = pending.value;

	return p && html`<div class="note warn pending" role="alert"><div>
		<p>The changed configuration serves. It is taken back in <${Remaining}
			until=${p.until} /> unless it is kept${p.by ? ` (changed by ${p.by})` : ""}.</p></div>
		${may("operator") && html`<div class="row">
			<button type="button" onClick=${() =>
			told(pending_rollback(), "The old configuration serves again.")}>Take back</button>
		<button type="button" class="primary"
			onClick=${() => told(pending_confirm(), "The change is kept.")}>Keep</button></div>`}</div>`;
}
