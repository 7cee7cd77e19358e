/* api_edit.c -- what the routes of the configuration share. */
#include "admin/api/api_edit.h"

void edit_config_of(struct api_call *c, struct edit_config *e)
{
	const struct admin_hooks *h = &c->admin->hooks;

	h->edit->config(h->ctx, c->arena, e);
}

const struct edit_app *edit_apps_of(struct api_call *c, size_t *n)
{
	const struct admin_hooks *h = &c->admin->hooks;
	const struct edit_app *apps = h->edit->apps(h->ctx, c->arena, n);

	if (!apps)
		api_problem(c, 503, "out of memory");
	return apps;
}

struct bytes edit_tag(char room[EDIT_TAG], uint64_t hash)
{
	int n = snprintf(room, EDIT_TAG, "\"%016llx\"", (unsigned long long)hash);

	return (struct bytes){ room, (size_t)n };
}

void edit_put_hash(struct json_out *o, const char *key, uint64_t hash)
{
	char tag[EDIT_TAG];
	struct bytes b = edit_tag(tag, hash);

	out_text(o, key, bytes_sub(b, 1, b.len - 1));
}

void edit_put_words(struct json_out *o, const char *key, const struct edit_words *w)
{
	out_list(o, key);
	for (size_t i = 0; i < w->n; i++)
		out_text(o, NULL, w->at[i]);
	out_end(o);
}

static const struct api_field place_fields[] = {
	{ "file", API_TEXT, .help = "or an option of the command line" },
	{ "line", API_INT, .help = "counted from 1; 0: of an option" },
};
const struct api_shape edit_place_shape = API_SHAPE("Place", place_fields);

void edit_put_place(struct json_out *o, const struct edit_place *p)
{
	out_object(o, "where");
	out_str(o, "file", p->file);
	out_int(o, "line", p->line);
	out_end(o);
}
