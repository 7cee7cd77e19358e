/* Of SecLang: what stands in the arguments of SecRule. */
#include "tests/test.h"
#include "base/text.h"
#include "rules/seclang.h"

typedef bool reader(struct arena *, struct bytes text, struct text *, struct err *);

static bool tell_variables(struct arena *a, struct bytes text, struct text *t, struct err *e)
{
	struct seclang_variable *v;
	size_t n;

	if (!seclang_variables(a, text, &v, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		text_printf(t, "%s%s%s%.*s", i ? " " : "", v[i].except ? "!" : "", v[i].count ? "&" : "", BYTES_ARG(v[i].name));
		if (v[i].selector.at)
			text_printf(t, v[i].regex ? "/%.*s/" : "(%.*s)", BYTES_ARG(v[i].selector));
	}
	return true;
}

static bool tell_operator(struct arena *a, struct bytes text, struct text *t, struct err *e)
{
	struct seclang_operator op;

	(void)a;
	if (!seclang_operator(text, &op, e))
		return false;
	text_printf(t, "%s%.*s(%.*s)", op.negate ? "!" : "", BYTES_ARG(op.name), BYTES_ARG(op.argument));
	return true;
}

static bool tell_actions(struct arena *a, struct bytes text, struct text *t, struct err *e)
{
	struct seclang_action *v;
	size_t n;

	if (!seclang_actions(a, text, &v, &n, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		text_printf(t, "%s%.*s", i ? " " : "", BYTES_ARG(v[i].name));
		if (v[i].value.at)
			text_printf(t, "(%.*s)", BYTES_ARG(v[i].value));
	}
	return true;
}

struct row {
	const char *text, *want; /* or the error */
};

static void read_rows(reader *read, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new(1 << 20);
		struct err e = { 0 };
		char room[512];
		struct text t = text_over(room, sizeof room);

		if (!read(a, bytes_of(rows[i].text), &t, &e)) {
			assert_int_equal(e.side, SIDE_CONFIG);
			text_str(&t, e.text);
		}
		assert_bytes(text_bytes(&t), bytes_of(rows[i].want));
		arena_free(a);
	}
}

static void variables_are_split_where_no_selector_holds_the_separator(void **state)
{
	static const struct row rows[] = {
		{ "ARGS", "ARGS" },
		{ "ARGS|!ARGS:x|&TX:/^n/", "ARGS !ARGS(x) &TX/^n/" },
		{ "&!ARGS:a|!&ARGS:b", "!&ARGS(a) !&ARGS(b)" },
		{ "ARGS:/a|b/|TX:c", "ARGS/a|b/ TX(c)" },
		{ "ARGS:/a\\/|b,c/,TX:c", "ARGS/a\\/|b,c/ TX(c)" },
		{ "ARGS:/a/b/|ARGS:/\\\\/", "ARGS/a/b/ ARGS/\\\\/" },
		{ "REQUEST_HEADERS:'/foo/'|ARGS:'a|b'|ARGS:'it\\'s'", "REQUEST_HEADERS/foo/ ARGS(a|b) ARGS(it's)" },
		{ "ARGS:'/a'|ARGS:'/'|ARGS:a/b", "ARGS(/a) ARGS(/) ARGS(a/b)" },
		{ "XML:/*|XML://@*|!xml:/*|XML:'/a|b/'", "XML(/*) XML(//@*) !xml(/*) XML(/a|b/)" },
		{ "TX.partial|tx.a.b|ARGS:a:b", "TX(partial) tx(a.b) ARGS(a:b)" },
		{ " ARGS | TX:a b , TX:/c/ ", "ARGS TX(a b) TX/c/" },
		{ "REQUEST_COOKIES:/\\x22?\\x24Version/", "REQUEST_COOKIES/\\x22?\\x24Version/" },
		{ "", "a variable is wanted at ''" },
		{ "|ARGS", "a variable is wanted at '|ARGS'" },
		{ "ARGS|", "a variable is wanted at ''" },
		{ "ARGS||TX:a", "a variable is wanted at '|TX:a'" },
		{ "!", "a variable is wanted at ''" },
		{ "!!ARGS", "'!' stands twice before a variable" },
		{ "&!&ARGS", "'&' stands twice before a variable" },
		{ "! ARGS", "a variable is wanted at ' ARGS'" },
		{ "ARGS-x", "'|' is wanted behind the variable 'ARGS', not '-x'" },
		{ "ARGS:'a'b", "'|' is wanted behind the variable 'ARGS', not 'b'" },
		{ "ARGS:", "the selector of 'ARGS' is empty" },
		{ "ARGS: a", "the selector of 'ARGS' is empty" },
		{ "ARGS:|TX:a", "the selector of 'ARGS' is empty" },
		{ "ARGS:''", "the selector of 'ARGS' is empty" },
		{ "ARGS://", "the selector of 'ARGS' is empty" },
		{ "XML:", "the selector of 'XML' is empty" },
		{ "ARGS:'a", "the quoted selector of 'ARGS' has no end" },
		{ "ARGS:'a\\'", "the quoted selector of 'ARGS' has no end" },
		{ "ARGS:/a", "the expression '/a' has no '/' at its end (a name with a '/' in front stands in quotes)" },
		{ "ARGS:/a\\/", "the expression '/a\\/' has no '/' at its end (a name with a '/' in front stands in quotes)" },
		{ "ARGS:/", "the expression '/' has no '/' at its end (a name with a '/' in front stands in quotes)" },
	};

	(void)state;
	read_rows(tell_variables, rows, nelems(rows));
}

static void an_operator_is_an_expression_unless_it_is_named(void **state)
{
	static const struct row rows[] = {
		{ "@rx ^a", "rx(^a)" },
		{ "!@rx ^a", "!rx(^a)" },
		{ "foo", "rx(foo)" },
		{ "!foo", "!rx(foo)" },
		{ " foo ", "rx( foo )" },
		{ "! foo", "!rx( foo)" },
		{ " !foo", "rx( !foo)" },
		{ "a@rx b", "rx(a@rx b)" },
		{ " @rx a", "rx(a)" },
		{ " ! @rx a", "!rx(a)" },
		{ "@pm a b  c", "pm(a b  c)" },
		{ "@streq  a ", "streq( a )" },
		{ "@pm\ta", "pm(a)" },
		{ "@detectSQLi", "detectSQLi()" },
		{ "!@within %{tx.a}", "!within(%{tx.a})" },
		{ "@ipMatch ", "ipMatch()" },
		{ "", "there is no operator" },
		{ "!", "there is no operator" },
		{ "@", "'@' is not the name of an operator and a blank" },
		{ "!@ a", "'@ a' is not the name of an operator and a blank" },
		{ "@rx:a", "'@rx:a' is not the name of an operator and a blank" },
		{ "@example\\.com", "'@example\\.com' is not the name of an operator and a blank" },
	};

	(void)state;
	read_rows(tell_operator, rows, nelems(rows));
}

static void actions_are_split_where_no_quote_holds_the_comma(void **state)
{
	static const struct row rows[] = {
		{ "id:1,phase:2,t:none,chain", "id(1) phase(2) t(none) chain" },
		{ " id:1 , phase : 2 ,\tdeny ", "id(1) phase(2) deny" },
		{ "id:'1',msg:'a, b',logdata:'%{TX.0} it\\'s'", "id(1) msg(a, b) logdata(%{TX.0} it's)" },
		{ "msg:' a ',msg: 'b' ,tag:a b", "msg( a ) msg(b) tag(a b)" },
		{ "msg:'a\\\\',msg:'b\\nc',msg:\"d\"", "msg(a\\\\) msg(b\\nc) msg(\"d\")" },
		{ "setvar:tx.a=1,setvar:'tx.b=+%{tx.c}',setvar:!tx.d,setvar:tx.e='f'",
		  "setvar(tx.a=1) setvar(tx.b=+%{tx.c}) setvar(!tx.d) setvar(tx.e='f')" },
		{ "ctl:ruleRemoveTargetById=123;ARGS:x,ctl:ruleEngine=Off",
		  "ctl(ruleRemoveTargetById=123;ARGS:x) ctl(ruleEngine=Off)" },
		{ "msg:'',msg:,deny", "msg() msg() deny" },
		{ "tag:'OWASP_CRS/WEB,x',ver:'OWASP_CRS/4.28.0'", "tag(OWASP_CRS/WEB,x) ver(OWASP_CRS/4.28.0)" },
		{ "", "" },
		{ "  ", "" },
		{ ",", "an action is empty" },
		{ "id:1,,deny", "an action is empty" },
		{ ",id:1", "an action is empty" },
		{ "id:1,deny,", "an action is empty" },
		{ "id:'1,phase:2,pass,t:trim", "the quoted value of 'id' has no end" },
		{ "msg:'a\\", "the quoted value of 'msg' has no end" },
		{ "msg:'a\\'", "the quoted value of 'msg' has no end" },
		{ "msg:'a'b", "',' is wanted behind the action 'msg', not 'b'" },
		{ "id:1,de ny", "',' is wanted behind the action 'de', not 'ny'" },
		{ "de-ny", "',' is wanted behind the action 'de', not '-ny'" },
		{ "id:1,tag:a\\,'b'", "an action is wanted at ''b''" },
		{ "'setvar:tx.a=1'", "an action is wanted at ''setvar:tx.a=1''" },
		{ "%{id}", "an action is wanted at '%{id}'" },
	};

	(void)state;
	read_rows(tell_actions, rows, nelems(rows));
}

static void no_list_grows_without_bound(void **state)
{
	static char text[4 * SECLANG_ARGS_MAX];
	struct arena *a = arena_new(8 << 20);
	struct text t = text_over(text, sizeof text);
	struct seclang_variable *variables;
	struct seclang_action *actions;
	struct err e = { 0 };
	size_t n;

	(void)state;
	text_str(&t, "x");
	for (int i = 1; i < SECLANG_ARGS_MAX; i++)
		text_str(&t, ",x");
	assert_true(seclang_variables(a, text_bytes(&t), &variables, &n, &e));
	assert_int_equal(n, SECLANG_ARGS_MAX);
	assert_true(seclang_actions(a, text_bytes(&t), &actions, &n, &e));
	assert_int_equal(n, SECLANG_ARGS_MAX);
	text_str(&t, ",x");
	assert_false(seclang_variables(a, text_bytes(&t), &variables, &n, &e));
	assert_string_equal(e.text, "more than 1024 variables");
	assert_false(seclang_actions(a, text_bytes(&t), &actions, &n, &e));
	assert_string_equal(e.text, "more than 1024 actions");
	arena_free(a);
}

static void a_full_arena_is_not_the_texts_fault(void **state)
{
	static char text[128 << 10];
	struct arena *a = arena_new(1);
	struct bytes all = { text, sizeof text };
	struct seclang_variable *variables;
	struct seclang_action *actions;
	struct err e = { 0 };
	size_t n;

	(void)state;
	memset(text, 'x', sizeof text);
	assert_false(seclang_actions(a, all, &actions, &n, &e));
	assert_int_equal(e.side, SIDE_SELF);
	assert_false(seclang_variables(a, all, &variables, &n, &e));
	assert_int_equal(e.side, SIDE_SELF);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_are_split_where_no_selector_holds_the_separator),
		cmocka_unit_test(an_operator_is_an_expression_unless_it_is_named),
		cmocka_unit_test(actions_are_split_where_no_quote_holds_the_comma),
		cmocka_unit_test(no_list_grows_without_bound),
		cmocka_unit_test(a_full_arena_is_not_the_texts_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
