/* One's own: password, second factor, sessions, looks. */
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { get, post, put, remove, session } from "../api.js";
import { Card, Facts, Head, Note, Pill, Problem, Time } from "../components/bits.js";
import { Code } from "../components/code.js";
import { Field, Segments, Text } from "../components/form.js";
import { Listing } from "../components/table.js";
import { toast, told } from "../components/toast.js";
import { set_theme, theme } from "../themes.js";
import { useAction, useGet } from "../use.js";

const again = async () => (session.value = await get("/session"));

const form_of = (submit) => (e) => {
	e.preventDefault();
	submit();
};

function Password() {
	const [form, set] = useState({ old: "", new: "" });
	const [submit, { busy, error }] = useAction(async () => {
		await post("/session/password", form);
		set({ old: "", new: "" });
		toast("The password is changed. Your other sessions have ended.");
	});

	return html`<${Card} title="Password"><form class="stack" onSubmit=${form_of(submit)}>
		<${Problem} error=${error} />
		<${Field} label="Present password">
			<${Text} type="password" value=${form.old} on=${(v) => set({ ...form, old: v })}
			autocomplete="current-password" required /><//>
		<${Field} label="New password" hint="At least 10 characters.">
			<${Text} type="password" value=${form.new} on=${(v) => set({ ...form, new: v })}
			autocomplete="new-password" minlength="10" required /><//>
		<div><button class="primary" disabled=${busy}>Change</button></div></form><//>`;
}

/* Dark on white in both themes, with the margin that readers want. */
function Picture({ text }) {
	const [rows, set] = useState(null);

	useEffect(() => void import("../qr.js").then(({ qr }) => set(qr(text))), [text]);
	const size = (rows?.length ?? 0) + 8;
	const path = rows?.map((row, r) =>
		row.map((on, c) => (on ? `M${c + 4} ${r + 4}h1v1h-1z` : "")).join("")).join("");

	return html`<svg class="qr" viewBox=${`0 0 ${size} ${size}`} role="img" aria-label="QR code of the key"
		shape-rendering="crispEdges">
		<rect width=${size} height=${size} fill="#fff" /><path d=${path} fill="#000" /></svg>`;
}

function TurnOn() {
	const [secret, setSecret] = useState(null);
	const [code, setCode] = useState("");
	const [recovery, setRecovery] = useState(null);
	const [begin, beginning] = useAction(async () => setSecret(await post("/session/totp", {})));
	const [confirm, confirming] = useAction(async () =>
		setRecovery((await put("/session/totp", { code })).recovery));

	if (recovery)
		return html`<${Note} tone="good">The second factor is on.<//>
			<p>Keep these codes where you find them without your phone. Each works once.</p>
			<${Code} text=${recovery.join("\n")} label="Recovery codes" /><div>
				<button type="button" class="primary" onClick=${again}>I have them</button></div>`;
	if (!secret)
		return html`<p>A code from an app on your phone, beside the password.</p>
			<${Problem} error=${beginning.error} />
			<div><button type="button" class="primary" disabled=${beginning.busy}
				onClick=${() => begin()}>Turn on</button></div>`;
	return html`<form class="stack" onSubmit=${form_of(confirm)}><${Problem} error=${confirming.error} />
		<p>Show this to your authenticator, or type the key below (time-based, six digits).</p>
		<${Picture} text=${secret.uri} /><${Code} text=${secret.secret} label="Key" />
		<${Field} label="Code" hint="Six digits, as it shows now.">
			<${Text} value=${code} on=${(v) => setCode(v.trim())} inputmode="numeric"
			autocomplete="one-time-code" required /><//>
		<div><button class="primary" disabled=${confirming.busy}>Confirm</button></div></form>`;
}

function TurnOff() {
	const [password, set] = useState("");
	const [off, { busy, error }] = useAction(async () => {
		await post("/session/totp/off", { password });
		await again();
	});

	return html`<form class="stack" onSubmit=${form_of(off)}><p><${Pill} tone="good">on<//></p>
		<${Problem} error=${error} />
		<${Field} label="Password">
			<${Text} type="password" value=${password} on=${set} autocomplete="current-password"
			required /><//>
		<div><button disabled=${busy}>Turn off</button></div></form>`;
}

function Sessions() {
	const sessions = useGet("/sessions");
	const end = async (s) => {
		await told(remove(`/sessions/${encodeURIComponent(s.id)}`), "The session has ended.");
		sessions.reload();
	};
	const columns = [
		{ name: "agent", head: "Browser",
			cell: (s) => html`<span class="break">
			${s.agent || "unknown"}</span> ${s.current && html`<${Pill} tone="good">this one<//>`}` },
		{ name: "address", head: "From", cell: (s) => html`<span class="mono">${s.address}</span>` },
		{ name: "seen", head: "Seen", cell: (s) => html`<${Time} at=${s.seen} />` },
		{ name: "made", head: "Since", cell: (s) => html`<${Time} at=${s.made} />` },
		{ name: "do", cell: (s) => !s.current
			&& html`<button type="button" onClick=${() => end(s)}>End</button>` },
	];

	return html`<${Card} title="Sessions" flush>
		<${Listing} label="Sessions" pages=${sessions} columns=${columns} row_key=${(s) => s.id} /><//>`;
}

export default function Account() {
	const s = session.value;

	return html`<${Head} title="Account" />
		<div class="grid"><${Card} title="You">
			<${Facts} of=${[["User", s.user], ["Role", s.role],
			["Logged in until", s.expires && html`<${Time} at=${s.expires} />`],
			["Gate", `version ${s.version}`]]} />
			<div class="row"><span>Theme</span>
				<${Segments} label="Theme" value=${theme.value}
				options=${[["auto", "System"], ["light", "Light"], ["dark", "Dark"]]}
				on=${set_theme} /></div><//>
			<${Password} /><${Card} title="Second factor">
				${s.totp ? html`<${TurnOff} />` : html`<${TurnOn} />`}<//></div>
		<${Sessions} />`;
}
