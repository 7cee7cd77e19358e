/* archive_where.c -- a condition, put together of literals of ours; what is asked comes in as parameters only.
 *
 * Which index is used is said here and not left to the planner, which knows nothing of what is in the file: the one of ids or
 * addresses where one is named whole, else none (archive_write.c says why). */
#include "admin/archive_where.h"
#include <stdio.h>

enum { WHOLE_ID = 10 /* characters of an id that are its time: fewer fit too many */ };

#define ASK(field) offsetof(struct archive_ask, field)
static const struct { const char *sql; size_t at; } words[] = {
	{ " AND e.app = ", ASK(app) },         { " AND e.action = ", ASK(action) },   { " AND e.source = ", ASK(source) },
	{ " AND e.method = ", ASK(method) },   { " AND e.country = ", ASK(country) },
};
#undef ASK

/* ---- values, numbered as they come ---- */

static void put_value(struct archive_where *w, const char *sql, struct bytes text, int64_t number, const char *behind)
{
	w->values[w->n].text = text;
	w->values[w->n++].number = number;
	text_printf(&w->t, "%s?%d%s", sql, w->n, behind);
}

static void put_text(struct archive_where *w, const char *sql, struct bytes text, const char *behind)
{
	if (text.at)
		put_value(w, sql, text, 0, behind);
}

static void put_number(struct archive_where *w, const char *sql, bool is_there, uint64_t n)
{
	if (is_there)
		put_value(w, sql, (struct bytes){ 0 }, (int64_t)n, "");
}

void archive_where_number(struct archive_where *w, const char *sql, int64_t n)
{
	put_value(w, sql, (struct bytes){ 0 }, n, "");
}

static void put_address(struct archive_where *w, const char *sql, const struct ip *ip)
{
	w->values[w->n].is_blob = true;
	put_value(w, sql, (struct bytes){ (const char *)ip->b, sizeof ip->b }, 0, "");
}

/* ---- the condition ---- */

static bool is_one(const struct archive_ask *ask)
{
	return ask->has_net && ask->net.bits == 128;
}

const char *archive_where_index(const struct archive_where *w)
{
	if (w->ask.id.len >= WHOLE_ID)
		return "INDEXED BY events_ulid";
	return is_one(&w->ask) ? "INDEXED BY events_client" : "NOT INDEXED";
}

static void put_net(struct archive_where *w)
{
	if (is_one(&w->ask)) {
		put_address(w, " AND e.client = ", &w->first);
	} else if (w->ask.has_net) {
		put_address(w, " AND e.client >= ", &w->first);
		put_address(w, " AND e.client <= ", &w->last);
	}
}

void archive_where_put(struct archive_where *w)
{
	const struct archive_ask *ask = &w->ask;

	if (ask->id.at) {
		put_text(w, " AND e.ulid >= ", bytes_of(w->id), "");
		put_text(w, " AND e.ulid <= ", bytes_of(w->end), "");
	}
	put_text(w, " AND e.ja4 >= ", ask->ja4, "");
	put_text(w, " AND e.ja4 < ", ask->ja4, " || '~'"); /* it has letters, digits and '_', which are below */
	put_net(w);
	for (size_t i = 0; i < nelems(words); i++)
		put_text(w, words[i].sql, *(const struct bytes *)(const void *)((const char *)ask + words[i].at), "");
	put_number(w, " AND e.asn = ", ask->has_as, ask->as);
	put_number(w, " AND e.status = ", ask->status, ask->status);
	put_number(w, " AND e.time_ms >= ", ask->from_ms, ask->from_ms);
	put_number(w, " AND e.time_ms < ", ask->to_ms, ask->to_ms);
	put_number(w, " AND e.id < ", ask->before, (uint64_t)ask->before);
	put_number(w, " AND e.id > ", ask->is_behind, (uint64_t)ask->behind);
	if (ask->rule.at)
		put_text(w, " AND holds(e.rules, ", bytes_of(w->rule), ")");
	put_text(w, " AND holds(e.path, ", ask->path, ")");
	if (ask->q.at)
		put_text(w, " AND holds((SELECT words FROM event_texts t WHERE t.id = e.id), ", bytes_of(w->q), ")");
}

/* ---- as they are looked for ---- */

/* From the first address to the last; the base has its host bits cleared. */
static void set_net(struct archive_where *w)
{
	w->first = w->last = w->ask.net.base;
	for (unsigned bit = w->ask.net.bits; bit < 128; bit++)
		w->last.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

/* Ids are upper case; '~' is behind all that they may hold. */
static void set_id(struct archive_where *w)
{
	struct bytes id = bytes_sub(w->ask.id, 0, sizeof w->id - 2);

	for (size_t i = 0; i < id.len; i++)
		w->id[i] = w->end[i] = upper(id.at[i]);
	w->end[id.len] = '~';
}

static void set_texts(struct archive_where *w)
{
	struct bytes q = bytes_sub(w->ask.q, 0, sizeof w->q - 1), rule = bytes_sub(w->ask.rule, 0, ARCHIVE_LOWER - 2);

	for (size_t i = 0; i < q.len; i++)
		w->q[i] = byte_lower(q.at[i]);
	snprintf(w->rule, sizeof w->rule, " %.*s ", BYTES_ARG(rule));
}

void archive_where(struct archive_where *w, const struct archive_ask *ask)
{
	*w = (struct archive_where){ .ask = *ask };
	w->t = text_over(w->text, sizeof w->text - 1);
	set_net(w);
	set_id(w);
	set_texts(w);
}

sqlite3_stmt *archive_where_prepare(struct archive_where *w, struct archive *a, sqlite3 *db)
{
	sqlite3_stmt *s = NULL;

	w->text[w->t.len] = '\0';
	if (!w->t.full)
		s = archive_prepare(a, db, w->text);
	for (int i = 0; s && i < w->n; i++)
		if (w->values[i].is_blob)
			sqlite3_bind_blob(s, i + 1, w->values[i].text.at, (int)w->values[i].text.len, SQLITE_STATIC);
		else if (w->values[i].text.at)
			archive_bind(s, i + 1, w->values[i].text);
		else
			sqlite3_bind_int64(s, i + 1, w->values[i].number);
	return s;
}
