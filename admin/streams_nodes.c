/* streams_nodes.c -- gates by name, and what changed. */
#include "admin/streams_nodes.h"
#include "base/json_out.h"
#include "cti/share.h"

static void tell(struct streams *s, const char *name, bool up)
{
	struct json_out o = json_out(1024);

	out_object(&o, NULL);
	out_str(&o, "name", name);
	out_flag(&o, "up", up);
	out_end(&o);
	if (!o.failed)
		streams_tell(s, STREAM_NODE, json_out_bytes(&o));
	json_out_free(&o);
}

static const struct share_node *node_named(const struct share_node *at, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(at[i].name, name) == 0)
			return &at[i];
	return NULL;
}

static bool was_up(const struct streams_nodes *n, const char *name)
{
	for (size_t i = 0; i < n->n; i++)
		if (strcmp(n->at[i].name, name) == 0)
			return n->at[i].up;
	return false;
}

void streams_nodes_look(struct streams_nodes *known, const struct share *share, struct streams *s)
{
	struct share_node now[STREAMS_NODES];
	size_t n = share_nodes(share, now, STREAMS_NODES);

	for (size_t i = 0; known->looked && i < n; i++)
		if (now[i].up != was_up(known, now[i].name))
			tell(s, now[i].name, now[i].up);
	for (size_t i = 0; i < known->n; i++)
		if (known->at[i].up && !node_named(now, n, known->at[i].name))
			tell(s, known->at[i].name, false);
	for (size_t i = 0; i < n; i++) {
		memcpy(known->at[i].name, now[i].name, sizeof known->at[i].name);
		known->at[i].up = now[i].up;
	}
	known->n = n;
	known->looked = true;
}
