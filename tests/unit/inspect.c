/* Rules and requests brought together: what each part of a rule means. */
#include "tests/test.h"
#include "tests/inspected.h"

static struct ruleset *load(const char *yaml, const struct matcher_kind *kind)
{
	struct err e = { 0 };
	struct ruleset *rs = rules_of_text(bytes_of(yaml), kind, &e);

	if (!rs)
		fail_msg("does not load: %s", e.text);
	return rs;
}

struct row {
	const char *request;
	const char *outcome;
};

/* Each request through both matchers, whole and byte by byte, and once more with
 * what the memo then knows. */
static void check(const char *yaml, const struct row *rows, size_t n)
{
	static const struct matcher_kind *const kinds[] = { &matcher_hs, &matcher_plain };

	for (size_t k = 0; k < nelems(kinds); k++) {
		struct ruleset *rs = load(yaml, kinds[k]);
		struct rules_scratch *scratch = rules_scratch_new();

		for (size_t i = 0; i < 3 * n; i++) {
			const struct row *row = &rows[i % n];
			struct inspected got = inspect_text(rs, scratch, bytes_of(row->request), i / n == 1, NULL);

			if (!bytes_eq(got.outcome, bytes_of(row->outcome)))
				fail_msg("%s: %s\nwant \"%s\", got \"%.*s\"", kinds[k]->name, row->request,
					 row->outcome, BYTES_ARG(got.outcome));
			arena_free(got.arena);
		}
		rules_scratch_free(scratch);
		ruleset_free(rs);
	}
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_WITH(fields) "GET / HTTP/1.1\r\nHost: a\r\n" fields "\r\n\r\n"
#define POST(type, length, body) \
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: " type "\r\nContent-Length: " #length "\r\n\r\n" body

static void each_zone_holds_its_values(void **state)
{
	static const char rules[] =
		"name: uri\nrules: [{zones: [URI], match: {type: equals, value: '/a b'}}]\n---\n"
		"name: full\nrules: [{zones: [URI_FULL], match: {type: contains, value: '%20b?'}}]\n---\n"
		"name: method\nrules: [{zones: [METHOD], match: {type: equals, value: PURGE}}]\n---\n"
		"name: protocol\nrules: [{zones: [PROTOCOL], match: {type: equals, value: HTTP/1.0}}]\n---\n"
		"name: args\nrules: [{zones: [ARGS], match: {type: equals, value: 'one two'}}]\n---\n"
		"name: args-names\nrules: [{zones: [ARGS_NAMES], match: {type: equals, value: 'odd[name]'}}]\n---\n"
		"name: headers\nrules: [{zones: [HEADERS], match: {type: contains, value: zgrab}}]\n---\n"
		"name: headers-names\nrules: [{zones: [HEADERS_NAMES], match: {type: equals, value: X-Odd}}]\n---\n"
		"name: cookies\nrules: [{zones: [COOKIES], match: {type: equals, value: 'v=1'}}]\n---\n"
		"name: cookies-names\nrules: [{zones: [COOKIES_NAMES], match: {type: equals, value: odd}}]\n";
	static const struct row rows[] = {
		{ GET("/a%20b"), "deny uri" },
		{ GET("/a%20b?"), "deny uri full" },
		{ "PURGE / HTTP/1.1\r\nHost: a\r\n\r\n", "deny method" },
		{ "GET / HTTP/1.0\r\n\r\n", "deny protocol" },
		{ GET("/?x=one+two"), "deny args" },
		{ GET("/?x=1&odd%5Bname%5D=2"), "deny args-names" },
		{ GET_WITH("User-Agent: Mozilla zgrab/0.x"), "deny headers" },
		{ GET_WITH("X-Odd: 1"), "deny headers-names" },
		{ GET_WITH("Cookie: a=b; c = v=1"), "deny cookies" },
		{ GET_WITH("Cookie: a=b; odd=1"), "deny cookies-names" },
		{ GET("/a/b?x=one%2btwo&y=odd"), "allow" },
	};

	(void)state;
	check(rules, rows, nelems(rows));
}

static void every_reading_of_a_path_counts(void **state)
{
	static const char rules[] = "name: admin\nrules: [{zones: [URI], match: {type: equals, value: /admin/x}}]\n";
	static const struct row rows[] = {
		{ GET("/admin/x"), "deny admin" },
		{ GET("//admin/./x"), "deny admin" },
		{ GET("/y/../admin/x"), "deny admin" },
		{ GET("/%61dmin/x"), "deny admin" },
		{ GET("/%2561dmin/x"), "deny admin" },
		{ GET("/admin\\x"), "deny admin" },
		{ GET("/admin;v=1/x"), "deny admin" },
		{ GET("/admin/xy"), "allow" },
	};

	(void)state;
	check(rules, rows, nelems(rows));
}

static void operators_compare_as_they_are_named(void **state)
{
	static const char rules[] =
		"name: regex\nrules: [{zones: [ARGS], variables: [r], match: {type: regex, value: '^a.c$'}}]\n---\n"
		"name: equals\nrules: [{zones: [ARGS], variables: [e], match: {type: equals, value: off}}]\n---\n"
		"name: starts\nrules: [{zones: [ARGS], variables: [s], match: {type: startsWith, value: abc}}]\n---\n"
		"name: ends\nrules: [{zones: [ARGS], variables: [n], match: {type: endsWith, value: abc}}]\n---\n"
		"name: any\nrules: [{zones: [ARGS], variables: [v], match: {type: contains, values: [one, two]}}]\n---\n"
		"name: gt\nrules: [{zones: [ARGS], variables: [gt], match: {type: gt, value: 5}}]\n---\n"
		"name: lte\nrules: [{zones: [ARGS], variables: [lte], match: {type: lte, value: -1}}]\n---\n"
		"name: sql\nrules: [{zones: [ARGS], variables: [q], match: {type: libinjectionSQL}}]\n---\n"
		"name: xss\nrules: [{zones: [ARGS], variables: [x], match: {type: libinjectionXSS}}]\n";
	static const struct row rows[] = {
		{ GET("/?r=abc"), "deny regex" },
		{ GET("/?r=a%0Ac"), "deny regex" },       /* the dot takes a line feed */
		{ GET("/?r=abc%0A"), "allow" },           /* and $ is the very end */
		{ GET("/?e=off"), "deny equals" },        /* a word, not a boolean */
		{ GET("/?e=OFF"), "allow" },
		{ GET("/?E=off"), "deny equals" },        /* names have no case */
		{ GET("/?s=abcd&n=xabc"), "deny starts ends" },
		{ GET("/?s=xabc&n=abcd"), "allow" },
		{ GET("/?v=so+two"), "deny any" },
		{ GET("/?gt=6"), "deny gt" },
		{ GET("/?gt=5"), "allow" },
		{ GET("/?gt=99999999999999999999"), "deny gt" },
		{ GET("/?gt=6x"), "allow" },              /* no number is 0 */
		{ GET("/?lte=-1"), "deny lte" },
		{ GET("/?lte="), "allow" },
		{ GET("/?q=1'%20OR%201=1--"), "deny sql" },
		{ GET("/?x=%3Cscript%3Ealert(1)%3C/script%3E"), "deny xss" },
		{ GET("/?q=it's+fine&x=a%3Cb"), "allow" },
	};

	(void)state;
	check(rules, rows, nelems(rows));
}

static void trees_are_flattened_and_each_leaf_may_hold_on_another_value(void **state)
{
	static const char rules[] =
		"name: and\nrules:\n"
		"- and:\n"
		"  - {zones: [ARGS], match: {type: contains, value: left}}\n"
		"  - {zones: [ARGS], match: {type: contains, value: right}}\n"
		"---\n"
		"name: nested\nrules:\n"
		"- and:\n"
		"  - {zones: [METHOD], match: {type: equals, value: GET}}\n"
		"  - or:\n"
		"    - {zones: [ARGS], match: {type: equals, value: red}}\n"
		"    - and:\n"
		"      - {zones: [ARGS], match: {type: equals, value: green}}\n"
		"      - {zones: [ARGS], match: {type: equals, value: blue}}\n"
		"---\n"
		"name: own-leaf\nrules:\n"
		"- zones: [URI]\n"
		"  match: {type: equals, value: /leaf}\n"
		"  or:\n"
		"  - {zones: [ARGS], match: {type: equals, value: x1}}\n"
		"  - {zones: [ARGS], match: {type: equals, value: x2}}\n"
		"---\n"
		"name: alternatives\nrules:\n"
		"- {zones: [ARGS], match: {type: equals, value: first}}\n"
		"- {zones: [ARGS], match: {type: equals, value: second}}\n";
	static const struct row rows[] = {
		{ GET("/?a=left&b=right"), "deny and" },
		{ GET("/?a=leftright"), "deny and" },
		{ GET("/?a=left&b=left"), "allow" },
		{ GET("/?a=red"), "deny nested" },
		{ GET("/?a=green&b=blue"), "deny nested" },
		{ GET("/?a=green"), "allow" },
		{ GET("/leaf?a=x2"), "deny own-leaf" },
		{ GET("/leaf?a=x3"), "allow" },
		{ GET("/?a=x2"), "allow" },
		{ GET("/?a=second"), "deny alternatives" },
		{ GET("/?a=second&b=first"), "deny alternatives" }, /* once */
	};

	(void)state;
	check(rules, rows, nelems(rows));
}

static void counts_and_negations_need_no_gate(void **state)
{
	static const char rules[] =
		"name: none\nrules: [{zones: [HEADERS], variables: [X-Must], transform: [count], match: {type: equals, value: '0'}}]\n---\n"
		"name: two\nrules: [{zones: [ARGS], variables: ['a[]'], transform: [count], match: {type: gte, value: 2}}]\n---\n"
		"name: many\nrules: [{zones: [ARGS], transform: [count], match: {type: gt, value: 3}}]\n---\n"
		"name: not\nrules: [{zones: [ARGS], variables: [lang], match: {type: regex, value: '^[a-z]{2}$', not: true}}]\n---\n"
		"name: form\nrules: [{zones: [BODY_ARGS], transform: [count], match: {type: gte, value: 2}}]\n";
	static const struct row rows[] = {
		{ GET("/"), "deny none" },
		{ GET_WITH("x-must: 1"), "allow" },
		{ "GET /?a[]=1&a[]=2 HTTP/1.1\r\nHost: a\r\nX-Must: 1\r\n\r\n", "deny two" },
		{ "GET /?a=1&b=2&c=3&d=4 HTTP/1.1\r\nHost: a\r\nX-Must: 1\r\n\r\n", "deny many" },
		{ "GET /?lang=xyz HTTP/1.1\r\nHost: a\r\nX-Must: 1\r\n\r\n", "deny not" },
		{ "GET /?lang=de HTTP/1.1\r\nHost: a\r\nX-Must: 1\r\n\r\n", "allow" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nX-Must: 1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
		  "Content-Length: 7\r\n\r\na=1&b=2", "deny form" },
	};

	(void)state;
	check(rules, rows, nelems(rows));
}

static void transformations_come_in_the_order_written(void **state)
{
	static const char rules[] =
		"name: lower\nrules: [{zones: [ARGS], transform: [lowercase], match: {type: contains, value: select}}]\n---\n"
		"name: never\nrules: [{zones: [ARGS], transform: [lowercase], match: {type: contains, value: UPPER}}]\n---\n"
		"name: twice\nrules: [{zones: [ARGS], transform: [urldecode, lowercase], match: {type: contains, value: <script}}]\n---\n"
		"name: lower-first\nrules: [{zones: [ARGS], transform: [lowercase, urldecode], match: {type: equals, value: 'aB'}}]\n---\n"
		"name: base64\nrules: [{zones: [ARGS], transform: [b64decode, lowercase], match: {type: equals, value: 'secret!'}}]\n---\n"
		"name: length\nrules: [{zones: [ARGS], variables: [l], transform: [length], match: {type: gt, value: 5}}]\n";
	static const struct row rows[] = {
		{ GET("/?a=SeLeCt"), "deny lower" },
		{ GET("/?a=UPPER"), "allow" },
		{ GET("/?a=%253CSCRIPT"), "deny twice" },
		{ GET("/?a=A%2542"), "deny lower-first" }, /* %42 is decoded after the folding */
		{ GET("/?a=U2VjcmV0IQ=="), "deny base64" },
		{ GET("/?l=123456"), "deny length" },
		{ GET("/?l=12345"), "allow" },
	};

	(void)state;
	check(rules, rows, nelems(rows));
}

static void variables_may_be_expressions(void **state)
{
	static const char rules[] =
		"name: named\nrules: [{zones: [ARGS], variables: ['/^w\\[[0-9]+\\]$/'], match: {type: contains, value: evil}}]\n---\n"
		"name: cookie\nrules: [{zones: [COOKIES], variables: ['/^t3_/'], match: {type: contains, value: evil}}]\n";
	static const struct row rows[] = {
		{ GET("/?w[12]=evil"), "deny named" },
		{ GET("/?W[1]=evil"), "deny named" },
		{ GET("/?w[a]=evil"), "allow" },
		/* The same text under another name is not clean because it was so there. */
		{ GET_WITH("Cookie: other=evil text"), "allow" },
		{ GET_WITH("Cookie: T3_x=evil text"), "deny cookie" },
		{ GET_WITH("Cookie: other=evil text"), "allow" },
	};

	(void)state;
	check(rules, rows, nelems(rows));
}

static void bodies_are_read_as_what_they_are(void **state)
{
	static const char rules[] =
		"name: arg\nrules: [{zones: [BODY_ARGS], match: {type: equals, value: evil}}]\n---\n"
		"name: leaf\nrules: [{zones: [BODY_ARGS], variables: [json.a.0.b], match: {type: equals, value: deep}}]\n---\n"
		"name: name\nrules: [{zones: [BODY_ARGS_NAMES], match: {type: equals, value: 'odd'}}]\n---\n"
		"name: raw\nrules: [{zones: [RAW_BODY], match: {type: contains, value: 'x%3Dy'}}]\n---\n"
		"name: file\nrules: [{zones: [FILENAMES], match: {type: endsWith, value: .php}}]\n---\n"
		"name: field\nrules: [{zones: [FILES_NAMES], match: {type: equals, value: upl}}]\n---\n"
		"name: size\nrules: [{zones: [FILES_TOTAL_SIZE], match: {type: gt, value: 4}}]\n---\n"
		"name: only-json\nrules: [{zones: [BODY_ARGS], body_type: json, match: {type: equals, value: kind}}]\n---\n"
		"name: head-or-body\nrules: [{zones: [ARGS, BODY_ARGS], match: {type: equals, value: both}}]\n";
	static const char part[] = "--b\r\nContent-Disposition: form-data; name=\"upl\"; filename=\"a.php\"\r\n\r\n12345\r\n--b--\r\n";
	static const struct row rows[] = {
		{ POST("application/x-www-form-urlencoded", 8, "a=%65vil"), "deny arg" },
		{ POST("application/x-www-form-urlencoded", 5, "odd=1"), "deny name" },
		{ POST("application/x-www-form-urlencoded", 7, "a=x%3Dy"), "deny raw" },
		{ POST("application/json", 22, "{\"a\":[{\"b\":\"deep\"}] } "), "deny leaf" },
		{ POST("application/json", 12, "{\"a\":\"evil\"}"), "deny arg" },
		{ POST("text/plain", 12, "{\"a\":\"evil\"}"), "deny arg" },      /* a false type */
		{ POST("application/json", 6, "a=evil"), "deny arg" },
		{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\na=evil", "deny arg" }, /* none */
		{ POST("application/octet-stream", 12, "{\"a\":\"evil\"}"), "deny arg" },
		{ POST("application/xml", 11, "<a>evil</a>"), "deny arg" },
		{ POST("application/json", 12, "{\"a\":\"kind\"}"), "deny only-json" },
		{ POST("application/x-www-form-urlencoded", 6, "a=kind"), "allow" },
		{ POST("application/x-www-form-urlencoded", 6, "a=both"), "deny head-or-body" },
		{ GET("/?a=both"), "deny head-or-body" },
		{ POST("application/json", 9, "{\"a\":\"x\"]"), "allow (json: byte 9: a bracket that closes nothing)" },
		{ POST("application/json", 4, "evil"), "deny arg" }, /* as a whole */
	};
	char upload[512];
	struct row row = { upload, "deny file field size" };

	(void)state;
	check(rules, rows, nelems(rows));
	snprintf(upload, sizeof upload, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
		 "Content-Length: %zu\r\n\r\n%s", strlen(part), part);
	check(rules, &row, 1);
}

static void a_hit_says_where_it_was(void **state)
{
	struct ruleset *rs = load("name: sel\ndescription: |\n  A statement\n  of many lines\ncategory: sqli\nseverity: warning\n"
				  "status: 418\nrules: [{zones: [ARGS], transform: [lowercase], match: {type: contains, value: select}}]\n",
				  &matcher_hs);
	struct rules_scratch *scratch = rules_scratch_new();
	struct inspected got = inspect_text(rs, scratch, BYTES("GET /?id=1+SELECT HTTP/1.1\r\nHost: a\r\n\r\n"), 0, NULL);
	const struct hit *h = got.verdict->hits;

	(void)state;
	assert_int_equal(got.verdict->nhits, 1);
	assert_int_equal(got.verdict->status, 418);
	assert_string_equal(h->rule->id, "sel");
	assert_string_equal(h->rule->message, "A statement");
	assert_string_equal(h->rule->category, "sqli");
	assert_int_equal(h->rule->severity, SEVERITY_WARNING);
	assert_int_equal(h->rule->line, 1);
	assert_bytes(h->variable, BYTES("ARGS:id"));
	assert_bytes(h->value, BYTES("1 select"));
	assert_int_equal(h->offset, 2);
	assert_int_equal(h->len, 6);
	assert_int_equal(ruleset_hits(rs, 0), 1);
	arena_free(got.arena);
	rules_scratch_free(scratch);
	ruleset_free(rs);
}

static void a_rule_may_only_log(void **state)
{
	static const char rules[] =
		"name: quiet\ndo: log\nrules: [{zones: [ARGS], match: {type: contains, value: odd}}]\n---\n"
		"name: loud\nrules: [{zones: [ARGS], match: {type: contains, value: bad}}]\n";
	static const struct row rows[] = {
		{ GET("/?a=odd"), "log quiet" },
		{ GET("/?a=bad"), "deny loud" },
		{ GET("/?a=odd+bad"), "deny quiet loud" },
	};

	(void)state;
	check(rules, rows, nelems(rows));
}

static void too_many_values_are_refused_not_skipped(void **state)
{
	struct ruleset *rs = load("name: a\nrules: [{zones: [ARGS, COOKIES], match: {type: contains, value: evil}}]\n", &matcher_hs);
	struct rules_scratch *scratch = rules_scratch_new();
	struct inspect_options o = { .window = 1 << 10, .max_args = 2 };
	struct inspected got = inspect_text(rs, scratch, BYTES("GET /?a=1&b=2&c=evil HTTP/1.1\r\nHost: a\r\n\r\n"), 0, &o);

	(void)state;
	assert_bytes(got.outcome, BYTES("deny (more than 2 arguments in the query)"));
	assert_int_equal(got.verdict->status, 400);
	arena_free(got.arena);
	got = inspect_text(rs, scratch, BYTES("GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=2; c=evil\r\n\r\n"), 0, &o);
	assert_bytes(got.outcome, BYTES("deny (more than 2 cookies)"));
	arena_free(got.arena);
	rules_scratch_free(scratch);
	ruleset_free(rs);
}

/* More hits than a batch keeps apart, and values too long to be joined. */
static void floods_of_hits_lose_none(void **state)
{
	static const struct matcher_kind *const kinds[] = { &matcher_hs, &matcher_plain };
	enum { N = 6000 };
	static char request[N + 200];

	(void)state;
	for (size_t shape = 0; shape < 2; shape++)
		for (size_t k = 0; k < nelems(kinds); k++) {
			struct ruleset *rs = load("name: quote\nrules: [{zones: [ARGS], match: {type: regex, value: \"''x\"}}]\n---\n"
						  "name: end\nrules: [{zones: [ARGS], match: {type: regex, value: \"'y$\"}}]\n", kinds[k]);
			struct rules_scratch *scratch = rules_scratch_new();
			struct inspected got;
			struct text t = text_over(request, sizeof request);

			text_str(&t, "GET /?");
			while (t.len < N)
				text_str(&t, shape ? "a='&" : "'");
			text_str(&t, shape ? "b=z&c='y&d=z" : "='''y");
			text_str(&t, " HTTP/1.1\r\nHost: a\r\n\r\n");
			got = inspect_text(rs, scratch, text_bytes(&t), 0, &(struct inspect_options){ .window = 1024, .max_args = N });
			assert_bytes(got.outcome, BYTES("deny end"));
			arena_free(got.arena);
			rules_scratch_free(scratch);
			ruleset_free(rs);
		}
}

/* One value holds both, others one of the two, before it and behind it in the same scan. */
static void of_a_pair_of_texts_both_are_looked_for_in_each_value(void **state)
{
	static const char rules[] = "SecRule ARGS \"@rx (?:page|name|search|store)[^a-z]*\\(\" \"id:1,phase:2,deny,t:none,t:urlDecodeUni\"\n";
	static const struct {
		const char *query, *want;
	} rows[] = {
		{ "a=page-(", "deny 1" },
		{ "a=page-(&b=(&c=()&d=(x", "deny 1" },
		{ "b=(&c=()&a=page-(&d=page", "deny 1" },
		{ "b=page&c=name&a=page-(&d=store", "deny 1" },
		{ "a=%70age-(&b=(&c=page", "deny 1" },
		{ "a=page&b=(", "allow" },
		{ "a=(page&b=x", "allow" },
	};
	static const struct inspect_options options = { .window = 4096 };

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct err e = { 0 };
		struct ruleset *rs = rules_of_file("rules.conf", bytes_of(rules), &matcher_hs, &e);
		struct rules_scratch *scratch = rules_scratch_new();
		char room[256];
		struct text t = text_over(room, sizeof room);
		struct inspected got;

		assert_non_null(rs);
		text_printf(&t, "GET /?%s HTTP/1.1\r\nHost: a\r\n\r\n", rows[i].query);
		got = inspect_text(rs, scratch, text_bytes(&t), 0, &options);
		if (!bytes_eq(got.outcome, bytes_of(rows[i].want)))
			fail_msg("%s: %.*s", rows[i].query, BYTES_ARG(got.outcome));
		arena_free(got.arena);
		rules_scratch_free(scratch);
		ruleset_free(rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_pair_of_texts_both_are_looked_for_in_each_value),
		cmocka_unit_test(each_zone_holds_its_values),
		cmocka_unit_test(every_reading_of_a_path_counts),
		cmocka_unit_test(operators_compare_as_they_are_named),
		cmocka_unit_test(trees_are_flattened_and_each_leaf_may_hold_on_another_value),
		cmocka_unit_test(counts_and_negations_need_no_gate),
		cmocka_unit_test(transformations_come_in_the_order_written),
		cmocka_unit_test(variables_may_be_expressions),
		cmocka_unit_test(bodies_are_read_as_what_they_are),
		cmocka_unit_test(a_hit_says_where_it_was),
		cmocka_unit_test(a_rule_may_only_log),
		cmocka_unit_test(too_many_values_are_refused_not_skipped),
		cmocka_unit_test(floods_of_hits_lose_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
