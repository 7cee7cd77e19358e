/* The screens: where they are, what they are called, and who may see them. Each is loaded when it is opened.
 * A row with `icon` stands in the menu, under its group. `under`: the row that the menu marks instead. */
export const routes = [
	{ path: "/", title: "Overview", icon: "overview", group: "", load: () => import("./screens/overview.js") },
	{ path: "/events", title: "Live events", icon: "events", group: "", load: () => import("./screens/events.js") },
	{ path: "/events/:id", title: "Event", under: "/events", load: () => import("./screens/event.js") },
	{ path: "/false-positives", title: "False positives", icon: "fp", group: "", load: () => import("./screens/false_positives.js") },

	{ path: "/apps", title: "Apps", icon: "apps", group: "Protection", load: () => import("./screens/apps.js") },
	{ path: "/apps/:name", title: "App", under: "/apps", load: () => import("./screens/app.js") },
	{ path: "/decisions", title: "Decisions", icon: "decisions", group: "Protection", load: () => import("./screens/decisions.js") },
	{ path: "/clients/:ip", title: "Client", under: "/decisions", load: () => import("./screens/client.js") },
	{ path: "/alerts", title: "Alerts", icon: "bell", group: "Protection", load: () => import("./screens/alerts.js") },
	{ path: "/lists", title: "Lists", icon: "lists", group: "Protection", load: () => import("./screens/lists.js") },
	{ path: "/bots", title: "Bots & challenges", icon: "bots", group: "Protection", load: () => import("./screens/bots.js") },
	{ path: "/rules", title: "Rules & scenarios", icon: "rules", group: "Protection", load: () => import("./screens/rules.js") },

	{ path: "/config", title: "Configuration", icon: "config", group: "System", load: () => import("./screens/config.js") },
	{ path: "/cluster", title: "Cluster", icon: "cluster", group: "System", load: () => import("./screens/cluster.js") },
	{ path: "/certs", title: "Certificates", icon: "lock", group: "System", load: () => import("./screens/certs.js") },
	{ path: "/audit", title: "Audit", icon: "audit", group: "System", role: "administrator", load: () => import("./screens/audit.js") },
	{ path: "/users", title: "Users & tokens", icon: "users", group: "System", role: "administrator", load: () => import("./screens/users.js") },
	{ path: "/account", title: "Account", icon: "settings", group: "System", load: () => import("./screens/account.js") },
	{ path: "/privacy", title: "Privacy", icon: "privacy", group: "System", load: () => import("./screens/privacy.js") },
];
