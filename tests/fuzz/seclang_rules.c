/* A file of SecLang loads or is refused with its name and line in front; what it
 * makes of requests is the same with gates as with every rule asked. */
#include <stdint.h>
#include "tests/inspected.h"
#include "tests/matcher_none.h"

static const char *const requests[] = {
	"GET /a/b.php?q=1%27+or+1=1&list[0]=x HTTP/1.1\r\nHost: a\r\nUser-Agent: sqlmap\r\nCookie: s=1; t=<b>\r\n\r\n",
	("POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 19\r\n\r\n"
	 "user=a&pass=%3Cscri"),
	"POST /api HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n{\"a\":[\"union select\",2]}",
};

/* Of files and folders of this machine nothing may be read. */
static bool names_files(struct bytes text)
{
	return bytes_find_nocase(text, BYTES("include")) != SIZE_MAX || bytes_find_nocase(text, BYTES("file")) != SIZE_MAX ||
	       bytes_find_nocase(text, BYTES("pmf")) != SIZE_MAX || bytes_find_nocase(text, BYTES("ipmatchf")) != SIZE_MAX;
}

static void inspect_all(const struct ruleset *rs[2])
{
	static const struct inspect_options options = { .window = 4096 };
	struct rules_scratch *scratch[2] = { rules_scratch_new(), rules_scratch_new() };

	for (size_t i = 0; i < 2 * nelems(requests); i++) { /* each a second time, when the memo knows it */
		struct inspected got[2];

		for (size_t k = 0; k < 2; k++)
			got[k] = inspect_text(rs[k], scratch[k], bytes_of(requests[i % nelems(requests)]), 0, &options);
		if (!bytes_eq(got[0].outcome, got[1].outcome))
			abort();
		arena_free(got[0].arena);
		arena_free(got[1].arena);
	}
	rules_scratch_free(scratch[0]);
	rules_scratch_free(scratch[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct ruleset *gated, *asked;
	struct err e = { 0 };

	if (size > 4096 || names_files(text))
		return 0;
	gated = rules_of_file("rules.conf", text, &matcher_plain, &e);
	if (!gated && (e.side != SIDE_CONFIG || !strstr(e.text, "rules.conf:")))
		abort();
	asked = gated ? rules_of_file("rules.conf", text, &matcher_none, &e) : NULL;
	if (gated && !asked)
		abort();
	if (gated)
		inspect_all((const struct ruleset *[]){ gated, asked });
	ruleset_free(gated);
	ruleset_free(asked);
	return 0;
}
