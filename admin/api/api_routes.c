/* api_routes.c -- the tables of routes, in the order of the manual; and what the API says of itself. */
#include "admin/api/api_tables.h"

static void get_openapi(struct api_call *c)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	api_openapi(&o);
	api_answer(c, 200, &o);
}

static const struct api_route routes[] = {
	{ "GET", "/openapi.json", ROLE_VIEWER, "api", "this API, as OpenAPI 3.1", NULL, NULL, NULL, get_openapi },
};
static const struct api_routes table = API_ROUTES(routes);

const struct api_routes *const api_tables[] = {
	&table,
	&api_status_routes,
	&api_notices_routes,
	&api_events_routes,
	&api_series_routes,
	&api_stream_routes,
	&api_tail_routes,
	&api_config_routes,
	&api_overrides_routes,
	&api_apps_routes,
	&api_exceptions_routes,
	&api_rules_routes,
	&api_replay_routes,
	&api_replay_event_routes,
	&api_suggest_routes,
	&api_session_routes,
	&api_account_routes,
	&api_users_routes,
	&api_audit_routes,
	&api_decisions_routes,
	&api_clients_routes,
	&api_lists_routes,
	&api_notify_routes,
	&api_bots_routes,
	&api_certs_routes,
	&api_keys_routes,
};
const size_t api_ntables = nelems(api_tables);
