/* ctl_import.h -- `embergate ctl decisions import FILE`: the file is read here, by whoever runs it, and each decision of it
 * asked of the gate in its turn. */
#ifndef ADMIN_CTL_IMPORT_H
#define ADMIN_CTL_IMPORT_H
#include "admin/ctl.h"

/* Says one line to the gate and takes its answer. */
typedef enum ctl_outcome ctl_say(void *ctx, struct bytes line);
/* `file` "-" is the standard input. Addresses one a line, CSV or JSON as list_read.h reads them. */
enum ctl_outcome ctl_import(const char *file, ctl_say *, void *ctx);
#endif
