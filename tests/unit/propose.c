/* The exception that `explain` proposes. */
#include "tests/test.h"
#include "admin/propose.h"

#define HIT(id, where, points) { .rule = BYTES_INIT(id), .variable = BYTES_INIT(where), .score = points }

static void the_exception_is_as_small_as_what_matched(void **state)
{
	static const struct {
		const char *path;
		struct record_hit hits[5];
		size_t n;
		const char *lines; /* behind "apps.shop:\n    exceptions:\n"; "" : no proposal */
	} rows[] = {
		/* one argument, several rules: one line; what sums up is not named */
		{ "/comment", { HIT("942100", "ARGS:body", 5), HIT("941160", "ARGS:body", 5), HIT("949110", "TX:anomaly_score", 0) }, 3,
		  "      - {path: \"/comment\", rules: [942100, 941160], args: [\"body\"], reason: \"...\"}\n" },
		/* one rule, several arguments and a cookie */
		{ "/", { HIT("942100", "ARGS:a", 5), HIT("942100", "ARGS_NAMES:b", 5), HIT("942100", "REQUEST_COOKIES:c", 5), HIT("942100", "ARGS:a", 5) }, 4,
		  "      - {path: \"/\", rules: [942100], args: [\"a\", \"b\"], cookies: [\"c\"], reason: \"...\"}\n" },
		/* different rules on different arguments: not every rule for every argument */
		{ "/", { HIT("942100", "ARGS:a", 5), HIT("941100", "ARGS:b", 5) }, 2,
		  "      - {path: \"/\", rules: [942100], args: [\"a\"], reason: \"...\"}\n"
		  "      - {path: \"/\", rules: [941100], args: [\"b\"], reason: \"...\"}\n" },
		/* nothing to name: the rule, and then no more of it */
		{ "/x", { HIT("911100", "REQUEST_METHOD", 5), HIT("942100", "ARGS:a", 5), HIT("911100", "ARGS:b", 5) }, 3,
		  "      - {path: \"/x\", rules: [911100], reason: \"...\"}\n"
		  "      - {path: \"/x\", rules: [942100], args: [\"a\"], reason: \"...\"}\n" },
		/* our packs, parts, fields in any case */
		{ "/a%20b", { HIT("embergate/xss-html", "BODY_ARGS:json.a.b", 0), HIT("embergate/dot-files", "URI", 0),
			      HIT("920300", "HEADERS:Accept", 2), HIT("920300", "REQUEST_HEADERS:accept", 2) }, 4,
		  "      - {path: \"/a b\", rules: [embergate/xss-html], args: [\"json.a.b\"], reason: \"...\"}\n"
		  "      - {path: \"/a b\", rules: [embergate/dot-files], parts: [\"path\"], reason: \"...\"}\n"
		  "      - {path: \"/a b\", rules: [920300], headers: [\"Accept\"], reason: \"...\"}\n" },
		/* a rule that scores is one, though it looks at variables */
		{ "/", { HIT("921180", "TX:paramcounter_args_names:a", 5) }, 1, "      - {path: \"/\", rules: [921180], reason: \"...\"}\n" },
		/* only sums */
		{ "/", { HIT("949110", "TX:anomaly_score", 0), HIT("980170", "TX:x", 0), HIT("10", "TX:anomaly_score", 0) }, 3, "" },
	};
	static const char head[] = "  if this is legitimate, in the configuration under apps.shop:\n    exceptions:\n";
	static struct record r;

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		char room[2048];
		struct text t = text_over(room, sizeof room);
		struct bytes got;

		r = (struct record){ .app = BYTES("shop"), .path = bytes_of(rows[i].path), .nhits = rows[i].n };
		memcpy(r.hits, rows[i].hits, rows[i].n * sizeof *r.hits);
		propose_exceptions(&t, &r);
		got = text_bytes(&t);
		if (rows[i].lines[0]) {
			assert_true(bytes_starts(got, bytes_of(head)));
			got = bytes_from(got, strlen(head));
		}
		assert_bytes(got, bytes_of(rows[i].lines));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exception_is_as_small_as_what_matched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
