/* config_parts.h -- what the files of the configuration share.
 *
 * config.c        from a tree to a struct config; its manual
 * config_quick.c  the options of the command line become a tree
 * config_files.c  a file and its includes become one tree
 * config_tables.c, config_app_tables.c: every key, its unit, bounds, default, help
 * config_challenge.c  the same of `challenge`, with its hooks
 * config_behaviour.c  scenarios, profiles, logins, routes
 * config_log_tables.c: the keys of `logs`
 * config_tell.c       of `log: {syslog}` and `notify`
 * config_reputation.c  redis, cti, lapi
 * config_types.c  values that only a gate has: addresses, hosts, URLs, patterns
 * config_overrides.c  what the API and ctl have changed, over the files
 * config_globs.c  names of files with wildcards
 * config_hooks.c  what depends on several keys of one table
 * config_check.c  what depends on several tables: hosts and listeners */
#ifndef PROXY_CONFIG_PARTS_H
#define PROXY_CONFIG_PARTS_H
#include "base/schema_type.h"
#include "proxy/config.h"

/* One reading; schema.user in the hooks. */
struct config_reading {
	struct config *config;
	config_warn *warn;
	void *ctx;
	uint64_t now_s;
};

struct config *config_new(void); /* NULL: out of memory */
/* Reads the tree and checks the whole. */
bool config_fill(struct config *, const struct yaml_node *root, const struct config_how *, struct err *);

/* The tree of a file (or of `text`, when that is not NULL) and of all that it
 * includes, owned by the config's arena. Sets config->hash. */
const struct yaml_node *config_files_load(struct config *, const char *path, const struct bytes *text,
					  struct err *);

/* Keeps the text, for who asks what runs, and adds it to the hash. */
bool config_files_keep(struct config *, const struct yaml_doc *, struct err *);
/* The tree with what is in the state directory's overrides over it. NULL: err. */
const struct yaml_node *config_overrides_join(struct config *, const struct yaml_node *root, const struct config_how *,
					      struct err *);
struct bytes config_state_directory(void); /* where nothing names one */

struct config_names {
	const char **at;
	size_t n, cap;
};
/* Adds what a name or a glob stands for, as seen from the file it stands in:
 * NULL, or what is wrong. Only the last part of a path may hold wildcards, so
 * that a pattern reads one directory and no tree. */
const char *config_glob(struct arena *, const struct yaml_node *, struct config_names *);

extern const struct schema_table config_table;
extern const struct schema_word config_log_types[]; /* by log_input_config.type */
/* The words of enums, for who shows a configuration: */
extern const struct schema_word config_balances[], config_rulesets[], config_exception_parts[], config_bots_modes[],
	config_levels[] /* of a challenge */;
const char *config_word(const struct schema_word *, uint64_t value);

extern const struct schema_type config_type_bind, /* struct bytes: ":443", "127.0.0.1:80" */
	config_type_host,       /* struct bytes: "shop.example", "*.shop.example", in lower case */
	config_type_url,        /* struct bytes: "http://host:port" */
	config_type_method,     /* struct bytes: "GET" */
	config_type_pattern,    /* struct bytes: "/login", "*.php" */
	config_type_ja4,        /* struct bytes: "t13d1516h2_8daaf6152771_e5627efa2ab1", "t13i*" */
	config_type_path,       /* struct bytes: "/healthz?full", fit for a request line */
	config_type_link,       /* struct bytes: https://, http://, data:image/ or a path */
	config_type_log_file,   /* const char *: a file or "-" */
	config_type_rule_files; /* const char ** and their number; globs expanded */

/* The pieces of what the types above have taken for good. */
bool config_bind_parse(struct bytes, struct ip *, uint16_t *port, bool *any);
bool config_url_parse(struct bytes url, bool *tls, struct bytes *host, uint16_t *port, const char **why);

/* Hooks, one or two a table. */
bool config_listen_end(struct schema *, const struct yaml_node *, void *listen);
bool config_admin_end(struct schema *, const struct yaml_node *, void *admin);
bool config_server_end(struct schema *, const struct yaml_node *, void *server);
bool config_limit_end(struct schema *, const struct yaml_node *, void *limit);
bool config_rule_end(struct schema *, const struct yaml_node *, void *rule);
bool config_exception_end(struct schema *, const struct yaml_node *, void *exception);
bool config_app_begin(struct schema *, const struct yaml_node *, void *app);
bool config_app_end(struct schema *, const struct yaml_node *, void *app);

/* Default listeners; hosts and addresses that are claimed twice. */
bool config_check(struct config *, struct where top, struct err *);
#endif
