/* vectors.h -- ModSecurity's own vectors for operators and transformations, read
 * from beside the checkout.
 *
 * The archive's files are arrays of objects, each closed by a line of its own;
 * nested values are named as our JSON reader names them ("re_groups.0"). */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H
#include "rules/body/body.h"
#include "tests/test.h"
#include <stdio.h>
#include <stdlib.h>

#define VECTORS_ARCHIVE "../shared/vectors/modsec-unit-tests.tar.xz"

enum { VECTORS_MAX = 4096 };

struct vector {
	struct bytes name, param, input, output;
	struct bytes group; /* of an expression's match: the whole of it; at == NULL: not told */
	bool ret;
};

struct vectors {
	struct vector at[VECTORS_MAX];
	size_t n;
	struct arena *arena;
};

static inline bool vectors_alnum(char c)
{
	return (c >= '0' && c <= '9') || (byte_lower(c) >= 'a' && byte_lower(c) <= 'z');
}

/* Leading hexadecimal digits, as sscanf reads them. */
static inline char vectors_hex(const char *p, size_t n)
{
	unsigned v = 0;

	for (size_t i = 0; i < n && byte_hex(p[i]) >= 0; i++)
		v = v << 4 | (unsigned)byte_hex(p[i]);
	return (char)v;
}

/* The vectors write bytes as \xNN and \uNNNN inside their strings. A NUL of
 * JSON's own ends one: the harness that they come from reads C strings, and
 * what stands behind in one of them contradicts itself. */
static inline struct bytes vectors_unmasked(struct arena *a, struct bytes in)
{
	char *out = arena_raw(a, in.len + 1);
	size_t n = 0;

	in = bytes_sub(in, 0, bytes_index(in, '\0'));
	for (size_t i = 0; i < in.len; i++) {
		size_t digits = 0, want = 0;

		if (in.at[i] == '\\' && i + 1 < in.len)
			want = in.at[i + 1] == 'x' ? 2 : in.at[i + 1] == 'u' ? 4 : 0;
		while (digits < want && i + 2 + digits < in.len && vectors_alnum(in.at[i + 2 + digits]))
			digits++;
		if (want && digits == want) {
			out[n++] = vectors_hex(in.at + i + 2, want);
			i += 1 + want;
		} else {
			out[n++] = in.at[i];
		}
	}
	return (struct bytes){ out, n };
}

/* json.7.input = ... */
static inline bool vectors_take(void *owner, const struct body_value *v)
{
	struct vectors *all = owner;
	struct bytes rest = bytes_from(v->name, strlen("json.")), index, value = vectors_unmasked(all->arena, v->value);
	uint64_t i = 0;

	assert_true(bytes_cut(&rest, '.', &index) && bytes_u64(index, &i) && i < VECTORS_MAX);
	all->n = i + 1;
	if (bytes_eq(rest, BYTES("name")))
		all->at[i].name = value;
	else if (bytes_eq(rest, BYTES("param")))
		all->at[i].param = value;
	else if (bytes_eq(rest, BYTES("input")))
		all->at[i].input = value;
	else if (bytes_eq(rest, BYTES("output")))
		all->at[i].output = value;
	else if (bytes_eq(rest, BYTES("re_groups.0")))
		all->at[i].group = value;
	else if (bytes_eq(rest, BYTES("ret")))
		all->at[i].ret = bytes_eq(value, BYTES("1"));
	return true;
}

/* All of the archive's members that fit the pattern, one after the other; empty: the archive is not there. */
static inline struct bytes vectors_text(struct arena *a, const char *pattern)
{
	enum { CAP = 4 << 20 };
	char *at = arena_raw(a, CAP), command[512];
	FILE *tar;
	size_t len;

	snprintf(command, sizeof command, "tar -xJOf '" SOURCE_DIR "/" VECTORS_ARCHIVE "' --wildcards '%s' 2>/dev/null",
		 pattern);
	tar = popen(command, "r");
	len = tar ? fread(at, 1, CAP, tar) : 0;
	if (tar)
		pclose(tar);
	return (struct bytes){ at, len };
}

/* The next array off the front of *rest; false once there is none. */
static inline bool vectors_next(struct arena *a, struct bytes *rest, struct vectors *out)
{
	static const struct body_sink sink = { vectors_take, NULL };
	struct body_setup s = { .sink = &sink, .owner = out, .limits = { .args = 1 << 20 } };
	size_t end = bytes_find(*rest, BYTES("\n]"));
	struct body *b;

	if (end == SIZE_MAX)
		return false;
	memset(out, 0, sizeof *out);
	out->arena = a;
	b = body_new(a, &body_json, &s);
	body_push(b, bytes_sub(*rest, 0, end + 2));
	assert_int_equal(body_end(b), FAULT_NONE);
	*rest = bytes_from(*rest, end + 2);
	return true;
}
#endif
