/* peers_notices.c -- what a person has to act on, at any gate, and whose overrides are not those of this one. */
#include "admin/api/peers.h"
#include "cti/share_ask.h"

static void copy_text(struct json_out *o, const struct json *from, const char *key)
{
	struct bytes text;

	out_text(o, key, json_text(from, key, &text) ? text : (struct bytes){ 0 });
}

static void put_items(struct json_out *o, const struct peers_part *part)
{
	const struct json *items = json_at(part->body, "items"), *item;

	for (size_t i = 0; (item = json_item(items, i)); i++) {
		out_object(o, NULL);
		copy_text(o, item, "kind");
		copy_text(o, item, "app");
		copy_text(o, item, "text");
		out_str(o, "node", part->node);
		out_end(o);
	}
}

static void put_gates(struct json_out *o, const struct peers_told *told, struct bytes own)
{
	struct bytes hash;

	out_list(o, "gates");
	for (size_t i = 0; i < told->n; i++) {
		if (!json_text(told->at[i].body, "overrides", &hash))
			continue;
		out_object(o, NULL);
		out_str(o, "node", told->at[i].node);
		out_text(o, "overrides", hash);
		out_flag(o, "differs", !bytes_eq(hash, own));
		out_end(o);
	}
	out_end(o);
}

static void merge_notices(struct api_call *c, const struct peers_told *told)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct bytes own;
	bool writes;

	if (!told->n || !json_text(told->at[0].body, "overrides", &own)) {
		json_out_free(&o);
		api_problem(c, 503, "this gate does not answer");
		return;
	}
	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < told->n; i++)
		put_items(&o, &told->at[i]);
	out_end(&o);
	out_text(&o, "overrides", own);
	out_flag(&o, "cluster_writes", json_flag(told->at[0].body, "cluster_writes", &writes) && writes);
	put_gates(&o, told, own);
	peers_put_silent(&o, told);
	out_end(&o);
	api_answer(c, 200, &o);
}

void peers_notices(struct api_call *c)
{
	peers_ask_as_it_came(c, "/notices", NULL, SHARE_ASK_MS, merge_notices);
}
