/* Hyperscan and the plain matcher come to the same outcome on any request, new or
 * seen before. In one piece or in many, it passes or it does not. */
#include <stdint.h>
#include "tests/inspected.h"

static const char yaml[] =
	"name: path\nrules: [{zones: [URI], transform: [lowercase], match: {type: regex, value: '/(admin|\\.git)(/|$)'}}]\n---\n"
	"name: quote\nrules: [{zones: [ARGS, BODY_ARGS, COOKIES], transform: [urldecodeuni, removenulls, lowercase],\n"
	"  match: {type: regex, value: \"'\\\\s*(or|and)\\\\b|union\\\\s+select\"}}]\n---\n"
	"name: tag\nrules: [{zones: [ARGS, ARGS_NAMES, BODY_ARGS, HEADERS], transform: [htmlentitydecode, lowercase],\n"
	"  match: {type: contains, values: ['<script', 'onerror=']}}]\n---\n"
	"name: ends\nrules: [{zones: [ARGS, BODY_ARGS], match: {type: regex, value: '^x|y$|^$'}}]\n---\n"
	"name: both\nrules: [{and: [{zones: [METHOD], match: {type: equals, value: POST}},\n"
	"  {zones: [BODY_ARGS_NAMES], match: {type: startsWith, value: json.a}},\n"
	"  {zones: [HEADERS], variables: [X-A], match: {type: contains, value: evil, not: true}}]}]\n---\n"
	"name: base64\nrules: [{zones: [BODY_ARGS], transform: [b64decode], match: {type: contains, value: evil}}]\n---\n"
	"name: file\nrules: [{zones: [FILENAMES], match: {type: endsWith, value: .php}}]\n---\n"
	"name: raw\nrules: [{zones: [RAW_BODY], match: {type: contains, value: evil}}]\n---\n"
	"name: many\ndo: log\nrules: [{zones: [ARGS], transform: [count], match: {type: gt, value: 3}}]\n---\n"
	"name: sql\ndo: log\nrules: [{zones: [ARGS], variables: ['/^q/'], match: {type: libinjectionSQL}}]\n";

static struct ruleset *rulesets[2];
static struct rules_scratch *scratches[2];

static void set_up(void)
{
	static const struct matcher_kind *const kinds[] = { &matcher_hs, &matcher_plain };
	struct err e = { 0 };

	for (size_t i = 0; i < 2; i++) {
		rulesets[i] = rules_of_text(bytes_of(yaml), kinds[i], &e);
		scratches[i] = rules_scratch_new();
		if (!rulesets[i]) {
			fprintf(stderr, "%s\n", e.text);
			abort();
		}
	}
}

static bool passes(const struct inspected *i)
{
	return bytes_starts(i->outcome, BYTES("allow")) || bytes_starts(i->outcome, BYTES("log"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct inspect_options options = { .window = 200 };
	struct inspected got[4];
	struct bytes raw;

	if (!rulesets[0])
		set_up();
	if (!size)
		return 0;
	raw = (struct bytes){ (const char *)data + 1, size - 1 };
	for (size_t i = 0; i < 4; i++) /* the first byte says how it is cut the second time */
		got[i] = inspect_text(rulesets[i % 2], scratches[i % 2], raw, i < 2 ? 0 : data[0], &options);
	for (size_t i = 0; i < 4; i += 2)
		if (!bytes_eq(got[i].outcome, got[i + 1].outcome))
			abort();
	if (passes(&got[0]) != passes(&got[2]))
		abort();
	for (size_t i = 0; i < 4; i++)
		arena_free(got[i].arena);
	return 0;
}
