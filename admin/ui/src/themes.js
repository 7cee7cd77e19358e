/* Light, dark, or as the system has it. theme.js sets it before the first paint. */
import { signal } from "@preact/signals";

const ORDER = ["auto", "light", "dark"];

export const theme = signal(document.documentElement.dataset.theme ?? "auto");

/* Colours that a canvas has to read anew. */
export const paint = signal(0);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint.value++);

export function set_theme(word) {
	theme.value = word;
	if (word === "auto")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = word;
	try {
		localStorage.setItem("theme", word);
	} catch {
		/* no storage: until the tab is closed */
	}
	paint.value++;
}

export const next_theme = () => set_theme(ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length]);
