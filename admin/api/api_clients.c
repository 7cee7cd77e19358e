/* api_clients.c -- what is known of an address; and what scenarios and agents saw of all. */
#include "admin/api/api_tables.h"
#include "admin/api/reputation_shapes.h"
#include "admin/client_card.h"
#include "base/clock.h"

/* ---- the card of a client ---- */

static const struct api_field on_list_fields[] = {
	{ "name", API_TEXT, .help = "as it is configured" },
	{ "value", API_TEXT, .help = "the entry that has it" },
	{ "remedy", API_TEXT, .words = remedy_words, .help = "of that list" },
};
static const struct api_shape on_list_shape = API_SHAPE("ClientOnList", on_list_fields);

static const struct api_field bucket_fields[] = {
	{ "scenario", API_TEXT, .help = "its name" },
	{ "count", API_INT, .help = "events that it holds" },
	{ "capacity", API_INT, .help = "one more makes it overflow; 0: it has no such bound" },
};
static const struct api_shape bucket_shape = API_SHAPE("ClientBucket", bucket_fields);

static const struct api_field passes_fields[] = {
	{ "app", API_TEXT, .help = "its name" },
	{ "used", API_INT, .help = "passes that its network was given and that still count" },
	{ "of", API_INT, .help = "that it may have at once" },
	{ "window_s", API_INT, .help = "in which they all come back" },
};
static const struct api_shape passes_shape = API_SHAPE("ClientPasses", passes_fields);

static const struct api_field card_fields[] = {
	{ "address", API_TEXT, .help = "the one that was asked about" },
	{ "prefix", API_TEXT, .help = "of IPv4 its /24, of IPv6 its /48" },
	{ "country", API_TEXT, .optional = true, .help = "two letters; known with `geo` files only" },
	{ "as", API_INT, .optional = true, .help = "number of the network, likewise" },
	{ "as_name", API_TEXT, .optional = true, .help = "whose network" },
	{ "bot", API_TEXT, .optional = true, .help = "whose published addresses it is among" },
	{ "decided", API_INT, .help = "decisions against it in the last 72 hours" },
	{ "decisions", API_OBJECT, .list = true, .of = &decision_shape, .help = "that a request of it would meet, at most a hundred" },
	{ "allow", API_OBJECT, .list = true, .of = &decision_shape, .help = "these count before all others" },
	{ "lists", API_OBJECT, .list = true, .of = &on_list_shape, .help = "that have it" },
	{ "buckets", API_OBJECT, .list = true, .of = &bucket_shape, .help = "of scenarios that count by the address alone" },
	{ "passes", API_OBJECT, .list = true, .of = &passes_shape, .help = "of apps where its network has any" },
	{ "alerts", API_OBJECT, .list = true, .of = &alert_shape, .help = "newest first, at most a hundred" },
};
static const struct api_shape card_shape = API_SHAPE("Client", card_fields);

static void put_decisions(struct json_out *o, const char *key, const struct decision *d, size_t n)
{
	out_list(o, key);
	for (size_t i = 0; i < n; i++)
		decision_out(o, &d[i]);
	out_end(o);
}

static void put_lists(struct json_out *o, const struct client_card *c)
{
	out_list(o, "lists");
	for (size_t i = 0; i < c->nlists; i++) {
		out_object(o, NULL);
		out_text(o, "name", c->lists[i].reason);
		out_text(o, "value", c->lists[i].value);
		out_str(o, "remedy", remedy_word(c->lists[i].remedy));
		out_end(o);
	}
	out_end(o);
}

static void put_counted(struct json_out *o, const struct client_card *c)
{
	out_list(o, "buckets");
	for (size_t i = 0; i < c->nbuckets; i++) {
		out_object(o, NULL);
		out_text(o, "scenario", c->buckets[i].scenario);
		out_int(o, "count", c->buckets[i].count);
		out_int(o, "capacity", c->buckets[i].capacity);
		out_end(o);
	}
	out_end(o);
	out_list(o, "passes");
	for (size_t i = 0; i < c->npasses; i++) {
		out_object(o, NULL);
		out_text(o, "app", c->passes[i].app);
		out_int(o, "used", c->passes[i].used);
		out_int(o, "of", c->passes[i].of);
		out_int(o, "window_s", c->passes[i].window_s);
		out_end(o);
	}
	out_end(o);
}

void client_card_out(struct json_out *o, const struct client_card *c)
{
	out_object(o, NULL);
	out_str(o, "address", c->address);
	out_str(o, "prefix", c->prefix);
	out_str(o, "country", c->geo.country[0] ? c->geo.country : NULL);
	if (c->geo.as)
		out_int(o, "as", c->geo.as);
	out_str(o, "as_name", c->geo.as_name[0] ? c->geo.as_name : NULL);
	out_text(o, "bot", c->bot.len ? c->bot : (struct bytes){ 0 });
	out_int(o, "decided", c->decided);
	put_decisions(o, "decisions", c->decisions, c->ndecisions);
	put_decisions(o, "allow", c->allow, c->nallow);
	put_lists(o, c);
	put_counted(o, c);
	out_list(o, "alerts");
	for (size_t i = 0; i < c->nalerts; i++)
		alert_out(o, &c->alerts[i]);
	out_end(o);
	out_end(o);
}

static void tell_card(void *owner, struct client_card *c)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	if (!c) {
		api_problem(owner, 503, "out of memory");
		return;
	}
	client_card_out(&o, c);
	arena_free(c->arena);
	api_answer(owner, 200, &o);
}

static void get_client(struct api_call *c)
{
	struct ip ip;

	if (ip_parse(c->params[0], &ip))
		client_card_ask(c->admin, &ip, tell_card, c);
	else
		api_problem(c, 400, "that is no address");
}

/* ---- alerts ---- */

static const struct api_field alerts_query[] = {
	{ "value", API_TEXT, .optional = true, .max = 255, .help = "only of this source" },
	{ "scenario", API_TEXT, .optional = true, .max = 255, .help = "only of this one" },
	{ "after", API_INT, .optional = true, .help = "`next` of the page before" },
	{ "limit", API_INT, .optional = true, .min = 1, .help = "50, at most 500" },
};
static const struct api_shape alerts_asked = API_SHAPE("AlertQuery", alerts_query);
static const struct api_field alerts_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &alert_shape, .help = "of the last 72 hours, newest first" },
	{ "next", API_TEXT, .optional = true, .help = "for `after`; null: these were the last" },
};
static const struct api_shape alerts_shape = API_SHAPE("Alerts", alerts_fields);

struct page {
	struct api_call *call;
	struct json_out out;
	size_t n, limit;
	uint64_t last;
};

/* One more than the page has is asked for: it tells that there is another page. */
static void take_alert(void *owner, const struct alert *a)
{
	struct page *p = owner;

	if (p->n++ >= p->limit)
		return;
	p->last = a->id;
	alert_out(&p->out, a);
}

static void page_done(void *owner)
{
	struct page *p = owner;

	out_end(&p->out);
	if (p->n > p->limit)
		out_id(&p->out, "next", p->last);
	else
		out_null(&p->out, "next");
	out_end(&p->out);
	api_answer(p->call, 200, &p->out);
}

static void get_alerts(struct api_call *c)
{
	struct alerts *alerts = c->admin->hooks.alerts;
	struct page *p = arena_get(c->arena, sizeof *p);
	struct alerts_ask which = { .value = api_query(c, "value"), .scenario = api_query(c, "scenario"),
				    .before = api_query_int(c, "after", 0, INT64_MAX) };

	if (p) {
		*p = (struct page){ .call = c, .out = json_out(API_ANSWER_MAX) };
		p->limit = (size_t)api_query_int(c, "limit", API_PAGE, API_PAGE_MAX);
		which.limit = p->limit + 1;
		out_object(&p->out, NULL);
		out_list(&p->out, "items");
		if (alerts && alerts_find(alerts, &which, c->admin->loop, take_alert, page_done, p))
			return;
		json_out_free(&p->out);
	}
	api_problem(c, 503, "alerts cannot be listed now");
}

static const struct api_route routes[] = {
	{ "GET", "/clients/{ip}", ROLE_VIEWER, "clients", "all that is known of an address", NULL, NULL, &card_shape, get_client },
	{ "GET", "/alerts", ROLE_VIEWER, "clients", "what scenarios and agents saw", &alerts_asked, NULL, &alerts_shape, get_alerts },
};
const struct api_routes api_clients_routes = API_ROUTES(routes);
