/* repeats.c -- a list, the newest first; what names a request and what it is are hashes of it. */
#include "admin/api/repeats.h"
#include "base/tls.h"
#include <stdlib.h>
#include <string.h>

enum { HASH = 32 };

struct repeat {
	struct repeat *newer, *older;
	uint8_t name[HASH], what[HASH];
	uint64_t until_ms;
	bool running;
	struct serve_answer answer;
	struct field fields[REPEAT_FIELDS];
	char *bytes; size_t nbytes; /* what the answer points to */
};

struct repeats {
	struct repeat *newest, *oldest;
	size_t n, bytes;
};

struct repeats *repeats_new(void)
{
	return calloc(1, sizeof(struct repeats));
}

/* ---- the key ---- */

static bool is_bare(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] <= ' ' || b.at[i] > '~' || b.at[i] == '"' || b.at[i] == '\\' || b.at[i] == ',')
			return false;
	return true;
}

/* Between the quotes: a quote and a backslash stand behind a backslash, and nothing else does. */
static bool is_string(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		bool escaped = b.at[i] == '\\';

		i += escaped;
		if (i == b.len || b.at[i] < ' ' || b.at[i] > '~' || escaped != (b.at[i] == '"' || b.at[i] == '\\'))
			return false;
	}
	return true;
}

bool repeat_key(struct bytes value, struct bytes *key)
{
	bool quoted = value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"';

	*key = quoted ? bytes_sub(value, 1, value.len - 1) : value;
	return key->len > 0 && key->len <= REPEAT_KEY_MAX && (quoted ? is_string(*key) : is_bare(*key));
}

/* ---- the list ---- */

static void unlink_repeat(struct repeats *rs, struct repeat *r)
{
	*(r->newer ? &r->newer->older : &rs->newest) = r->older;
	*(r->older ? &r->older->newer : &rs->oldest) = r->newer;
	rs->n--;
	rs->bytes -= r->nbytes;
}

static void link_newest(struct repeats *rs, struct repeat *r)
{
	r->older = rs->newest;
	*(rs->newest ? &rs->newest->newer : &rs->oldest) = r;
	rs->newest = r;
	rs->n++;
}

void repeat_drop(struct repeats *rs, struct repeat *r)
{
	unlink_repeat(rs, r);
	if (r->bytes)
		explicit_bzero(r->bytes, r->nbytes);
	free(r->bytes);
	free(r);
}

void repeats_free(struct repeats *rs)
{
	while (rs && rs->newest)
		repeat_drop(rs, rs->newest);
	free(rs);
}

/* What is under way stays: whoever answers it has it in his hand. */
static void make_room(struct repeats *rs, uint64_t now_ms, size_t n, size_t bytes)
{
	for (struct repeat *r = rs->oldest, *next; r; r = next) {
		next = r->newer;
		if (!r->running && (r->until_ms <= now_ms || rs->n + n > REPEATS_MAX || rs->bytes + bytes > REPEATS_BYTES_MAX))
			repeat_drop(rs, r);
	}
}

/* ---- asking ---- */

static bool hash_of(const struct bytes *parts, size_t n, uint8_t out[HASH])
{
	struct tls_sha256 *sum = tls_sha256_new();

	for (size_t i = 0; sum && i < n; i++) { /* the length in front: no two lists of parts are one text */
		tls_sha256_put(sum, (struct bytes){ (const char *)&parts[i].len, sizeof parts[i].len });
		tls_sha256_put(sum, parts[i]);
	}
	tls_sha256_end(sum, out);
	return sum != NULL;
}

static struct repeat *find(struct repeats *rs, const uint8_t name[HASH])
{
	struct repeat *r = rs->newest;

	while (r && memcmp(r->name, name, HASH) != 0)
		r = r->older;
	return r;
}

static enum repeat_is add(struct repeats *rs, const uint8_t name[HASH], const uint8_t what[HASH], struct repeat **out)
{
	struct repeat *r = calloc(1, sizeof *r);

	if (!r)
		return REPEAT_NO_ROOM;
	memcpy(r->name, name, HASH);
	memcpy(r->what, what, HASH);
	r->running = true;
	link_newest(rs, r);
	*out = r;
	return REPEAT_NEW;
}

enum repeat_is repeats_look(struct repeats *rs, const struct repeat_name *n, uint64_t now_ms, struct repeat **out)
{
	const struct bytes names[] = { n->who, n->route, n->key }, whats[] = { n->path, n->query, n->body };
	uint8_t name[HASH], what[HASH];
	enum repeat_is is;

	make_room(rs, now_ms, 1, 0);
	if (!hash_of(names, nelems(names), name) || !hash_of(whats, nelems(whats), what))
		return REPEAT_NO_ROOM;
	*out = find(rs, name);
	if (!*out) {
		is = add(rs, name, what, out);
		if (is == REPEAT_NEW)
			(*out)->until_ms = now_ms + REPEAT_LASTS_MS;
		return is;
	}
	if (memcmp((*out)->what, what, HASH) != 0)
		return REPEAT_OTHER;
	return (*out)->running ? REPEAT_RUNNING : REPEAT_KNOWN;
}

const struct serve_answer *repeat_answer(const struct repeat *r)
{
	return &r->answer;
}

/* ---- keeping ---- */

static size_t size_of(const struct serve_answer *a)
{
	size_t n = a->content_type.len + a->body.len;

	for (size_t i = 0; i < a->nfields; i++)
		n += a->fields[i].name.len + a->fields[i].value.len;
	return n;
}

static struct bytes put(char **to, struct bytes b)
{
	struct bytes copy = { *to, b.len };

	if (b.len)
		memcpy(*to, b.at, b.len);
	*to += b.len;
	return copy;
}

void repeat_keep(struct repeats *rs, struct repeat *r, const struct serve_answer *a)
{
	size_t size = size_of(a);
	char *at = size <= REPEAT_BYTES_MAX && a->nfields <= REPEAT_FIELDS ? malloc(size + 1) : NULL;

	if (!at) {
		repeat_drop(rs, r);
		return;
	}
	make_room(rs, 0, 0, size);
	r->bytes = at;
	r->nbytes = size;
	rs->bytes += size;
	r->running = false;
	r->answer = (struct serve_answer){ .status = a->status, .fields = r->fields, .nfields = a->nfields };
	r->answer.content_type = put(&at, a->content_type);
	for (size_t i = 0; i < a->nfields; i++) {
		r->fields[i] = (struct field){ .name = put(&at, a->fields[i].name) };
		r->fields[i].value = put(&at, a->fields[i].value);
	}
	r->answer.body = put(&at, a->body);
}
