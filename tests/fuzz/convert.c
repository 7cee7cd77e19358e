/* What is printed of SecLang is a configuration that the gate reads, however the text came about;
 * a refusal names the line. */
#include <stdint.h>
#include <stdlib.h>
#include "proxy/config.h"
#include "proxy/convert.h"
#include "tests/fuzz/must.h"

enum { INPUT_MAX = 8 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	char *out = NULL;
	size_t n = 0;
	struct config *c;
	FILE *f;
	bool ok;

	if (size > INPUT_MAX)
		return 0;
	f = open_memstream(&out, &n);
	must(f);
	fputs("apps:\n  shop:\n    upstream: http://127.0.0.1:3000\n", f);
	ok = convert_text((struct bytes){ (const char *)data, size }, "x.conf", f, &e);
	fclose(f);
	if (ok) {
		c = config_parse((struct bytes){ out, n }, "out.yaml", NULL, NULL, &e);
		must(c);
		config_free(c);
	} else {
		must(e.side == SIDE_CONFIG && e.text[0]);
	}
	free(out);
	return 0;
}
