/* bots_ranges.c -- published ranges: read, made disjoint, searched by halves. */
#include "proxy/bots_ranges.h"
#include "base/json.h"
#include <stdio.h>
#include <stdlib.h>

struct range {
	struct ip first, last;
};

struct ranges {
	size_t n, cap;
	struct range *at;
};

/* ---- one block ---- */

static bool add(struct ranges *r, const struct ip_net *net, struct err *err)
{
	struct range *at;

	if (r->n == RANGES_MAX)
		return err_set(err, SIDE_CONFIG, 0, "more than %d blocks", RANGES_MAX);
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		if (!(at = realloc(r->at, r->cap * sizeof *at)))
			return err_set(err, SIDE_SELF, 0, "out of memory");
		r->at = at;
	}
	at = &r->at[r->n++];
	*at = (struct range){ net->base, net->base };
	for (unsigned bit = net->bits; bit < 128; bit++)
		at->last.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return true;
}

/* IPv4 lies within IPv6 (ip.h): a wide block of that may hold all of it. */
static bool is_too_wide(const struct ip_net *net)
{
	static const struct ip any4 = { { [10] = 0xff, [11] = 0xff } };
	unsigned widest = ip_in_net(&any4, net) || ip_is4(&net->base) ? 96 + RANGES_WIDEST4 : RANGES_WIDEST6;

	return net->bits < widest;
}

static bool add_text(struct ranges *r, struct bytes text, struct err *err)
{
	struct ip_net net;

	if (!ip_net_parse(text, &net))
		return err_set(err, SIDE_CONFIG, 0, "'%.*s' is no block of addresses", (int)(text.len > 48 ? 48 : text.len), text.at);
	if (is_too_wide(&net))
		return err_set(err, SIDE_CONFIG, 0, "'%.*s' is too wide to be one vendor's", BYTES_ARG(text));
	return add(r, &net, err);
}

/* ---- the two forms ---- */

static bool read_prefix(struct ranges *r, const struct json *item, struct err *err)
{
	static const char *const keys[] = { "ipv4Prefix", "ipv6Prefix", "ip_prefix", "ipv6_prefix" };
	bool any = false;
	struct bytes text;

	for (size_t i = 0; i < nelems(keys); i++)
		if (json_text(item, keys[i], &text)) {
			any = true;
			if (!add_text(r, text, err))
				return false;
		}
	return any || err_set(err, SIDE_CONFIG, 0, "it has neither ipv4Prefix nor ipv6Prefix");
}

static bool read_json(struct ranges *r, struct bytes text, struct err *err)
{
	const struct json_limits limits = { .bytes = RANGES_BYTES, .depth = 8 };
	struct json *doc = json_read(text, &limits, err);
	const struct json *list = doc ? json_at(doc, "prefixes") : NULL;
	size_t n = list ? json_length(list, "") : 0;
	bool ok = doc && (n || err_set(err, SIDE_CONFIG, 0, "it has no list `prefixes`"));

	for (size_t i = 0; ok && i < n; i++)
		if (!(ok = read_prefix(r, json_item(list, i), err)))
			err_at(err, "prefixes[%zu]", i);
	json_free(doc);
	return ok;
}

static bool read_lines(struct ranges *r, struct bytes text, struct err *err)
{
	struct bytes line;

	for (unsigned number = 1; bytes_cut(&text, '\n', &line); number++) {
		line = bytes_sub(line, 0, bytes_index(line, '#'));
		line = bytes_trim(bytes_sub(line, 0, bytes_index(line, '\r')));
		if (line.len && !add_text(r, line, err))
			return err_at(err, "line %u", number);
	}
	return r->n || err_set(err, SIDE_CONFIG, 0, "it names no address");
}

/* ---- the whole ---- */

static int by_first(const void *a, const void *b)
{
	return memcmp(((const struct range *)a)->first.b, ((const struct range *)b)->first.b, sizeof(struct ip));
}

static int compare(const struct ip *a, const struct ip *b)
{
	return memcmp(a->b, b->b, sizeof a->b);
}

/* The address behind it; false: there is none. */
static bool step(struct ip *ip)
{
	for (int i = 15; i >= 0; i--)
		if (++ip->b[i])
			return true;
	return false;
}

static void join(struct ranges *r)
{
	size_t n = 0;

	qsort(r->at, r->n, sizeof *r->at, by_first);
	for (size_t i = 0; i < r->n; i++) {
		struct ip behind = n ? r->at[n - 1].last : r->at[0].last;

		if (n && (!step(&behind) || compare(&r->at[i].first, &behind) <= 0)) {
			if (compare(&r->at[i].last, &r->at[n - 1].last) > 0)
				r->at[n - 1].last = r->at[i].last;
		} else {
			r->at[n++] = r->at[i];
		}
	}
	r->n = n;
}

static bool is_json(struct bytes text)
{
	size_t i = 0;

	while (i < text.len && strchr(" \t\r\n", text.at[i]) && text.at[i])
		i++;
	return i < text.len && (text.at[i] == '{' || text.at[i] == '[');
}

struct ranges *ranges_read(struct bytes text, struct err *err)
{
	struct ranges *r = calloc(1, sizeof *r);

	if (!r) {
		err_set(err, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	if (!(is_json(text) ? read_json(r, text, err) : read_lines(r, text, err))) {
		ranges_free(r);
		return NULL;
	}
	join(r);
	return r;
}

struct ranges *ranges_load(const char *file, struct err *err)
{
	FILE *f = fopen(file, "re");
	char *room = f ? malloc(RANGES_BYTES + 1) : NULL;
	size_t n = room ? fread(room, 1, RANGES_BYTES + 1, f) : 0;
	struct ranges *r = NULL;

	if (!room || ferror(f))
		err_set(err, SIDE_CONFIG, 0, "it cannot be read");
	else if (n > RANGES_BYTES)
		err_set(err, SIDE_CONFIG, 0, "longer than %d bytes", RANGES_BYTES);
	else
		r = ranges_read((struct bytes){ room, n }, err);
	if (!r)
		err_at(err, "%s", file);
	free(room);
	if (f)
		fclose(f);
	return r;
}

void ranges_free(struct ranges *r)
{
	if (r)
		free(r->at);
	free(r);
}

bool ranges_hold(const struct ranges *r, const struct ip *ip)
{
	size_t from = 0, to = r->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (compare(ip, &r->at[middle].first) < 0)
			to = middle;
		else if (compare(ip, &r->at[middle].last) > 0)
			from = middle + 1;
		else
			return true;
	}
	return false;
}

size_t ranges_count(const struct ranges *r)
{
	return r->n;
}

void ranges_at(const struct ranges *r, size_t i, struct ip *first, struct ip *last)
{
	*first = r->at[i].first;
	*last = r->at[i].last;
}
