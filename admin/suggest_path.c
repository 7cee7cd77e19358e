/* suggest_path.c -- what of a path is of one request only. */
#include "admin/suggest.h"

enum { HASH_LEAST = 8, HASH_SURE = 16, RANDOM_LEAST = 20 };

struct letters { size_t digits, hex, letters, other; };

static struct letters count(struct bytes b)
{
	struct letters n = { 0 };

	for (size_t i = 0; i < b.len; i++) {
		char c = byte_lower(b.at[i]);

		n.digits += c >= '0' && c <= '9';
		n.hex += c >= 'a' && c <= 'f';
		n.letters += c >= 'a' && c <= 'z';
		n.other += !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z');
	}
	return n;
}

/* A number, a hash, or a word that nobody thought of. */
static bool is_passing(struct bytes b)
{
	struct letters n = count(b);

	if (n.other || !n.digits)
		return !n.other && b.len >= HASH_SURE && n.hex == b.len;
	return n.digits == b.len || (b.len >= HASH_LEAST && n.digits + n.hex == b.len) || b.len >= RANDOM_LEAST;
}

static bool is_uuid(struct bytes b)
{
	static const size_t dashes[] = { 8, 13, 18, 23 };

	for (size_t i = 0; i < nelems(dashes); i++)
		if (b.len != 36 || b.at[dashes[i]] != '-')
			return false;
	return count(b).other == 4 && count(b).digits + count(b).hex == 32;
}

/* base64url and its kin, with their '-' and '_'. */
static bool is_random(struct bytes b)
{
	struct letters n = count(b);
	size_t dashes = 0;

	for (size_t i = 0; i < b.len; i++)
		dashes += b.at[i] == '-' || b.at[i] == '_';
	return b.len >= RANDOM_LEAST && n.other == dashes && dashes <= 2 && n.digits * 8 >= b.len;
}

static bool separates(char c)
{
	return strchr(".-_,;=:~", c) != NULL;
}

static void put_segment(struct text *t, struct bytes s)
{
	if (is_uuid(s) || is_random(s)) {
		text_str(t, "{}");
		return;
	}
	for (size_t from = 0; from <= s.len;) {
		size_t to = from;
		struct bytes piece;

		while (to < s.len && !separates(s.at[to]))
			to++;
		piece = bytes_sub(s, from, to);
		text_put(t, is_passing(piece) ? BYTES("{}") : piece);
		if (to < s.len)
			text_byte(t, s.at[to]);
		from = to + 1;
	}
}

struct bytes suggest_path(struct arena *a, struct bytes path)
{
	size_t room = 2 * path.len + 2; /* "1" becomes "{}" */
	struct text t = text_over(arena_raw(a, room), room);

	if (!t.at)
		return path;
	for (size_t from = 0; from <= path.len;) {
		size_t to = from;

		while (to < path.len && path.at[to] != '/')
			to++;
		put_segment(&t, bytes_sub(path, from, to));
		if (to < path.len)
			text_byte(&t, '/');
		from = to + 1;
	}
	return text_bytes(&t);
}

struct bytes suggest_pattern(struct arena *a, struct bytes path)
{
	struct text t = text_over(arena_raw(a, path.len + 1), path.len + 1);

	for (size_t i = 0; t.at && i < path.len; i++) {
		bool is_any = i + 1 < path.len && path.at[i] == '{' && path.at[i + 1] == '}';

		text_byte(&t, is_any ? '*' : path.at[i]);
		i += is_any;
	}
	return t.at ? text_bytes(&t) : path;
}
