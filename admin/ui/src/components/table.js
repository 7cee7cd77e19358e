/* A table that becomes a list of cards where it is narrow; rows come a page at a time. */
import { html } from "htm/preact";
import { requery, route } from "../router.js";
import { Empty, Problem, Skeleton } from "./bits.js";

/* The order is in the address, and the gate's to make: a page is not the whole. */
const order = (c) => (c.sort === (route.value.query.sort ?? "id") ? c.falls ? "descending" : "ascending" : undefined);

const sorter = (c) => html`<button type="button" class="sort" onClick=${() => requery({ sort: c.sort === "id" ? "" : c.sort })}>
	${c.head}<span aria-hidden="true">${order(c) ? (c.falls ? " ▾" : " ▴") : ""}</span></button>
	<span class="narrow">${c.head}</span>`;

const head = (c) => html`
	<th key=${c.name} scope="col" role="columnheader" class=${c.num ? "num" : ""} aria-sort=${c.sort && (order(c) ?? "none")}>
		${c.sort ? sorter(c) : c.head ?? html`<span class="unseen">Actions</span>`}</th>`;

const cell = (c, row, href) => html`
	<td key=${c.name} role="cell" class="${c.num ? "num" : ""} ${c.wide ? "wide" : ""} c-${c.name}"
		data-label=${c.head ?? ""}>
		${href ? html`<a class="row-link" href=${href}>${c.cell(row)}</a>` : c.cell(row)}</td>`;

/* columns: [{name, head, cell(row), num?, wide?: not where it is narrow, sort?: the word of `sort` for its order, falls?: from
 * the most}]; the first column has the row's link. */
export const Table = ({ label, columns, rows, row_key, href, mark }) => html`
	<div class="table-box">
		<table role="table" class="table ${href ? "linked" : ""}" aria-label=${label}>
			<thead role="rowgroup"><tr role="row">${columns.map(head)}</tr></thead>
			<tbody role="rowgroup">${rows.map((row) => html`
				<tr role="row" key=${row_key(row)} class=${mark?.(row) ?? ""}>
					${columns.map((c, i) => cell(c, row, i === 0 && href?.(row)))}</tr>`)}
			</tbody>
		</table>
	</div>`;

const More = ({ pages }) =>
	pages.has_more && html`<div class="more"><button type="button" disabled=${pages.loading} onClick=${pages.more}>
		${pages.loading ? "Loading" : "Show more"}</button></div>`;

/* A table over usePages() or useGet() of a list. `empty`: what to say where there is nothing. */
export function Listing({ pages, empty, ...table }) {
	const rows = pages.items ?? pages.data?.items;

	if (!rows)
		return pages.error ? html`<${Problem} error=${pages.error} retry=${pages.reload} />`
			: html`<${Skeleton} lines=${6} />`;
	return html`
		<${Problem} error=${pages.error} retry=${pages.reload} />
		${rows.length ? html`<${Table} rows=${rows} ...${table} />`
			: empty ?? html`<${Empty} title="Nothing here" />`}
		<${More} pages=${pages} />`;
}
