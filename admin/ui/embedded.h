/* embedded.h -- inside admin/: the files of the dashboard, as the program has them.
 *
 * All are gzipped; who cannot read that gets them inflated. A path below /assets/ has a hash of the contents in its name. */
#ifndef ADMIN_UI_EMBEDDED_H
#define ADMIN_UI_EMBEDDED_H
#include "base/bytes.h"

struct ui_file {
	struct bytes path, type, etag; /* "/" is the page; etag: weak, as one tag stands for both encodings */
	size_t at;                     /* in the pack */
	size_t packed, plain;          /* bytes */
};

/* NULL: there is no such file, or no dashboard in this program. */
const struct ui_file *ui_file_find(struct bytes path);
struct bytes ui_file_packed(const struct ui_file *);
#endif
