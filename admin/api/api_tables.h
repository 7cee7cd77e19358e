/* api_tables.h -- inside admin/api/: every table of routes, named where api_routes.c lists it. */
#ifndef ADMIN_API_API_TABLES_H
#define ADMIN_API_API_TABLES_H
#include "admin/api/api.h"

extern const struct api_routes api_status_routes; /* api_status.c: the gate, its apps */
extern const struct api_routes api_notices_routes; /* api_notices.c: what a person has to act on */
extern const struct api_routes api_events_routes; /* api_events.c: what was seen */
extern const struct api_routes api_series_routes; /* api_series.c: figures */
extern const struct api_routes api_stream_routes; /* api_stream.c: what happens, as it happens */
extern const struct api_routes api_tail_routes;   /* api_tail.c: the same, for the streams of other gates */
extern const struct api_shape api_event_shape, api_event_detail_shape;
extern const struct api_routes api_session_routes; /* api_session.c: logging in and out, one's own sessions */
extern const struct api_routes api_account_routes; /* api_account.c: what a user does to himself */
extern const struct api_routes api_users_routes;  /* api_users.c: users, tokens */
extern const struct api_routes api_audit_routes;  /* api_audit.c: who changed what */
extern const struct api_routes api_config_routes; /* api_config.c: its files */
extern const struct api_routes api_overrides_routes; /* api_overrides.c: one file for changes at several gates */
extern const struct api_routes api_apps_routes;   /* api_apps.c: the apps as they are configured, and how they are */
extern const struct api_routes api_exceptions_routes; /* api_exceptions.c: what is let through where */
extern const struct api_routes api_rules_routes;  /* api_rules.c: rules and scenarios, and what they found */
extern const struct api_routes api_decisions_routes; /* api_decisions.c: who is held to be what, and allowed */
extern const struct api_routes api_clients_routes; /* api_clients.c: an address, alerts */
extern const struct api_routes api_notify_routes; /* api_notify.c: who is told what happens */
extern const struct api_routes api_lists_routes;  /* api_lists.c: lists, gates, privacy */
extern const struct api_routes api_replay_routes; /* api_replay.c: requests made up before the rules of now */
extern const struct api_routes api_suggest_routes; /* api_suggest.c: what looks like false positives */
extern const struct api_routes api_replay_event_routes; /* api_replay_event.c: events before the rules of now */
extern const struct api_routes api_bots_routes;   /* api_bots.c: challenges, bots */
extern const struct api_routes api_certs_routes;  /* api_certs.c: certificates */
extern const struct api_routes api_keys_routes;   /* api_keys.c: bouncers and machines of the local API */
#endif
