/* config_rows.h -- for the files of tables, from which docs/config.md and
 * docs/embergate.schema.json are printed (test_config_docs --write). */
#ifndef PROXY_CONFIG_ROWS_H
#define PROXY_CONFIG_ROWS_H
#include "proxy/config_parts.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE }; /* in ms */

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define TIB ((uint64_t)1 << 40)

#define ROWS(r) .rows = r, .n = nelems(r)
/* A mapping whose keys are fields of the struct around it. */
#define SAME(s) .type = &schema_nested, .at = 0, .size = sizeof(struct s)
#define RESERVED(k) { .key = k, .type = &schema_reserved }
/* A note for people; it is checked and not kept. */
#define NOTE { .key = "reason", .type = &schema_text, .help = "a note on why" }

/* Of the top level and of an app. */
extern const struct schema_table config_listen_table, config_cert_table, config_client_ip_table,
	config_timeouts_table;
extern const struct schema_table config_app_table, config_challenge_table;
extern const struct schema_table config_scenarios_table, config_profile_table; /* config_behaviour.c */
extern const struct schema_table config_watch_table, config_login_table, config_route_table;
extern const struct schema_table config_log_input_table;
extern const struct schema_table config_syslog_table, config_notify_table; /* config_tell.c */
extern const struct schema_table config_bots_table, config_app_bots_table, config_attack_table; /* config_bots.c */
extern const struct schema_table config_redis_table, config_cti_table, config_lapi_table; /* config_reputation.c */
#endif
