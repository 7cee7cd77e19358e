/* api_edit.h -- inside admin/api/: what the routes of the configuration share. */
#ifndef ADMIN_API_API_EDIT_H
#define ADMIN_API_API_EDIT_H
#include "admin/api/api_tables.h"
#include "admin/edit.h"

enum { EDIT_TAG = 24 };

void edit_config_of(struct api_call *, struct edit_config *);
struct bytes edit_tag(char room[EDIT_TAG], uint64_t hash); /* an ETag: "\"0123456789abcdef\"" */
void edit_put_hash(struct json_out *, const char *key, uint64_t hash);

extern const struct api_shape edit_exception_shape, edit_place_shape;
void edit_put_exception(struct json_out *, const struct edit_exception *);
void edit_put_words(struct json_out *, const char *key, const struct edit_words *);
void edit_put_place(struct json_out *, const struct edit_place *);
/* NULL: it was answered. */
const struct edit_app *edit_apps_of(struct api_call *, size_t *n);
const struct edit_app *edit_app_of(struct api_call *, struct bytes name);

/* ---- changing ---- */

extern const struct api_shape edit_change_shape, edit_change_query;
extern const struct api_shape api_impact_shape; /* api_suggest.c */
/* Is anything changed from here, and is the version that If-Match names the present one? False: it was answered. */
bool edit_may(struct api_call *, bool if_match);
/* Takes `dry_run` and `confirm` from the query, sees the change through, notes it under `action`, and answers. The ask's
 * memory is the call's arena. */
void edit_change(struct api_call *, const struct edit_ask *, const char *action, struct bytes subject);
/* The same for EDIT_ADD of this exception; what it would have let through is told, noted and warned of. */
void edit_add(struct api_call *, const struct edit_ask *, const struct edit_exception *);
#endif
