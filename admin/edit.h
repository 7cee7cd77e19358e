/* edit.h -- inside admin/: what the API and ctl share where they change the configuration. */
#ifndef ADMIN_EDIT_H
#define ADMIN_EDIT_H
#include "admin/edit_hooks.h"

/* An exception as it is written: its lists, path, reason and end. NULL: out of memory. */
const struct yaml_node *edit_entry(struct arena *, const struct edit_exception *);
const struct yaml_node *edit_scalar(struct arena *, struct bytes);
/* "2026-12-31" (that day too), "90d", or an RFC 3339 time; false: none of them. */
bool edit_until(struct bytes, uint64_t now_ms, uint64_t *until_ms);
bool edit_id(struct bytes, uint64_t *id); /* of an exception: 16 hexadecimal digits */
/* NULL, or why the configuration is not changed here. */
const char *edit_why_not(struct admin *, struct arena *);
#endif
