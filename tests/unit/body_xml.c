/* body_xml.c -- XML gives its texts and attributes, and nothing is expanded. */
#include "tests/test.h"
#include "tests/body_told.h"

static void check(struct body_limits l, struct bytes in, enum body_fault fault, const char *want)
{
	for (size_t cut = 0; cut < 9; cut++) {
		struct told t = told_of(&body_xml, (struct body_setup){ .limits = l }, in, cut);

		if (t.fault != fault)
			fail_msg("%.*s in pieces of %zu: %s (%s)", BYTES_ARG(in), cut,
				 body_fault_word(t.fault), t.complaint);
		if (want)
			assert_bytes(text_bytes(&t.text), bytes_of(want));
		arena_free(t.arena);
	}
}

static void texts_and_attributes_are_told(void **state)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "<a>x</a>", "xml.a=x\nall xml=x\n" },
		{ "<a/>", "" },
		{ "<?xml version='1.0'?>\n<a>\n <b c='1' d=\"&lt;2&gt;\">x</b>\n</a>\n",
		  "xml.a.b.@c=1\nxml.a.b.@d=<2>\nxml.a.b=x\nall xml=\\x0a x\\x0a\n" },
		{ "<a>un<!-- c -->ion<?p i?> <![CDATA[<sel>]]>&amp;&#65;&#x42;</a>",
		  "xml.a=union <sel>&AB\nall xml=union <sel>&AB\n" },
		{ "<a>1<b>2</b>3</a>", "xml.a=1\nxml.a.b=2\nxml.a=3\nall xml=123\n" },
		{ "<s:a xmlns:s='urn:x' s:k='v'><s:b>t</s:b></s:a>",
		  "xml.a.@k=v\nxml.a.b=t\nall xml=t\n" },
		{ "<a b='x&amp;y&#38;z'/>", "xml.a.@b=x&y&z\n" },
		{ "<a b=''/>", "xml.a.@b=\n" },
		{ "<!DOCTYPE a><a>x</a>", "xml.a=x\nall xml=x\n" },
		{ "<!DOCTYPE a [<!ELEMENT a ANY>]><a>x</a>", "xml.a=x\nall xml=x\n" },
		{ "<!DOCTYPE a PUBLIC '-//X//Y' 'http://127.0.0.1/x.dtd'><a>x</a>", "xml.a=x\nall xml=x\n" },
		{ "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>",
		  "xml.a=\\xc3\\xa9\nall xml=\\xc3\\xa9\n" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check((struct body_limits){ 0 }, bytes_of(cases[i].in), FAULT_NONE, cases[i].want);
}

static void utf_16_arrives_as_utf_8(void **state)
{
	(void)state;
	check((struct body_limits){ 0 }, BYTES("\xff\xfe<\0a\0>\0\xe9\0<\0/\0a\0>\0"), FAULT_NONE,
	      "xml.a=\\xc3\\xa9\nall xml=\\xc3\\xa9\n");
}

static void entities_and_external_subsets_are_refused(void **state)
{
	static const char *const cases[] = {
		"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
		"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
		"<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1/x'> %x;]><a/>",
		"<!DOCTYPE a SYSTEM 'http://127.0.0.1/x.dtd'><a/>",
		"<!DOCTYPE a [<!NOTATION n SYSTEM 'n'><!ENTITY x SYSTEM 'u' NDATA n>]><a/>",
		"<!DOCTYPE a [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'><!ENTITY c '&b;&b;'>]><a>&c;</a>",
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check((struct body_limits){ 0 }, bytes_of(cases[i]), FAULT_ENTITY, NULL);
}

static void what_is_not_well_formed_is_malformed(void **state)
{
	static const char *const cases[] = {
		"", " ", "hello", "<a", "<a>", "<a></b>", "<a/><b/>", "<a b=1/>", "<a b='1' b='2'/>", "<a>&x;</a>",
		"<a>]]></a>", "<a>\x01</a>", "<a b='<'/>", "<a>\xff</a>", "{\"a\":1}", "<a>&</a>", "<1/>",
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check((struct body_limits){ 0 }, bytes_of(cases[i]), FAULT_MALFORMED, NULL);
}

static void every_bound_has_its_own_fault(void **state)
{
	static const struct {
		struct body_limits limits;
		const char *in;
		enum body_fault fault;
	} cases[] = {
		{ { .depth = 2 }, "<a><b/></a>", FAULT_NONE },
		{ { .depth = 2 }, "<a><b><c/></b></a>", FAULT_DEPTH },
		{ { .nodes = 4 }, "<a x='1'><b/>t</a>", FAULT_NONE },
		{ { .nodes = 3 }, "<a x='1'><b/>t</a>", FAULT_NODES },
		{ { .args = 2 }, "<a x='1'>t</a>", FAULT_NONE },
		{ { .args = 1 }, "<a x='1'>t</a>", FAULT_ARGS },
		{ { .name_bytes = 6 }, "<ab/>", FAULT_NONE },
		{ { .name_bytes = 5 }, "<ab/>", FAULT_NAME },
		{ { .value_bytes = 3 }, "<a b='123'>123</a>", FAULT_NONE },
		{ { .value_bytes = 2 }, "<a>123</a>", FAULT_VALUE },
		{ { .value_bytes = 2 }, "<a b='123'/>", FAULT_VALUE },
		{ { .total_bytes = 14 }, "<a>123</a>", FAULT_NONE },
		{ { .total_bytes = 13 }, "<a>123</a>", FAULT_TOTAL },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check(cases[i].limits, bytes_of(cases[i].in), cases[i].fault, NULL);
}

/* Each attribute is compared with all before it, and each prefix looked up in
 * all namespaces: a thousand times a thousand must not be had for a few bytes. */
static void what_costs_its_square_is_bounded(void **state)
{
	static const struct { bool attributes; size_t n; enum body_fault fault; } cases[] = {
		{ true, 200, FAULT_NONE }, { true, 10000, FAULT_NODES },
		{ false, 200, FAULT_NONE }, { false, 300, FAULT_NODES },
	};
	static char in[200000];

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct text t = text_over(in, sizeof in);

		text_str(&t, cases[i].attributes ? "<a" : "<a>");
		for (size_t k = 0; k < cases[i].n; k++)
			text_printf(&t, cases[i].attributes ? " a%zu=''" : "<b xmlns:n%zu='u'/>", k);
		text_str(&t, cases[i].attributes ? "/>" : "</a>");
		assert_false(t.full);
		check((struct body_limits){ 0 }, text_bytes(&t), cases[i].fault, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_and_attributes_are_told),
		cmocka_unit_test(utf_16_arrives_as_utf_8),
		cmocka_unit_test(entities_and_external_subsets_are_refused),
		cmocka_unit_test(what_is_not_well_formed_is_malformed),
		cmocka_unit_test(every_bound_has_its_own_fault),
		cmocka_unit_test(what_costs_its_square_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
