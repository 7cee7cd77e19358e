/* base/diff: what it says turns one text into the other, with the fewest changes. */
#include "tests/test.h"
#include "base/diff.h"
#include "base/text.h"

enum { ROOM = 1 << 16 };

static struct bytes diff(struct arena *a, const char *from, const char *to)
{
	return diff_unified(a, "a", bytes_of(from), "b", bytes_of(to));
}

static void shows_three_lines_around(void **state)
{
	static const struct { const char *from, *to, *diff; } rows[] = {
		{ "x\n", "x\n", "" },
		{ "", "x\n", "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n" },
		{ "x\n", "", "--- a\n+++ b\n@@ -1,1 +0,0 @@\n-x\n" },
		{ "x", "x\n", "--- a\n+++ b\n@@ -1,1 +1,1 @@\n-x\n\\ No newline at end of file\n+x\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
		  "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n" },
		/* Six equal lines between: one hunk. Seven: two. */
		{ "a\n1\n2\n3\n4\n5\n6\nb\n", "1\n2\n3\n4\n5\n6\n",
		  "--- a\n+++ b\n@@ -1,8 +1,6 @@\n-a\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n" },
		{ "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "1\n2\n3\n4\n5\n6\n7\n",
		  "--- a\n+++ b\n@@ -1,4 +1,3 @@\n-a\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-b\n" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		struct bytes got = diff(a, rows[i].from, rows[i].to);

		assert_non_null(got.at);
		assert_int_equal(got.len, strlen(rows[i].diff));
		assert_memory_equal(got.at, rows[i].diff, got.len);
		arena_free(a);
	}
}

/* The side of the hunks that begins with `sign`, and how many changes there are. */
static void applied(struct bytes diff, const char *text, char sign, struct text *out, unsigned *changes)
{
	struct bytes rest = diff, line, source = bytes_of(text);
	size_t at_line = 1;
	unsigned begin, n, to;

	while (bytes_cut(&rest, '\n', &line)) {
		if (bytes_starts(line, BYTES("--- ")) || bytes_starts(line, BYTES("+++ ")) || !line.len)
			continue;
		if (sscanf(line.at, "@@ -%u,%u +%u", &begin, &n, &to) == 3) {
			for (unsigned goal = n ? begin : begin + 1; at_line < goal; at_line++) {
				size_t end = bytes_index(source, '\n');

				text_put(out, bytes_sub(source, 0, end + 1));
				source = bytes_from(source, end + 1);
			}
			continue;
		}
		if (line.at[0] == ' ' || line.at[0] == sign) {
			text_put(out, bytes_from(line, 1));
			text_byte(out, '\n');
		}
		if (line.at[0] == ' ' || line.at[0] == '-') {
			source = bytes_from(source, bytes_index(source, '\n') + 1);
			at_line++;
		}
		*changes += line.at[0] == '-' || line.at[0] == '+';
	}
	text_put(out, source);
}

static unsigned seed = 7;

static unsigned next_number(void)
{
	seed = seed * 1103515245 + 12345;
	return seed >> 16;
}

/* Longest common subsequence, the slow way. */
static unsigned fewest(const char *x, const char *y)
{
	static unsigned t[64][64];
	size_t n = strlen(x) / 2, m = strlen(y) / 2;

	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			unsigned up = i ? t[i - 1][j] + 1 : 0, left = j ? t[i][j - 1] + 1 : 0;

			t[i][j] = !i ? left : !j ? up : up < left ? up : left;
			if (i && j && x[2 * i - 2] == y[2 * j - 2] && t[i - 1][j - 1] < t[i][j])
				t[i][j] = t[i - 1][j - 1];
		}
	return t[n][m];
}

static void some_lines(char *out, unsigned most)
{
	unsigned n = next_number() % (most + 1);

	for (unsigned i = 0; i < n; i++) {
		*out++ = (char)('a' + next_number() % 4);
		*out++ = '\n';
	}
	*out = '\0';
}

static void turns_one_into_the_other_with_the_fewest_changes(void **state)
{
	static char room[ROOM];

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		char x[128], y[128];
		struct arena *a = arena_new(1 << 20);
		struct text t = text_over(room, sizeof room);
		unsigned changes = 0;
		struct bytes d;

		some_lines(x, i % 40);
		some_lines(y, i % 40);
		d = diff(a, x, y);
		applied(d, x, '+', &t, &changes);
		assert_int_equal(t.len, strlen(y));
		assert_memory_equal(room, y, t.len);
		assert_int_equal(changes, fewest(x, y));
		arena_free(a);
	}
}

static void texts_that_differ_throughout_are_replaced(void **state)
{
	enum { LINES = 3000 };
	static char x[LINES * 8 + 1], y[LINES * 8 + 1], room[4 * LINES * 8];
	struct arena *a = arena_new(64 << 20);
	struct text t = text_over(room, sizeof room);
	unsigned changes = 0;

	(void)state;
	for (unsigned i = 0; i < LINES; i++) {
		snprintf(x + 8 * i, 9, "x%06u\n", i);
		snprintf(y + 8 * i, 9, "y%06u\n", i);
	}
	applied(diff(a, x, y), x, '+', &t, &changes);
	assert_int_equal(changes, 2 * LINES);
	assert_int_equal(t.len, sizeof y - 1);
	assert_memory_equal(room, y, t.len);
	assert_true(arena_used(a) < 16 << 20);
	arena_free(a);
	a = arena_new(4096);
	assert_null(diff(a, x, y).at);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_three_lines_around),
		cmocka_unit_test(turns_one_into_the_other_with_the_fewest_changes),
		cmocka_unit_test(texts_that_differ_throughout_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
