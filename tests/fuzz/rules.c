/* A file of rules loads, twice the same, or is refused with its name in front. */
#include <stdint.h>
#include "tests/inspected.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes yaml = { (const char *)data, size };
	struct err e = { 0 }, again = { 0 };
	struct ruleset *rs, *twice;

	if (size > 4096)
		return 0;
	rs = rules_of_text(yaml, &matcher_plain, &e);
	twice = rules_of_text(yaml, &matcher_plain, &again);
	if (!rs != !twice || (rs && ruleset_count(rs) != ruleset_count(twice)))
		abort();
	if (!rs && (e.side != SIDE_CONFIG || !strstr(e.text, "rules.yaml:")))
		abort();
	ruleset_free(rs);
	ruleset_free(twice);
	return 0;
}
