/* api_edit.h -- inside admin/api/: what the routes of the configuration share. */
#ifndef ADMIN_API_API_EDIT_H
#define ADMIN_API_API_EDIT_H
#include "admin/api/api_tables.h"
#include "admin/edit_hooks.h"

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
#endif
