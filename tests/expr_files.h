/* expr_files.h -- the files that expressions in tests ask. */
#ifndef TESTS_EXPR_FILES_H
#define TESTS_EXPR_FILES_H
#include "base/expr_data.h"
#include "base/text.h"
#include <stdlib.h>
#include <unistd.h>

/* NULL when it could not be written or read. */
static inline struct expr_data *expr_files(struct arena *a)
{
	static const struct { const char *name; enum expr_data_type type; const char *text; } all[] = {
		{ "words", EXPR_DATA_STRING, "# comment\nadmin\n\n.php\r\nwp-login\n" },
		{ "none", EXPR_DATA_STRING, "" },
		{ "json", EXPR_DATA_STRING, "{\"uri\": \"/admin\", \"cve\": \"1\"}\n{\"uri\": \"index\", \"cve\": \"2\"}\n" },
		{ "regexps", EXPR_DATA_REGEXP, "^/x\nadm.n\n(?i)curl/\\d\n" },
		{ "map", EXPR_DATA_MAP, "{\"pattern\":\"/wp-\",\"tag\":\"wp\",\"type\":\"contains\"}\n{\"pattern\":\"/x\",\"tag\":\"whole\"}\n"
					"{\"pattern\":\"^/x.*z$\",\"tag\":\"re\",\"type\":\"regex\"}\n" },
	};
	struct expr_data *d = expr_data_new(a, NULL);

	for (size_t i = 0; d && i < nelems(all); i++) {
		char path[] = "/tmp/embergate-expr-XXXXXX";
		int fd = mkstemp(path);
		size_t len = strlen(all[i].text);
		bool ok = fd >= 0 && write(fd, all[i].text, len) == (ssize_t)len;

		if (fd >= 0)
			close(fd);
		ok = ok && expr_data_add(d, bytes_of(all[i].name), all[i].type, path, NULL);
		unlink(path);
		if (!ok)
			return NULL;
	}
	return d;
}
#endif
