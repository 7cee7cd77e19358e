/* Where the dashboard begins: who is there decides what is shown. */
import { html, render } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { session } from "./api.js";
import { Problem } from "./components/bits.js";
import { Shell } from "./components/shell.js";
import { route, route_start } from "./router.js";
import { Login } from "./screens/login.js";
import { session_begin } from "./session.js";
import { stream_start } from "./stream.js";

function App() {
	const [error, set] = useState(null);
	const begin = () => {
		set(null);
		session_begin().catch(set);
	};

	useEffect(begin, []);
	if (error)
		return html`<main class="door"><${Problem} error=${error} retry=${begin} /></main>`;
	if (session.value === undefined)
		return null;
	return session.value && route.value.path !== "/setup" ? html`<${Shell} />` : html`<${Login} />`;
}

route_start();
stream_start();
render(html`<${App} />`, document.getElementById("root"));
