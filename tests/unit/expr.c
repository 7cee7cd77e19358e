/* expr.c -- expressions: what they are worth, and what is wrong with them. */
#include "tests/test.h"
#include "tests/expr_world.h"
#include "tests/expr_files.h"
#include "tests/expr_naive.h"
#include <pthread.h>

enum { ARENA = 64 << 20 };

static const struct world_facts usual = {
	.texts = { BYTES_INIT("/Admin/index.PHP?a=1%20b"), BYTES_INIT("GET"), BYTES_INIT("http_access-log"),
		   BYTES_INIT("a=1%20b+c"), BYTES_INIT(""), BYTES_INIT("text") },
};

struct ran {
	struct arena *arena;
	struct expr *x;
	struct err err;
	struct world_facts facts;
	struct expr_run run;
	bool ok;
	char shown[2048];
};

static bool meets(struct ran *r, struct expr_run *run, const struct expr_world *world)
{
	const struct expr_need *needs;
	size_t n = expr_needs(r->x, r->arena, &needs);

	return naive_needs_met(run, world, needs, n);
}

/* The tree as it stands gives the same, and what is true meets its needs. `v`: NULL when the run has failed. */
static void agrees(struct ran *r, const char *source, const struct expr_world *world, const struct expr_value *v)
{
	struct expr_run run = { .ctx = &r->facts, .arena = r->arena, .steps = EXPR_STEPS };
	struct expr_parsed parsed;
	struct expr_value other;
	bool too_long, ok;

	assert_true(expr_parse(r->arena, bytes_of(source), world, &parsed, NULL));
	ok = naive_value(parsed.root, world, &run, &other, &too_long);
	if (!too_long && (ok != (v != NULL) || (ok && !naive_same(v, &other))))
		fail_msg("%s: the naive evaluator has another value (%s)", source, run.failed ? run.failed : "");
	if (v && v->kind == EXPR_BOOL && v->truth && !meets(r, &run, world))
		fail_msg("%s: it is true, and a need is not met", source);
}

static struct ran ran(const char *source)
{
	struct ran r = { .arena = arena_new(ARENA), .facts = usual };
	struct expr_world world = world_with(expr_files(r.arena));
	struct text t;
	struct expr_value v;

	r.x = expr_compile(r.arena, bytes_of(source), &world, &r.err);
	r.run = (struct expr_run){ .ctx = &r.facts, .arena = r.arena, .steps = EXPR_STEPS };
	r.ok = r.x && expr_run(r.x, &r.run, &v);
	t = text_over(r.shown, sizeof r.shown - 1);
	if (r.x)
		agrees(&r, source, &world, r.ok ? &v : NULL);
	if (r.ok)
		world_show(&t, &v);
	else
		text_printf(&t, "%s", r.x ? r.run.failed : r.err.text);
	assert_false(t.full);
	r.shown[t.len] = '\0';
	return r;
}

struct row {
	const char *source, *want;
};

static void check(const struct row *rows, size_t n, bool ok)
{
	for (size_t i = 0; i < n; i++) {
		struct ran r = ran(rows[i].source);

		if (r.ok != ok || strcmp(r.shown, rows[i].want) != 0)
			fail_msg("%s\n gives %s\n wanted %s", rows[i].source, r.shown, rows[i].want);
		arena_free(r.arena);
	}
}

static void operators_give_what_expr_lang_gives(void **state)
{
	static const struct row rows[] = {
		{ "1 + 2 * 3", "7" },
		{ "(1 + 2) * 3", "9" },
		{ "2 ** 3 ** 2", "512f" },
		{ "-2 ** 2", "-4f" },
		{ "2 ^ 3", "8f" },
		{ "7 % 4 - 1", "2" },
		{ "7 / 2", "3.5f" },
		{ "4 / 2 == 2", "true" },
		{ "1 == 1.0", "true" },
		{ "1 == '1'", "false" },
		{ "n == '7'", "false" },
		{ "nil == nil", "true" },
		{ "t == nil", "false" },
		{ "evt.Parsed.agent != nil", "true" },
		{ "1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3", "true" },
		{ "1 < n < 10", "true" },
		{ "1 < n < 5", "false" },
		{ "'a' < 'b'", "true" },
		{ "1 < 1.5", "true" },
		{ "not true == false", "true" },
		{ "!(n == 8)", "true" },
		{ "'a' in ['a', 'b']", "true" },
		{ "t in ['a', 'text']", "true" },
		{ "t not in ['a', 'b', 'c', 'd', 'e', 'f']", "true" },
		{ "t in ['a', 'b', 'c', 'd', 'text', 'f']", "true" },
		{ "n in [1, 7.0]", "true" },
		{ "'Name' in evt", "true" },
		{ "'Other' in evt", "false" },
		{ "'Nil' in evt", "false" },
		{ "1 in nil", "false" },
		{ "t contains 'ex'", "true" },
		{ "t not contains 'ex'", "false" },
		{ "t startsWith 'te' && t endsWith 'xt' || broken", "true" },
		{ "t not startsWith 'te'", "false" },
		{ "t matches 't.x' and t not matches '^x'", "true" },
		{ "none contains 'x'", "false" },
		{ "1..4", "[1 2 3 4]" },
		{ "4..1", "[]" },
		{ "none ?? 5", "5" },
		{ "n ?? broken", "7" },
		{ "n > 3 ? 'a' : 'b'", "'a'" },
		{ "none == nil ? n > 9 ? 1 : 2 : 3", "2" },
		{ "true ?: 1", "true" },
		{ "false ?: 1", "1" },
		{ "let x = n + 1; let y = x * 2; x + y", "24" },
		{ "1 + (let x = 2; x * x) + 1", "6" },
		{ "(let a = 1; a) < 5 < 6", "true" },
		{ "1; 2; 3", "3" },
		{ "if n == 7 { 'seven' } else { broken }", "'seven'" },
		{ "if n == 8 { 1 } else if n == 7 { let z = 2; z } else { 3 }", "2" },
		{ "[1, 'a', nil, [true]]", "[1 'a' nil [true]]" },
		{ "[n, t][-1]", "'text'" },
		{ "[1, 2, 3, 4][1:3]", "[2 3]" },
		{ "t[-2:]", "'xt'" },
		{ "t[:2]", "'te'" },
		{ "t[1]", "101" },
		{ "results[1].Name", "'cde'" },
		{ "results[1]['Name']", "'cde'" },
		{ "results[0].GetName() + evt.Echo('x')", "'abx'" },
		{ "none?.Name", "nil" },
		{ "none?.Name.More[1] ?? 'd'", "'d'" },
		{ "none?.[1]", "nil" },
		{ "evt?.Name", "'cde'" },
		{ "evt.SetMeta('a', 'b')", "true" },
		{ "evt.Meta['verb']", "'GET'" },
		{ "0x10 + 0b11 + 0o17 + 1_000", "1034" },
		{ "1.5e1 + .5", "15.5f" },
		{ "+5 - -3", "8" },
		{ "9223372036854775807 + 1", "-9223372036854775808" },
		{ "n // a comment\n + /* another */ 1", "8" },
		{ "'a' + \"b\" + `c\\n`", "'abc\\x5cn'" },
		{ "'\\x41\\u00e9\\t\\'\\101\\u{e9}'", "'A\\xc3\\xa9\\x09'A\\xc3\\xa9'" },
		{ "[1, 2,]", "[1 2]" },
		{ "[1, 2] == [1.0, 2]", "true" },
	};

	(void)state;
	check(rows, nelems(rows), true);
}

static void closures_and_functions_give_what_they_say(void **state)
{
	static const struct row rows[] = {
		{ "any(1..3, {# == 2})", "true" },
		{ "any([], {# == 2})", "false" },
		{ "any(results, {.Name == 'ab'})", "true" },
		{ "any(results, # != nil and #.Len > 2)", "true" },
		{ "all(1..3, {# < 3})", "false" },
		{ "all([], {broken})", "true" },
		{ "none(1..3, {# > 3})", "true" },
		{ "one(1..3, {# == 3})", "true" },
		{ "filter(1..6, {# % 2 == 0})", "[2 4 6]" },
		{ "map(results, {.Len})", "[2 3 0]" },
		{ "map(1..3, {#index * #})", "[0 2 6]" },
		{ "count(1..6, {# > 4})", "2" },
		{ "count([true, false])", "1" },
		{ "sum(1..4)", "10" },
		{ "sum(results, {.Len})", "5" },
		{ "find(1..9, {# * # > 10})", "4" },
		{ "findIndex(1..9, {# * # > 10})", "3" },
		{ "find([1], {false})", "nil" },
		{ "1..4 | filter(# > 2) | len()", "2" },
		{ "map(1..2, {map(1..2, {# * 10})})", "[[10 20] [10 20]]" },
		{ "let k = 2; filter(1..4, {let d = # * k; d > 4})", "[3 4]" },
		{ "len('abc') + len([1])", "4" },
		{ "int('42') + int(' 1' == '' ? '1' : '-1')", "41" },
		{ "int(3.9)", "3" },
		{ "float('1.5') + 1", "2.5f" },
		{ "string(1.5) + string(12) + string(true) + string(nil)", "'1.512true<nil>'" },
		{ "string(1e21) + string(0.1) + string(100.0)", "'1e+210.1100'" },
		{ "abs(-3) + max(1, [5, 2]) + min(4, 2)", "10" },
		{ "trim('  a ') + trimPrefix('foobar', 'foo') + trimSuffix('foobar', 'bar')", "'abarfoo'" },
		{ "split('a,b,,c', ',')", "['a' 'b' '' 'c']" },
		{ "split('aaa', 'aa')", "['' 'a']" },
		{ "split('a,b,c', ',', 2)", "['a' 'b,c']" },
		{ "Split('a,', ',')", "['a' '']" },
		{ "join(['a', 'b'], '-') + join(['x'])", "'a-bx'" },
		{ "replace('aXbX', 'X', 'yy')", "'ayybyy'" },
		{ "Replace('aXbX', 'X', '', 1)", "'abX'" },
		{ "hasPrefix('ab', 'a') and hasSuffix('ab', 'b')", "true" },
		{ "[indexOf('abcb', 'b'), lastIndexOf('abcb', 'b'), indexOf('a', 'z')]", "[1 3 -1]" },
		{ "first([1, 2]) + last([1, 2])", "3" },
		{ "first([])", "nil" },
		{ "concat([1], [2, 3])", "[1 2 3]" },
		{ "reverse(1..3)", "[3 2 1]" },
		{ "duration('1h30m') == 5400000000000", "true" },
		{ "get([1], 5) ?? get(evt, 'Name')", "'cde'" },
		{ "type(1) + type('') + type([]) + type(nil) + type(evt) + type(1.0)", "'intstringarraynilmapfloat'" },
		{ "Upper('a\\xe9b') + Lower('A\\xc9B')", "'A\\xe9Ba\\xc9b'" },
		{ "TrimSpace(' a\\t') + Trim('xax', 'x') + TrimLeft('xax', 'x') + TrimRight('xax', 'x')", "'aaaxxa'" },
		{ "Fields(' a  b ')", "['a' 'b']" },
		{ "Sprintf('%s-%d%%', 'a', 5)", "'a-5%'" },
		{ "ToString(1) + ToString('x')", "'x'" },
		{ "ParseUri('/a?x=1&y=2&x=%31')['x']", "['1' '1']" },
		{ "'z' in ParseUri('/a?x=1') or 'x' in ParseUri('/a?x=%zz')", "false" },
		{ "PathEscape('a b/+') + QueryEscape('a b/+')", "'a%20b%2F+a+b%2F%2B'" },
		{ "PathUnescape('a%20b+') + QueryUnescape('a%20b+')", "'a b+a b '" },
		{ "QueryUnescape('%41%zz')", "'%41%zz'" },
		{ "Base64Decode('YWJj') + Base64Decode('YQ==')", "'abca'" },
		{ "JsonExtract('{\"a\": {\"b\": [1, {\"c\": \"x\\\\\"y\"}]}}', 'a.b[1].c')", "'x\\x5c\"y'" },
		{ "JsonExtractUnescape('{\"a\": \"x\\\\u00e9\\\\n\"}', 'a')", "'x\\xc3\\xa9\\x0a'" },
		{ "JsonExtract('{\"a\": [1, 2]}', 'a') + JsonExtract('{\"a\":1}', 'b')", "'[1, 2]'" },
		{ "IpInRange('10.1.2.3', '10.0.0.0/8') and IsIPV4('1.2.3.4') and IsIPV6('::1') and not IsIP('x')", "true" },
		{ "IpToRange('10.1.2.3', '/16') + ' ' + IpToRange('2001:db8::1', '32')", "'10.1.0.0/16 2001:db8::/32'" },
		{ "Match('a*c?', 'abbcd') and not Match('a*c', 'abcd')", "true" },
		{ "int(Distance('51.45', '1.15', '41.54', '12.27'))", "1389" },
		{ "basename('/var/log/x.log') + basename('y')", "'x.logy'" },
		{ "len(TimeNow())", "20" },
		{ "evt.Meta.path | Lower() | trimPrefix('/')", "'admin/index.php?a=1%20b'" },
	};

	(void)state;
	check(rows, nelems(rows), true);
}

static void scenarios_say_what_they_mean(void **state)
{
	static const struct row rows[] = {
		{ "Upper(evt.Meta.path) contains Upper('/admin')", "true" },
		{ "Upper(evt.Meta.path) contains '/admin'", "false" },
		{ "Lower(evt.Meta.path) startsWith '/admin' && Upper(evt.Meta.verb) == 'GET'", "true" },
		{ "Lower(evt.Meta.path) endsWith 'B' or Upper(evt.Meta.verb) != 'GET'", "false" },
		/* the pattern is turned too: \d becomes \D, and a digit is none */
		{ "Upper('x1') matches Upper('x\\\\d')", "false" },
		{ "Upper('x1') matches 'X\\\\d'", "true" },
		{ "t matches 'x$' or 'text\\n' matches 't$'", "false" },
		{ "'a\\nb' matches 'a.b'", "false" },
		{ "any(File('words'), {Lower(evt.Meta.path) contains #})", "true" },
		{ "any(File('words'), {Upper(evt.Meta.path) contains Upper(#)})", "true" },
		{ "any(File('words'), {evt.Meta.path contains #})", "false" },
		{ "any(File('words'), {'x.php' endsWith #})", "true" },
		{ "any(File('words'), {'wp-login.x' startsWith #})", "true" },
		{ "any(File('words'), {# == 'admin'})", "true" },
		{ "any(File('words'), {Upper('aDMin') == Upper(#)})", "true" },
		{ "any(File('none'), {broken contains #})", "false" },
		{ "File('words')", "['admin' '.php' 'wp-login']" },
		{ "RegexpInFile('an administrator', 'regexps')", "true" },
		{ "RegexpInFile('CURL/7', 'regexps')", "true" },
		{ "RegexpInFile('a/x', 'regexps')", "false" },
		{ "LookupFile('/x', 'map') + LookupFile('/x/wp-z', 'map') + LookupFile('/xyz', 'map') + LookupFile('', 'map')", "'wholewpre'" },
		{ "if (evt.Meta.verb == 'GET') { let t1 = LookupFile('/x', 'map'); t1 != '' ? evt.SetMeta('a', t1) : false } else { false }", "true" },
		{ "evt.Parsed.agent != '' && int(evt.Parsed.agent) > 7", "false" },
		{ "QueryUnescape(evt.Parsed.args) == 'a=1 b c'", "true" },
		{ "evt.Meta.type in ['http_access-log', 'http_error-log'] and (let uri = Lower(evt.Meta.path); uri contains '/sap' or uri contains 'index')", "true" },
	};

	(void)state;
	check(rows, nelems(rows), true);
}

static void what_goes_wrong_ends_the_run_and_says_why(void **state)
{
	static const struct row rows[] = {
		{ "int(evt.Parsed.agent) > 7", "int() of what is no integer" },
		{ "n / (n - 7)", "division by zero" },
		{ "n % (n - 7)", "division by zero" },
		{ "n < t", "'<' is not for int and string" },
		{ "n contains 'x'", "'contains' is not for int and string" },
		{ "n and true", "int where a bool is wanted" },
		{ "true and n", "int where a bool is wanted" },
		{ "n ? 1 : 2", "int where a bool is wanted" },
		{ "n ?: 1", "int where a bool is wanted" },
		{ "not n", "int where a bool is wanted" },
		{ "-t", "'-' is not for string" },
		{ "[1][n]", "index 7 is out of range" },
		{ "none.Name", "nil has no member 'Name'" },
		{ "results[0].Other", "no such member of a thing" },
		{ "results[0].Other()", "no such method of a thing" },
		{ "broken", "a broken fact" },
		{ "Upper(n)", "Upper() does not take int as argument 1" },
		{ "Upper(n) == 'A'", "Upper() and Lower() do not take int" },
		{ "any(n, {true})", "int where a list is wanted" },
		{ "any([1], {#})", "int where a bool is wanted" },
		{ "1..100000", "a range of more than 10000" },
		{ "sum(map(1..1000, {sum(map(1..1000, {# * n}))}))", "it takes too many steps" },
		{ "t matches (t + '(')", "no expression: missing closing parenthesis (at byte 5)" },
		{ "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' matches (t == '' ? '' : '^(a|a|aa)+$')", "an expression backtracks too much" },
		{ "repeat('ab', n * 100000000)", "repeat() of more than 1048576 bytes" },
	};

	(void)state;
	check(rows, nelems(rows), false);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
	static const struct row rows[] = {
		{ "", "1:1: unexpected end" },
		{ "1 +", "1:4: unexpected end" },
		{ "evtMeta.path == 'x'", "1:1: unknown name 'evtMeta.path', did you mean 'evt.Meta.path'?" },
		{ "a and\n  uper('x')", "1:1: unknown name 'a'" },
		{ "true and\n  uper('x')", "2:3: unknown function 'uper', did you mean 'upper'?" },
		{ "LookupHost('x')", "1:1: LookupHost() is not offered: it would ask the DNS while a request waits" },
		{ "Upper()", "1:1: Upper() takes 1 arguments, not 0" },
		{ "split('a')", "1:1: split() takes at least 2 arguments, not 1" },
		{ "# == 1", "1:1: '#' outside of a closure" },
		{ "'abc", "1:1: a text that does not end" },
		{ "'a\\q'", "1:3: no such escape in a text" },
		{ "/* x", "1:1: a comment that does not end" },
		{ "t matches '('", "1:11: no expression: missing closing parenthesis (at byte 1)" },
		{ "File('other')", "1:1: there is no file 'other' of type string" },
		{ "RegexpInFile(t, 'words')", "1:17: there is no file 'words' of type regexp" },
		{ "let x = 1; let x = 2; x", "1:16: 'x' is declared already" },
		{ "1 ?? 2 + 3", "1:8: '+' beside '?\?' wants parentheses" },
		{ "if true { 1 }", "1:14: expected 'else'" },
		{ "1 2", "1:3: unexpected '2'" },
		{ "[1", "1:3: expected ',', not 'the end'" },
		{ "t @ 1", "1:3: an unexpected byte 0x40" },
		{ "99999999999999999999", "1:1: no number, or one that is too large" },
		{ "1 + 'a'", "1:3: '+' is not for int and string" },
		{ "t not == 1", "1:3: unexpected 'not'" },
		{ "$env", "1:1: unknown name '$env'" },
		{ "{'a': 1}", "1:1: unexpected '{'" },
	};

	(void)state;
	check(rows, nelems(rows), false);
}

static char *nested(const char *open, const char *middle, const char *close, size_t n)
{
	char *s = calloc(1, n * (strlen(open) + strlen(close)) + strlen(middle) + 1);
	struct text t = text_over(s, n * (strlen(open) + strlen(close)) + strlen(middle));

	assert_non_null(s);
	for (size_t i = 0; i < n; i++)
		text_str(&t, open);
	text_str(&t, middle);
	for (size_t i = 0; i < n; i++)
		text_str(&t, close);
	return s;
}

static void size_and_depth_are_bounded(void **state)
{
	static const struct { const char *open, *middle, *close; size_t n; bool ok; } rows[] = {
		{ "(", "1", ")", 150, true },
		{ "(", "1", ")", 20000, false },
		{ "[", "1", "]", 20000, false },
		{ "-", "1", "", 20000, false },
		{ "not ", "true", "", 10000, false },
		{ "n+", "1", "", 150, true },
		{ "n+", "1", "", 20000, false },
		{ "n==", "1", "", 20000, false },
		{ "n<", "1", "", 20000, false },
		{ "t == 'x' or ", "true", "", 4000, true },
		{ "true ? 1 : ", "1", "", 5000, false },
		{ "if true {1} else ", "", "{2}", 3000, false },
		{ "let a = 1;", "1", "", 3000, false },
		{ "any([1], {", "true", "})", 20, false },
		{ "t", "", "[1]", 20000, false },
		{ "1;", "1", "", 20000, true },
		{ "[t,", "1", "]", 150, true },
		{ "n ?? ", "1", "", 10000, false },
		{ "1,", "1", "", 1, false },
		{ " ", "1", "", 70000, false },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		char *s = nested(rows[i].open, rows[i].middle, rows[i].close, rows[i].n);
		struct ran r = ran(s);

		if ((r.x != NULL) != rows[i].ok)
			fail_msg("%zu times %s: %s", rows[i].n, rows[i].open, r.x ? "it is taken" : r.err.text);
		arena_free(r.arena);
		free(s);
	}
}

/* "path has~ 'a' | verb is 'b'; ...": `~` without regard to case, a view before the name. */
static void show_needs(struct ran *r, struct text *t)
{
	static const char *const tests[] = { "is", "starts", "ends", "has", "matches" }, *const views[] = { "", "query ",
													    "path " };
	const struct expr_need *needs;
	size_t n = expr_needs(r->x, r->arena, &needs);

	for (size_t i = 0; i < n; i++) {
		text_str(t, i ? "; " : "");
		if (!needs[i].n)
			text_str(t, "never");
		for (size_t k = 0; k < needs[i].n; k++) {
			const struct expr_atom *a = &needs[i].at[k];

			text_printf(t, "%s%s%s %s%s '", k ? " | " : "", views[a->view],
				    strrchr(world_names[a->load], '.') + 1, tests[a->test], a->caseless ? "~" : "");
			text_plain(t, a->text);
			text_str(t, "'");
		}
	}
}

static void needs_are_what_must_be_so(void **state)
{
	static const struct row rows[] = {
		{ "evt.Meta.verb == 'GET'", "verb is 'GET'" },
		{ "'GET' == evt.Meta.verb and n == 7", "verb is 'GET'" },
		{ "evt.Meta.verb in ['GET', 'PUT'] and evt.Meta.path contains 'x'", "verb is 'GET' | verb is 'PUT'; path has 'x'" },
		{ "evt.Meta.path startsWith 'a' or evt.Meta.path endsWith 'b'", "path starts 'a' | path ends 'b'" },
		{ "(evt.Meta.verb == 'a' and evt.Meta.path == 'b') or evt.Meta.type == 'c'", "verb is 'a' | type is 'c'; path is 'b' | type is 'c'" },
		{ "evt.Meta.verb == 'GET' or n == 7", "" },
		{ "not (evt.Meta.verb != 'GET' or evt.Meta.path == 'x')", "verb is 'GET'" },
		{ "evt.Meta.verb != 'GET'", "" },
		{ "evt.Meta.verb not in ['GET']", "" },
		{ "evt.Meta.path contains ''", "" },
		{ "evt.Meta.verb == 1", "" },
		{ "int(evt.Meta.verb) > 1", "" },
		{ "Upper(evt.Meta.path) contains Upper('/x')", "path has~ '/X'" },
		{ "Lower(QueryUnescape(evt.Meta.path)) startsWith '/x'", "query path starts~ '/x'" },
		{ "PathUnescape(evt.Meta.path) == 'x' and QueryUnescape(PathUnescape(evt.Meta.path)) == 'y'", "path path is 'x'" },
		{ "TrimSpace(evt.Meta.path) == 'x' and evt.Meta.path[1:] endsWith 'y'", "path has 'x'; path has 'y'" },
		{ "evt.Meta.path matches '^/a' and Upper(evt.Meta.path) matches 'X[^/]+Y'", "path matches '^/a'; path matches~ 'X[^/]+Y'" },
		{ "Upper(evt.Meta.path) matches '[^X]Y' or Upper(evt.Meta.path) matches 'A'", "" },
		{ "let p = Lower(evt.Meta.path); p contains 'a' or p == 'b'", "path has~ 'a' | path is~ 'b'" },
		{ "n == 7 and (let p = evt.Meta.path; let q = p; q == 'z')", "path is 'z'" },
		{ "evt.Meta.verb == 'GET' ? evt.SetMeta('a', 'b') : false", "verb is 'GET'" },
		{ "if evt.Meta.verb == 'GET' { evt.SetMeta('a', 'b') } else { false }", "verb is 'GET'" },
		{ "evt.Meta.verb != 'GET' ? false : evt.Meta.path == 'x'", "verb is 'GET'; path is 'x'" },
		{ "evt.Meta.verb == 'GET' ? evt.Meta.path == 'x' : evt.Meta.path == 'y'", "verb is 'GET' | path is 'y'; path is 'x' | path is 'y'" },
		{ "any(File('words'), {Lower(evt.Meta.path) contains #})", "path has~ 'admin' | path has~ '.php' | path has~ 'wp-login'" },
		{ "any(File('words'), {# == evt.Meta.path})", "path is 'admin' | path is '.php' | path is 'wp-login'" },
		{ "any(File('json'), {evt.Meta.path contains JsonExtract(#, 'uri') ? evt.SetMeta('cve', JsonExtract(#, 'cve')) : false})",
		  "path has '/admin' | path has 'index'" },
		{ "any(File('words'), {evt.Meta.verb == 'GET' and evt.Meta.path endsWith #})",
		  "verb is 'GET'; path ends 'admin' | path ends '.php' | path ends 'wp-login'" },
		{ "any(File('none'), {evt.Meta.path contains #})", "never" },
		{ "false or 1 == 2", "never" },
		{ "any(results, {.Name == evt.Meta.path})", "" },
		{ "any(results, {.Len > 2 and evt.Meta.path == 'x'})", "path is 'x'" },
		{ "not none(['a', 'b'], {evt.Meta.path contains #})", "path has 'a' | path has 'b'" },
		{ "RegexpInFile(evt.Meta.path, 'regexps')", "path matches '^/x' | path matches 'adm.n' | path matches '(?i)curl/\\x5cd'" },
		{ "let k = LookupFile(evt.Meta.path, 'map'); k != '' ? evt.SetMeta('a', k) : false",
		  "path is '/x' | path has '/wp-' | path matches '^/x.*z$'" },
		{ "LookupFile(evt.Meta.path, 'map') == 'wp'", "path has '/wp-'" },
		{ "any(['a'], {let o = #; any(['b'], {evt.Meta.path == o})})", "" },
		{ "(evt.Meta.verb == 'GET') == true", "verb is 'GET'" },
		{ "hasPrefix(evt.Meta.path, 'x')", "path starts 'x'" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct ran r = ran(rows[i].source);
		char shown[2048];
		struct text t = text_over(shown, sizeof shown - 1);

		if (!r.x)
			fail_msg("%s: %s", rows[i].source, r.err.text);
		show_needs(&r, &t);
		shown[t.len] = '\0';
		if (strcmp(shown, rows[i].want) != 0)
			fail_msg("%s\n needs %s\n wanted %s", rows[i].source, shown, rows[i].want);
		arena_free(r.arena);
	}
}

static void true_is_only_a_bool_at_the_end(void **state)
{
	static const struct { const char *source; bool want; } rows[] = {
		{ "true", true }, { "1", false }, { "'true'", false }, { "nil", false }, { "broken", false }, { "n == 7", true },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct ran r = ran(rows[i].source);

		r.run.steps = EXPR_STEPS;
		r.run.ctx = &r.facts;
		assert_int_equal(expr_true(r.x, &r.run), rows[i].want);
		arena_free(r.arena);
	}
}

static void names_are_looked_up_once(void **state)
{
	struct ran r = ran("evt.Meta.path == t and evt.Meta.path != evt.Meta.verb");
	const uint32_t *numbers;

	(void)state;
	assert_int_equal(expr_loads(r.x, &numbers), 3);
	assert_int_equal(numbers[0], 0);
	assert_int_equal(numbers[1], 5);
	assert_int_equal(numbers[2], 1);
	arena_free(r.arena);
}

static void a_filter_of_comparisons_allocates_nothing(void **state)
{
	struct ran r = ran(
		"evt.Meta.type in ['http_access-log', 'http_error-log'] and evt.Meta.verb in ['a','b','c','d','e','GET'] "
		"and "
		"Upper(evt.Meta.path) contains '/ADMIN' and evt.Parsed.args matches '^a=' and not (t == 'x') and n > 5");
	size_t before = arena_used(r.arena);

	(void)state;
	assert_string_equal(r.shown, "true");
	for (int i = 0; i < 1000; i++) {
		r.run.steps = EXPR_STEPS;
		r.run.ctx = &r.facts;
		assert_true(expr_true(r.x, &r.run));
	}
	assert_int_equal(arena_used(r.arena), before);
	arena_free(r.arena);
}

enum { THREADS = 4, TURNS = 200 };

static void *run_often(void *arg)
{
	const struct expr *x = arg;
	struct world_facts facts = usual;

	for (int i = 0; i < TURNS; i++) {
		struct expr_run run = { .ctx = &facts, .arena = arena_new(1 << 20), .steps = EXPR_STEPS };
		bool yes = expr_true(x, &run);

		arena_free(run.arena);
		if (!yes)
			return arg;
	}
	arena_thread_end();
	return NULL;
}

static void threads_share_an_expression(void **state)
{
	struct ran r = ran("any(File('words'), {Lower(evt.Meta.path) contains #}) and RegexpInFile('/x', 'regexps') and "
			   "Upper(evt.Meta.path) matches 'ADMIN' and sum(1..9) == 45 and LookupFile('/xyz', 'map') == 're'");
	pthread_t threads[THREADS];

	(void)state;
	assert_string_equal(r.shown, "true");
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_often, r.x), 0);
	for (int i = 0; i < THREADS; i++) {
		void *bad;

		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	arena_free(r.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operators_give_what_expr_lang_gives),
		cmocka_unit_test(closures_and_functions_give_what_they_say),
		cmocka_unit_test(scenarios_say_what_they_mean),
		cmocka_unit_test(what_goes_wrong_ends_the_run_and_says_why),
		cmocka_unit_test(what_is_wrong_is_told_with_its_place),
		cmocka_unit_test(size_and_depth_are_bounded),
		cmocka_unit_test(needs_are_what_must_be_so),
		cmocka_unit_test(true_is_only_a_bool_at_the_end),
		cmocka_unit_test(names_are_looked_up_once),
		cmocka_unit_test(a_filter_of_comparisons_allocates_nothing),
		cmocka_unit_test(threads_share_an_expression),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
