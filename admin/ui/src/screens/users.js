/* Who may log in, and which programs may ask. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { patch, post, remove, session } from "../api.js";
import { Card, Empty, Head, Note, Pill, Problem, Time } from "../components/bits.js";
import { Code } from "../components/code.js";
import { Dialog, ask } from "../components/dialog.js";
import { Choice, Field, Text } from "../components/form.js";
import { Listing } from "../components/table.js";
import { told } from "../components/toast.js";
import { link } from "../router.js";
import { useAction, useGet } from "../use.js";
import { ENDS, end_of } from "../components/exception.js";

const ROLES = ["viewer", "operator", "administrator"];
const ROLE_WORDS = { viewer: "sees everything but users", operator: "lifts bans, makes exceptions, switches modes",
	administrator: "changes everything" };

/* Something that is shown once: a link or a token. */
const Once = ({ title, text, about, close }) => html`<${Dialog} title=${title} close=${close}
	actions=${html`<button type="button" class="primary" onClick=${close}>I have it</button>`}>
	<p>${about}</p><${Code} text=${text} label=${title} /><//>`;

const Role = ({ value, on }) =>
	html`<${Field} label="Role" hint=${ROLE_WORDS[value]}>
	<${Choice} value=${value} options=${ROLES} on=${on} /><//>`;

function NewDialog({ title, action, close, children, submit }) {
	const [run, { busy, error }] = useAction(submit);

	return html`<${Dialog} title=${title} close=${close}
		actions=${html`<button type="button" onClick=${close}>Cancel</button>
			<button class="primary" form="new" disabled=${busy}>${action}</button>`}>
		<form id="new" class="stack" onSubmit=${(e) => { e.preventDefault(); run(); }}>
			<${Problem} error=${error} />${children}</form><//>`;
}

function NewUser({ close, done }) {
	const [form, set] = useState({ name: "", role: "viewer" });

	return html`<${NewDialog} title="Add a user" action="Make the link" close=${close}
		submit=${async () => done(await post("/users", form))}>
		<${Field} label="Name"><${Text} value=${form.name} on=${(name) => set({ ...form, name })} required
			autofocus /><//>
		<${Role} value=${form.role} on=${(role) => set({ ...form, role })} />
		<p class="field-hint">A link is made with which they choose a password themselves.</p><//>`;
}

function NewToken({ close, done }) {
	const [form, set] = useState({ name: "", role: "viewer", days: "90" });
	const submit = async () =>
		done(await post("/tokens", { name: form.name, role: form.role, until: end_of(form.days) }));

	return html`<${NewDialog} title="Add a token" action="Make the token" close=${close} submit=${submit}>
		<${Field} label="Name" hint="What it is for.">
			<${Text} value=${form.name} on=${(name) => set({ ...form, name })} required autofocus /><//>
		<${Role} value=${form.role} on=${(role) => set({ ...form, role })} />
		<${Field} label="Holds"><${Choice} value=${form.days} options=${ENDS}
			on=${(days) => set({ ...form, days })} /><//><//>`;
}

const link_of = ({ link: text, name }) =>
	`${text.startsWith("http")
		? text : `${location.origin}/#setup=${text.replace(/^.*#setup=/,
		"")}`}&user=${encodeURIComponent(name)}`;

function Users() {
	const users = useGet("/users");
	const [adding, setAdding] = useState(false);
	const [made, setMade] = useState(null);
	const change_role = async (u, role) => {
		await told(patch(`/users/${encodeURIComponent(u.name)}`, { role }), `${u.name} is ${role} now.`);
		users.reload();
	};
	const drop = (u) => ask({
		title: `Remove ${u.name}`, text: "Their sessions end at once.", action: "Remove", tone: "bad",
		run: async () => { await remove(`/users/${encodeURIComponent(u.name)}`); users.reload(); },
	});
	const columns = [
		{ name: "name", head: "User",
			cell: (u) => html`<b>${u.name}</b> ${u.name === session.value.user
			&& html`<${Pill}>you<//>`}` },
		{ name: "role", head: "Role",
			cell: (u) => html`<select aria-label=${`Role of ${u.name}`} value=${u.role}
			disabled=${u.name === session.value.user}
			onChange=${(e) => change_role(u, e.currentTarget.value)}>
				${ROLES.map((r) => html`<option key=${r} value=${r} selected=${r === u.role}>
				${r}</option>`)}</select>` },
		{ name: "totp", head: "Second factor",
			cell: (u) => html`<${Pill} tone=${u.totp ? "good" : "warn"}>${u.totp ? "on" : "off"}<//>` },
		{ name: "seen", head: "Seen", cell: (u) => html`<${Time} at=${u.seen} />` },
		{ name: "made", head: "Since", wide: true, cell: (u) => html`<${Time} at=${u.made} />` },
		{ name: "do", cell: (u) => u.name !== session.value.user
			&& html`<button type="button" onClick=${() => drop(u)}>Remove</button>` },
	];

	return html`<${Card} title="Users" flush
		side=${html`<button type="button" onClick=${() => setAdding(true)}>Add a user</button>`}>
		<${Listing} label="Users" pages=${users} columns=${columns} row_key=${(u) => u.name}
			empty=${html`<${Empty} icon="users" title="No users" />`} />
		${adding && html`<${NewUser} close=${() => setAdding(false)}
			done=${(u) => { setAdding(false); setMade(u); users.reload(); }} />`}
		${made?.link && html`<${Once} title=${`Link for ${made.name}`} text=${link_of(made)}
			close=${() => setMade(null)}
			about="Give it to them. It works once, for 15 minutes, and is not shown again." />`}<//>`;
}

function Tokens() {
	const tokens = useGet("/tokens");
	const [adding, setAdding] = useState(false);
	const [made, setMade] = useState(null);
	const drop = (t) => ask({
		title: `Revoke ${t.name}`, text: "Programs that use it are refused at once.", action: "Revoke",
			tone: "bad",
		run: async () => { await remove(`/tokens/${encodeURIComponent(t.id)}`); tokens.reload(); },
	});
	const columns = [
		{ name: "name", head: "Token", cell: (t) => html`<b>${t.name}</b>` },
		{ name: "role", head: "Role", cell: (t) => t.role },
		{ name: "seen", head: "Used", cell: (t) => html`<${Time} at=${t.seen} />` },
		{ name: "until", head: "Holds until", cell: (t) => html`<${Time} at=${t.until} none="for ever" />` },
		{ name: "made", head: "Since", wide: true, cell: (t) => html`<${Time} at=${t.made} />` },
		{ name: "do", cell: (t) => html`<button type="button" onClick=${() => drop(t)}>Revoke</button>` },
	];

	return html`<${Card} title="Tokens" flush
		side=${html`<button type="button" onClick=${() => setAdding(true)}>Add a token</button>`}>
		<${Listing} label="Tokens" pages=${tokens} columns=${columns} row_key=${(t) => t.id}
			empty=${html`<${Empty} icon="link" title="No tokens">
				<p>With one, a program asks <code>/api/v1</code>: <code>Authorization: Bearer
					TOKEN</code>.</p><//>`} />
		${adding && html`<${NewToken} close=${() => setAdding(false)}
			done=${(t) => { setAdding(false); setMade(t); tokens.reload(); }} />`}
		${made && html`<${Once} title="Token" text=${made.token} close=${() => setMade(null)}
			about="Only its hash is kept: this is the one time that it is shown." />`}<//>`;
}

export default () => html`<${Head} title="Users & tokens" />
	<${Note}><p>Your own password, second factor and sessions are in <a
		href=${link("/account")}>Account</a>.</p><//><${Users} /><${Tokens} />`;
