/* config.c -- from a tree to a struct config. */
#include "proxy/config_parts.h"
#include "base/clock.h"
#include <sys/un.h>

enum { CONFIG_CAP = 64 << 20 }; /* bytes, without the documents themselves */

struct config *config_new(void)
{
	struct arena *a = arena_new(CONFIG_CAP);
	struct config *c = a ? arena_get(a, sizeof *c) : NULL;

	if (c)
		c->arena = a;
	else
		arena_free(a);
	return c;
}

void config_free(struct config *c)
{
	if (c)
		arena_free(c->arena);
}

/* ---- defaults that depend on where we run ---- */

/* systemd may name several, separated by colons; the first is ours. */
struct bytes config_state_directory(void)
{
	const char *given = getenv("STATE_DIRECTORY");
	struct bytes rest = bytes_of(given ? given : ""), first;

	return bytes_cut(&rest, ':', &first) && first.len ? first : BYTES("./.embergate");
}

enum { SOCKET_PATH_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof ".new" };

static char *socket_place(struct config *c, const char *dir, const char *name)
{
	size_t len = strlen(dir) + strlen(name) + 2;
	char *path = arena_raw(c->arena, len);

	if (path)
		snprintf(path, len, "%s/%s", dir, name);
	return path;
}

static bool set_places(struct config *c, struct where top, struct err *e)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY"); /* of systemd: where ctl looks too */
	const char *dir, *slash;

	if (!c->state && !(c->state = arena_str(c->arena, config_state_directory())))
		return yaml_err(top, e, "out of memory");
	if (!c->ctl_socket && !(c->ctl_socket = socket_place(c, runtime ? runtime : c->state, "ctl.sock")))
		return yaml_err(top, e, "out of memory");
	slash = strrchr(c->ctl_socket, '/');
	dir = slash ? arena_str(c->arena, (struct bytes){ c->ctl_socket, (size_t)(slash - c->ctl_socket) }) : ".";
	if (!dir || !(c->api_socket = socket_place(c, dir, "api.sock")))
		return yaml_err(top, e, "out of memory");
	return (strlen(c->ctl_socket) <= SOCKET_PATH_MAX && strlen(c->api_socket) <= SOCKET_PATH_MAX) ||
	       yaml_err(top, e, "ctl: its path is longer than %zu bytes, more than a unix socket takes: %s",
			(size_t)SOCKET_PATH_MAX, c->ctl_socket);
}

bool config_fill(struct config *c, const struct yaml_node *root, const struct config_how *how, struct err *e)
{
	struct config_reading r = { c, how ? how->warn : NULL, how ? how->ctx : NULL, clock_wall_ms() / 1000 };
	struct schema s = { .arena = c->arena, .err = e, .user = &r };

	return schema_read(&s, &config_table, root, c) && set_places(c, root->where, e) &&
	       config_check(c, root->where, e);
}

/* ---- from a file or a text ---- */

static struct config *load(const char *name, const struct bytes *text, const struct config_how *how, struct err *e)
{
	struct config *c = config_new();
	const struct yaml_node *root;

	if (!c) {
		yaml_err((struct where){ name, 1, 1 }, e, "out of memory");
		return NULL;
	}
	root = config_files_load(c, name, text, e);
	if (root && !text)
		root = config_overrides_join(c, root, how, e);
	c->root = root;
	if (root && config_fill(c, root, how, e))
		return c;
	config_free(c);
	return NULL;
}

struct config *config_load(const char *file, const struct config_how *how, struct err *e)
{
	return load(file, NULL, how, e);
}

struct config *config_parse(struct bytes text, const char *name, config_warn *warn, void *ctx, struct err *e)
{
	const struct config_how how = { NULL, warn, ctx };

	return load(name, &text, &how, e);
}

void config_print_docs(FILE *to)
{
	fputs("# Configuration\n\n"
	      "<!-- Printed from the tables in proxy/config_tables.c and proxy/config_app_tables.c; do not edit. -->\n\n"
	      "The smallest file that works:\n\n"
	      "```yaml\napps:\n  shop:\n    upstream: http://127.0.0.1:3000\n```\n\n"
	      "Durations are written `250ms`, `30s`, `5m`, `1h30m`; sizes `4096`, `256KiB` (1024), `2GB` "
	      "(1000); rates `5/min`. Switches are `on` and `off` (or `true`, `false`); every other value is "
	      "text, quoted or not. A list of one may be written without brackets. File names are relative to "
	      "the file they stand in. An unknown key is an error that names the place and the nearest key. "
	      "Editors check a file that begins with\n"
	      "`# yaml-language-server: $schema=embergate.schema.json` as it is written; "
	      "`embergate check` checks everything.\n\n"
	      "What the dashboard, the API and `embergate ctl exceptions` change goes to one file of its own, `overrides.yaml` "
	      "in the state directory, and never into yours. It has `apps` and `notify` alone and stands over all other "
	      "files: receivers of `notify` stand beside theirs; of an app in "
	      "both, mappings are joined key by key, lists are joined, and any other value of `overrides.yaml` wins. A comment "
	      "above each entry says who made it, and when. Five versions before it are kept (`overrides.yaml.1` to `.5`). "
	      "Whoever edits it by hand reloads before the next change is made. It belongs to one gate: the others of a cluster "
	      "have their own, unless `admin: {cluster_writes: on}` keeps them alike (docs/cluster.md). `admin: {writes: off}` makes all such changes an error, for those whose files come from elsewhere.\n", to);
	schema_print_manual(to, &config_table);
}

void config_print_schema(FILE *to)
{
	schema_print_json(to, &config_table, "Embergate's configuration");
}
