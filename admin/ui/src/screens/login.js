/* The door: a password, perhaps a code, or the link of the first visit. */
import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../components/bits.js";
import { Field, Text } from "../components/form.js";
import { Logo } from "../components/icons.js";
import { go, route } from "../router.js";
import { log_in, set_up, wants_code } from "../session.js";
import { useAction } from "../use.js";

const PASSWORD_MIN = 10;

const Door = ({ title, about, submit, busy, action, error, children }) => html`
	<main class="door"><div class="door-box">
		<p class="brand"><${Logo} size=${30} />Embergate</p>
		<h1 id="title">${title}</h1>${about && html`<p class="about">${about}</p>`}
		<form onSubmit=${(e) => { e.preventDefault(); submit(); }}>
			<${Problem} error=${error} />${children}
			<button class="primary" disabled=${busy}>${busy ? "One moment" : action}</button>
		</form></div></main>`;

const Code = ({ value, on }) => {
	const field = useRef();

	useEffect(() => field.current.focus(), []);
	return html`<${Field} label="Code" hint="Six digits from your authenticator, or a recovery code.">
		<input ref=${field} value=${value} onInput=${(e) => on(e.currentTarget.value.trim())}
			autocomplete="one-time-code"
			inputmode="text" required /><//>`;
};

function PasswordLogin() {
	const [user, setUser] = useState("");
	const [password, setPassword] = useState("");
	const [code, setCode] = useState("");
	const [coded, setCoded] = useState(false);
	const [submit, { busy, error }] = useAction(async () => {
		try {
			await log_in(user, password, code);
		} catch (e) {
			if (!wants_code(e) || coded)
				throw e;
			setCoded(true);
		}
	});

	return html`<${Door} title="Log in" submit=${submit} busy=${busy} error=${error}
		action=${coded ? "Confirm" : "Log in"}>
		<${Field} label="User"><${Text} value=${user} on=${setUser} autocomplete="username" autofocus
			required /><//>
		<${Field} label="Password">
			<${Text} type="password" value=${password} on=${setPassword} autocomplete="current-password"
			required /><//>
		${coded && html`<${Code} value=${code} on=${setCode} />`}
		<p class="field-hint">No account yet, or locked out? On the gate's machine, <code>embergate ctl user
			setup</code> prints a link.</p><//>`;
}

function SetUp({ token, user: invited }) {
	const [user, setUser] = useState(invited ?? "");
	const [password, setPassword] = useState("");
	const [again, setAgain] = useState("");
	const differ = again && password.startsWith(again) === false;
	const [submit, { busy, error }] = useAction(async () => {
		if (password !== again)
			throw new Error("The two passwords differ.");
		await set_up(token, user, password);
		history.replaceState(null, "", "#/");
		go("/");
		route.value = { path: "/", query: {} };
	});

	return html`<${Door} title="Welcome" about="Choose a password. The link works once." submit=${submit}
		busy=${busy} error=${error}
			action="Begin">
		<${Field} label="User" hint=${invited
			? "" : "Letters, digits and . _ @ -; the name that you were told, if you were."}>
			<${Text} value=${user} on=${setUser} autocomplete="username" autofocus=${!invited}
				readonly=${Boolean(invited)} required /><//>
		<${Field} label="Password"
			hint=${`At least ${PASSWORD_MIN} characters; a few words are better than one with odd signs.`}>
			<${Text} type="password" value=${password} on=${setPassword} autocomplete="new-password"
				minlength=${PASSWORD_MIN} required /><//>
		<${Field} label="Password again" error=${differ && "The two differ."}>
			<${Text} type="password" value=${again} on=${setAgain} autocomplete="new-password"
				required /><//><//>`;
}

export const Login = () =>
	route.value.path === "/setup" ? html`<${SetUp} ...${route.value.query} />` : html`<${PasswordLogin} />`;
