/* Own icons, drawn in 16 x 16 with a line of 1.5. */
import { html } from "htm/preact";

const PATHS = {
	overview: "M2 13.500h12M3.5 11V8M6.5 11V4M9.5 11V6.500M12.5 11V2.5",
	send: "M2 7.5 14 2.5 10.5 13.5 7.500 9zM7.5 9 14 2.5",
	events: "M2.5 4h11M2.5 8h11M2.5 12h7",
	fp: "M8 1.8 14.2 13H1.800zM6 9l1.6 1.600L10.4 7.6",
	apps: "M2.5 2.500h11v4h-11zM2.5 9.500h11v4h-11zM5 4.500h.01M5 11.500h.01",
	bots: "M3 6.500h10v6H3zM8 3.500v3M8 2.500v.5M5.8 9.300v.4M10.2 9.300v.4M1.5 8.500v2M14.5 8.500v2",
	rules: "M3.5 2.500h9v11h-9zM6 5.500h4M6 8h4M6 10.500h2.5",
	decisions: "M8 1.8 13.5 4v4c0 3.2-2.3 5.3-5.5 6.300C4.8 13.3 2.5 11.2 2.5 8V4zM6 6.200l4 4M10 6.200l-4 4",
	lists: "M2.5 3.500h1M6 3.500h7.500M2.5 8h1M6 8h7.500M2.5 12.500h1M6 12.500h7.5",
	cluster: "M8 2.500v4M8 6.5 3.5 10M8 6.500l4.5 3.500M6.5 2h3v2h-3zM2 10h3v2.500H2zM11 10h3v2.500h-3z",
	config: "M2.5 4.500h6M11.5 4.500h2M10 3v3M2.5 11.500h2M7.5 11.500h6M6 10v3",
	audit: "M4 2.500h8v11l-2-1.3-2 1.3-2-1.3-2 1.300zM6 5.500h4M6 8.500h4",
	users: "M6 7.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.8 13.500c0-2.5 1.9-4 4.2-4s4.2 1.5 4.2 4M10.5 2.800a2.3 2.3 0 0 1 0 4.400M11.8 9.900c1.5.5 2.4 1.8 2.4 3.6",
	settings: "M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8 1.800v2M8 12.200v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.400M3.6 12.4 5 11M11 5l1.4-1.4",
	privacy: "M3.5 7h9v6.500h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2M8 9.500v1.5",
	search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14",
	menu: "M2 4h12M2 8h12M2 12h12",
	close: "M3.5 3.500l9 9M12.5 3.500l-9 9",
	sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.500v1M8 13.500v1M1.5 8h1M13.5 8h1M3.4 3.400l.7.7M11.9 11.900l.7.7M3.4 12.600l.7-.7M11.9 4.100l.7-.7",
	moon: "M13.5 9.500A5.8 5.8 0 0 1 6.5 2.500a5.8 5.8 0 1 0 7 7z",
	auto: "M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12",
	copy: "M5.5 5.500h8v8h-8zM3.5 10.500h-1v-8h8v1",
	check: "M3 8.5 6.5 12 13 4.5",
	alert: "M8 1.8 14.5 13.500h-13zM8 6v3.500M8 11.500v.01",
	info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.500V11M8 5v.01",
	next: "M6 3.5 10.5 8 6 12.5",
	down: "M3.5 6 8 10.5 12.5 6",
	pause: "M5.5 3v10M10.5 3v10",
	play: "M4.5 2.500v11L13 8z",
	link: "M6.5 9.500l3-3M7 4.500l1.5-1.500a3 3 0 0 1 4.5 4L11.5 8.500M9 11.5 7.5 13a3 3 0 0 1-4.5-4L4.5 7.5",
	replay: "M3 8a5 5 0 1 0 1.6-3.700M3 2.500v3h3",
	plus: "M8 3v10M3 8h10",
	out: "M9.5 2.500h4v11h-4M2.5 8h7M7 5l2.8 3L7 11",
	bell: "M4 11.500V7a4 4 0 0 1 8 0v4.500M2.5 11.500h11M6.8 13.800h2.4",
	lock: "M3.5 7.500h9v6h-9zM5.5 7.500V5a2.500 2.500 0 0 1 5 0v2.500M8 10v1.500",
	trash: "M3 4.500h10M6 4.500v-2h4v2M4.5 4.500l.5 9h6l.5-9",
};

export const Icon = ({ name, size = 16 }) => html`
	<svg class="icon" width=${size} height=${size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5"
		stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;

export const Logo = ({ size = 26 }) => html`
	<svg class="logo" width=${size} height=${size} viewBox="0 0 32 32" fill="none" aria-hidden="true">
		<path class="logo-gate" d="M6 27V14a10 10 0 0 1 20 0v13" stroke-width="3.2" stroke-linecap="round" />
		<path class="logo-ember" d="M16 27c-3.4 0-5.2-2.3-5.2-4.9 0-3 2.7-4.2 3.4-7.3 3 1.4 2.2 3.5 3.5 4.4.6-.6.8-1.3.8-2.1 1.7 1.3 2.7 3.1 2.7 5 0 2.6-1.8 4.9-5.2 4.900z" />
	</svg>`;
