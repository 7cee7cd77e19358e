/* The dialog between a change and its writing: what would be written, what is wrong with it, what to mind. */
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { CONFIRM_S, change_try, change_write } from "../changes.js";
import { useAction } from "../use.js";
import { Note, Pill, Problem, Skeleton } from "./bits.js";
import { Diff } from "./code.js";
import { Dialog } from "./dialog.js";
import { Switch } from "./form.js";
import { toast } from "./toast.js";

const place = (e) => [e.file, e.line, e.column].filter((x) => x !== undefined && x !== null && x !== "").join(":");

/* What a dry run said. */
export const Findings = ({ change }) => html`
	${change.errors?.length > 0
		&& html`<${Note} tone="bad"><p><b>It would not be taken:</b></p><ul>${change.errors.map((e) => html`
		<li key=${place(e) + e.text}>${place(e) && html`<code>${place(e)}</code> `}${e.text}</li>`)}</ul><//>`}
	${change.warnings?.length > 0
		&& html`<${Note} tone="warn"><ul>
		${change.warnings.map((w) => html`<li key=${w}>${w}</li>`)}</ul><//>`}`;

const AT_GATES = {
	applied: ["good", "made there too"], same: ["good", "had it"], differs: ["warn", "its changes were others before: nothing was done"],
	off: ["", "takes no changes of others"], refused: ["bad", "refused"], silent: ["warn", "no answer"],
};
const is_there = (g) => g.state === "applied" || g.state === "same";

/* What the other gates of the cluster did with it. */
const AtGates = ({ gates }) => html`<${Note} tone="warn"><p>Written here. At the other gates:</p><ul>${gates.map((g) => html`
	<li key=${g.node}><b>${g.node}</b> <${Pill} tone=${AT_GATES[g.state]?.[0]}>${AT_GATES[g.state]?.[1] ?? g.state}<//> ${g.why}</li>`)}</ul>
	<p>Where they differ, the screen <a href="#/cluster">Cluster</a> shows it.</p><//>`;

/* change: {method, path, body}; done(answer) is called once it is written. safe: it cannot cut anybody off, so nothing
 * has to be confirmed. */
export function ChangeDialog({ title, change, about, safe, done, close }) {
	const [tried, set] = useState(null);
	const [guard, setGuard] = useState(!safe);
	const [written, setWritten] = useState(null); /* an answer that is to be read */
	const [look, trying] = useAction(async () => set(await change_try(change)));
	const [write, writing] = useAction(async () => {
		const answer = await change_write(change, guard ? CONFIRM_S : 0);

		if (!answer.ok) {
			set(answer);
			return;
		}
		toast(answer.confirm_until
			? "Written. Keep it within the time, or it is taken back."
			: answer.gates?.length ? "Written." : "Written; the gate serves with it.");
		if (answer.gates && !answer.gates.every(is_there)) {
			setWritten(answer);
			return;
		}
		done?.(answer);
		close();
	});
	const read = () => {
		done?.(written);
		close();
	};

	useEffect(() => {
		look();
	}, []);
	if (written)
		return html`<${Dialog} title=${title} wide close=${read} actions=${html`<span class="grow"></span>
			<button type="button" class="primary" onClick=${read}>Close</button>`}><${AtGates} gates=${written.gates} /><//>`;
	return html`<${Dialog} title=${title} wide close=${close} actions=${html`
			${tried?.ok && tried.diff && !safe
				&& html`<${Switch} label=${`Take it back unless I confirm within ${CONFIRM_S} s`}
				value=${guard} on=${setGuard} />`}
			<span class="grow"></span><button type="button" onClick=${close}>Cancel</button>
			<button type="button" class="primary" disabled=${!tried?.ok || !tried.diff || writing.busy}
				onClick=${write}>
				${writing.busy ? "Writing" : "Write it"}</button>`}>
		${about}
		<${Problem} error=${trying.error ?? writing.error} retry=${trying.error && look} />
		${tried ? html`<${Findings} change=${tried} /><${Diff} text=${tried.diff} />` : !trying.error
			&& html`<${Skeleton} lines=${5} />`}
	<//>`;
}
