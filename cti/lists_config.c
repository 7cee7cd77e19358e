/* lists_config.c -- the configured lists: copied, and at a reload put in the place of the old ones. */
#include "cti/lists_parts.h"
#include <errno.h>
#include <stdlib.h>

enum { CONFIGS_MAX = 64 << 20 };

static void list_free(struct list *l)
{
	if (!l)
		return;
	deadline_clear(&l->due);
	list_reading_drop(l->reading);
	list_set_free(l->held);
	free(l);
}

void lists_config_end(struct lists_config *k)
{
	for (size_t i = 0; k->at && i < k->n; i++)
		list_free(k->at[i]);
	free(k->at);
	free(k->told);
	arena_free(k->arena);
}

void lists_config_free(struct lists_config *k)
{
	if (k)
		lists_config_end(k);
	free(k);
}

static struct list *list_new(struct lists *ls, struct arena *a, const struct list_config *c)
{
	struct list *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->lists = ls;
	l->c = *c;
	l->c.name = arena_copy(a, c->name);
	l->c.url = arena_copy(a, c->url);
	l->c.column = arena_copy(a, c->column);
	l->c.sha256 = arena_copy(a, c->sha256);
	l->c.file = c->file ? arena_str(a, bytes_of(c->file)) : NULL;
	l->keep = (struct list_keep){ ls->dir[0] && c->url.len ? ls->dir : NULL, l->c.name, l->c.url };
	return l;
}

static bool is_named_once(const struct list_config *c, size_t i, struct err *err)
{
	if (!c[i].name.len || c[i].name.len > LISTS_NAME_MAX)
		return err_set(err, SIDE_CONFIG, 0, "a list's name has 1 to %d bytes", LISTS_NAME_MAX);
	for (size_t k = 0; k < i; k++)
		if (bytes_eq(c[k].name, c[i].name))
			return err_set(err, SIDE_CONFIG, 0, "two lists are called '%.*s': give one a `name`", BYTES_ARG(c[i].name));
	return true;
}

struct lists_config *lists_config_new(struct lists *ls, const struct list_config *c, size_t n, struct err *err)
{
	struct lists_config *k = calloc(1, sizeof *k);
	bool ok = k && (k->at = calloc(n + 1, sizeof(struct list *))) && (k->told = calloc(n + 1, sizeof *k->told)) &&
		  (k->arena = arena_new(CONFIGS_MAX));

	if (!ok)
		err_set(err, SIDE_SELF, ENOMEM, "out of memory");
	for (; ok && k->n < n; k->n++) {
		ok = is_named_once(c, k->n, err);
		if (ok && !(k->at[k->n] = list_new(ls, k->arena, &c[k->n])))
			ok = err_set(err, SIDE_SELF, ENOMEM, "out of memory");
	}
	if (ok) {
		k->lists = ls;
		return k;
	}
	lists_config_free(k);
	return NULL;
}

/* What was read would be read the same again. */
static bool is_same_source(const struct list_config *a, const struct list_config *b)
{
	return bytes_eq(a->name, b->name) && bytes_eq(a->url, b->url) && bytes_eq(bytes_of(a->file), bytes_of(b->file)) &&
	       a->format == b->format && bytes_eq(a->column, b->column) && bytes_eq(a->sha256, b->sha256) &&
	       (a->act == REMEDY_ALLOW) == (b->act == REMEDY_ALLOW);
}

static void inherit(struct list *l, struct list *from)
{
	l->held = from->held;
	l->mark = from->mark;
	l->failures = from->failures;
	memcpy(l->trouble, from->trouble, sizeof l->trouble);
	from->held = NULL;
	if (l->held)
		l->held->c = &l->c;
}

/* Takes the configured lists and leaves the old ones there; what two of them hold is moved. */
static void put_in_place(struct lists *ls, struct lists_config *k)
{
	struct lists_config old = { .arena = ls->configs, .at = ls->at, .told = ls->told, .n = ls->n };

	for (size_t i = 0; i < old.n; i++) {
		deadline_clear(&old.at[i]->due);
		list_reading_drop(old.at[i]->reading);
		for (size_t j = 0; j < k->n; j++)
			if (is_same_source(&k->at[j]->c, &old.at[i]->c))
				inherit(k->at[j], old.at[i]);
	}
	pthread_mutex_lock(&ls->lock);
	ls->configs = k->arena;
	ls->at = k->at;
	ls->n = k->n;
	ls->told = k->told;
	ls->ntold = k->n;
	pthread_mutex_unlock(&ls->lock);
	*k = old;
}

/* Until readers have left what is about to be freed. */
static void publish_surely(struct lists *ls)
{
	while (!lists_publish(ls))
		nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
}

/* What is kept first, then the file; a URL is asked on the loop. */
static void read_first(struct list *l)
{
	if (l->held)
		return;
	if (l->c.file)
		list_reading_now(l, false);
	else if (list_keep_mark(&l->keep, &l->mark))
		list_reading_now(l, true);
	if (!l->held && l->c.url.len)
		l->mark = (struct list_mark){ 0 };
}

void lists_config_take(struct lists *ls, struct lists_config *k)
{
	put_in_place(ls, k);
	publish_surely(ls);
	lists_config_free(k);
	for (size_t i = 0; i < ls->n; i++) {
		read_first(ls->at[i]);
		list_turn_begin(ls->at[i]);
	}
	lists_tell(ls);
}
