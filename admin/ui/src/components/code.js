/* Text of programs: code to copy, and unified diffs. */
import { html } from "htm/preact";
import { diff_lines } from "../diff.js";
import { Copy } from "./bits.js";

export const Code = ({ text, label, copy = true }) => html`
	<figure class="code" aria-label=${label}>
		${copy && html`<div class="code-side"><${Copy} text=${text} /></div>`}
		<pre tabindex="0"><code>${text}</code></pre>
	</figure>`;

const SAID = { add: "added: ", del: "removed: " };
const SIGN = { add: "+", del: "−", same: " ", hunk: "⋯" };

export const Diff = ({ text, label = "Changes" }) =>
	text ? html`<figure class="code diff" aria-label=${label} tabindex="0"><table role="presentation"><tbody>
		${diff_lines(text).map((l, i) => html`<tr key=${i} class=${l.kind}>
			<td class="at">${l.old ?? ""}</td><td class="at">${l.new ?? ""}</td>
			<td class="sign" aria-hidden="true">${SIGN[l.kind]}</td>
			<td class="line">${SAID[l.kind] && html`<span class="unseen">${SAID[l.kind]}</span>`}
				${l.kind === "hunk" ? "" : l.text || " "}</td>
		</tr>`)}</tbody></table></figure>`
	: html`<p class="dim">Nothing changes.</p>`;
