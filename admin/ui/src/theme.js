/* A chosen theme is set before the first paint; so this is a script of its own, and blocks. */
try {
	const chosen = localStorage.getItem("theme");

	if (chosen === "dark" || chosen === "light")
		document.documentElement.dataset.theme = chosen;
} catch {
	/* no storage: the system's theme */
}
