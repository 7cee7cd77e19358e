/* Dialogs are the browser's own: focus stays inside, Escape closes, focus returns. */
import { html } from "htm/preact";
import { signal } from "@preact/signals";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon } from "./icons.js";
import { Problem } from "./bits.js";

/* actions: what stands in the foot. */
export function Dialog({ title, close, wide, actions, children }) {
	const box = useRef();
	const id = useId();

	useEffect(() => {
		box.current.showModal();
		return () => box.current?.close();
	}, []);
	return html`<dialog ref=${box} class="dialog ${wide ? "dialog-wide" : ""}" aria-labelledby=${id}
			onCancel=${(e) => { e.preventDefault(); close(); }}
			onMouseDown=${(e) => e.target === box.current && close()}>
		<div class="dialog-in">
			<header class="dialog-head"><h2 id=${id}>${title}</h2>
				<button type="button" class="quiet only-icon" aria-label="Close" onClick=${close}>
					<${Icon} name="close" /></button></header>
			<div class="dialog-body">${children}</div>
			${actions && html`<footer class="dialog-foot">${actions}</footer>`}
		</div>
	</dialog>`;
}

const asked = signal(null);

/* Asks before something is done: {title, text, action, tone: "bad"?, run}. What `run` throws is shown. */
export const ask = (question) => (asked.value = question);

export function Asked() {
	const q = asked.value;
	const [state, set] = useState({});
	const close = () => {
		set({});
		asked.value = null;
	};
	const run = async () => {
		set({ busy: true });
		try {
			await q.run();
			close();
		} catch (error) {
			set({ error });
		}
	};

	return q && html`<${Dialog} title=${q.title} close=${close} actions=${html`
			<button type="button" onClick=${close}>Cancel</button>
			<button type="button" class=${q.tone === "bad" ? "danger" : "primary"} disabled=${state.busy}
				onClick=${run}>${q.action}</button>`}>
		<p>${q.text}</p><${Problem} error=${state.error} /><//>`;
}
