/* The screens: where they are, what they are called, and who may see them. Each is loaded when it is opened.
 * A row with `icon` stands in the menu, under its group. `under`: the row that the menu marks instead. */
export const routes = [
	{ path: "/", title: "Overview", icon: "overview", group: "", load: () => import("./screens/overview.js") },
];
