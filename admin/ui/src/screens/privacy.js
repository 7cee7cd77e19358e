/* What leaves this installation, in the gate's own words. */
import { html } from "htm/preact";
import { Card, Head, Note, Problem, Skeleton } from "../components/bits.js";
import { useGet } from "../use.js";

export default function Privacy() {
	const { data, error, reload } = useGet("/privacy");

	return html`<${Head} title="Privacy" about="What is kept, for how long, and what is sent." />
		<${Problem} error=${error} retry=${reload} />
		${!data && !error && html`<${Card}><${Skeleton} lines=${8} /><//>`}
		${data && html`<${Note} tone=${data.sharing ? "warn" : "good"}>${data.sharing
			? "You chose to share what is listed below." : "Nothing is sent outside your installation."}<//>
			<${Card}><pre class="statement">${data.text}</pre><//>`}`;
}
