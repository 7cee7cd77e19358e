/* The screens: where they are, what they are called, and who may see them. Each is loaded when it is opened.
 * A row with `icon` stands in the menu, under its group. `under`: the row that the menu marks instead. */
export const routes = [
	{ path: "/", title: "Overview", icon: "overview", group: "", load: () => import("./screens/overview.js") },
	{ path: "/events", title: "Live events", icon: "events", group: "", load: () => import("./screens/events.js") },
	{ path: "/events/:id", title: "Event", under: "/events", load: () => import("./screens/event.js") },
	{ path: "/false-positives", title: "False positives", icon: "fp", group: "", load: () => import("./screens/false_positives.js") },

	{ path: "/apps", title: "Apps", icon: "apps", group: "Protection", load: () => import("./screens/apps.js") },
	{ path: "/apps/:name", title: "App", under: "/apps", load: () => import("./screens/app.js") },

	{ path: "/config", title: "Configuration", icon: "config", group: "System", load: () => import("./screens/config.js") },
	{ path: "/audit", title: "Audit", icon: "audit", group: "System", role: "administrator", load: () => import("./screens/audit.js") },
	{ path: "/users", title: "Users & tokens", icon: "users", group: "System", role: "administrator", load: () => import("./screens/users.js") },
	{ path: "/account", title: "Account", icon: "settings", group: "System", load: () => import("./screens/account.js") },
	{ path: "/privacy", title: "Privacy", icon: "privacy", group: "System", load: () => import("./screens/privacy.js") },
];
