/* The configuration: the files as they run, and the one for changes that may be written from here. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { may, post } from "../api.js";
import { usePending } from "../changes.js";
import { Card, Empty, Head, Pill, Problem, Skeleton } from "../components/bits.js";
import { ChangeDialog } from "../components/change.js";
import { Code } from "../components/code.js";
import { ask } from "../components/dialog.js";
import { Area, Field } from "../components/form.js";
import { toast } from "../components/toast.js";
import { useGet } from "../use.js";

function Overrides({ config, reload }) {
	const [text, set] = useState(config.overrides);
	const [change, setChange] = useState(null);
	const edits = may("administrator") && config.writes;
	const submit = (e) => {
		e.preventDefault();
		setChange({ method: "PUT", path: "/config/overrides", body: { text } });
	};

	return html`<${Card} title="Changes made here" side="read last: it overrides the other files">
		<form class="stack" onSubmit=${submit}>
			<${Field} label="Overrides (YAML)" hint="It is tried, compared and shown before it is written."
				wide>
				<${Area} class="editor" rows=${Math.min(28, Math.max(10, text.split("\n").length + 1))}
					value=${text} on=${set} readonly=${!edits} /><//>
			${edits && html`<div class="row">
				<button class="primary" disabled=${text === config.overrides}>Show the change</button>
				<button type="button" disabled=${text === config.overrides}
					onClick=${() => set(config.overrides)}>Discard</button></div>`}
		</form>
		${!config.writes
			&& html`<p class="dim">The gate may not write it: <code>admin: {writes: on}</code> lets it,
				or it runs without a file.</p>`}
		${change && html`<${ChangeDialog} title="Change the configuration" change=${change}
			close=${() => setChange(null)} done=${reload} />`}<//>`;
}

const File = ({ f }) => html`<${Card} title=${f.path}
	side=${html`<span class="mono dim">${f.hash}</span>
	${f.writable && html`<${Pill}>changes are written here<//>`}`}>
	<${Code} text=${f.text} label=${f.path} /><//>`;

export default function Config() {
	const { data, error, reload } = useGet("/config");

	usePending(reload);
	const reload_gate = () => ask({
		title: "Read the configuration anew", action: "Reload",
		text: "Files, rules and certificates are read; on any fault the present ones stay. Nothing drops.",
		run: async () => {
			const answer = await post("/config/reload");

			if (!answer.ok)
				throw new Error(answer.error);
			toast("The gate serves with what it read.");
			reload();
		},
	});

	return html`<${Head} title="Configuration"
		about=${data && html`Version <span class="mono">${data.hash}</span>`}>
			${may("administrator") && html`<button type="button"
				onClick=${reload_gate}>Reload</button>`}<//>
		<${Problem} error=${error} retry=${reload} />
		${!data && !error && html`<${Card}><${Skeleton} lines=${10} /><//>`}
		${data && html`<${Overrides} key=${data.hash} config=${data} reload=${reload} />
			${data.files.map((f) => html`<${File} key=${f.path} f=${f} />`)}
			${data.files.length === 0
				&& html`<${Card}><${Empty} icon="config" title="The gate runs without a file">
				<p><code>embergate ctl init</code> writes one.</p><//><//>`}`}`;
}
