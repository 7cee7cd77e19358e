/* Any text is a configuration, the same each time, or an error with a place. */
#include "proxy/config.h"

#define CLAIM(x) do { if (!(x)) abort(); } while (0)

static void error_names_a_place(const struct err *e)
{
	unsigned line, column;
	char colon;

	CLAIM(e->side == SIDE_CONFIG);
	CLAIM(sscanf(e->text, "fuzz.yaml:%u:%u%c", &line, &column, &colon) == 3);
	CLAIM(line > 0 && column > 0 && colon == ':');
	CLAIM(!strpbrk(e->text, "\r\n\033"));
}

/* What the gate relies on without asking again. */
static void app_is_whole(const struct config *c, const struct app_config *a)
{
	CLAIM(a->name.len > 0);
	CLAIM(a->nlistens + c->nlistens > 0);
	CLAIM(a->upstream.nservers > 0);
	for (size_t i = 0; i < a->upstream.nservers; i++)
		CLAIM(a->upstream.servers[i].host && a->upstream.servers[i].host[0] &&
		      a->upstream.servers[i].port && a->upstream.servers[i].weight);
	for (size_t i = 0; i < a->nrules; i++)
		CLAIM(a->rules[i].name.len > 0 && a->rules[i].act < REMEDY_COUNT);
	for (size_t i = 0; i < a->nlimits; i++)
		CLAIM(a->limits[i].count && a->limits[i].per_ms && a->limits[i].burst);
	for (size_t i = 0; i < a->nlistens; i++)
		CLAIM(a->listens[i].port && a->listens[i].timeouts == &a->timeouts);
	CLAIM(a->timeouts.head_ms >= 1000 && a->size.head_bytes >= 1024);
}

static void config_is_whole(const struct config *c)
{
	CLAIM(c->napps > 0 && c->state && c->ctl_socket);
	for (size_t i = 0; i < c->nlistens; i++)
		CLAIM(c->listens[i].port && c->listens[i].timeouts == &c->timeouts);
	for (size_t i = 0; i < c->napps; i++)
		app_is_whole(c, &c->apps[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct err e1 = { 0 }, e2 = { 0 };
	struct config *a = config_parse(text, "fuzz.yaml", NULL, NULL, &e1);
	struct config *b = config_parse(text, "fuzz.yaml", NULL, NULL, &e2);

	CLAIM(!a == !b && strcmp(e1.text, e2.text) == 0);
	if (a) {
		CLAIM(a->hash == b->hash && a->napps == b->napps);
		config_is_whole(a);
	} else {
		error_names_a_place(&e1);
	}
	config_free(a);
	config_free(b);
	return 0;
}
