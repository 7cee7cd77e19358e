/* reputation_shapes.h -- inside admin/: decisions, alerts, lists, gates and keys as JSON, for the API and for `ctl -o json` alike:
 * the shape, and what writes it. */
#ifndef ADMIN_API_REPUTATION_SHAPES_H
#define ADMIN_API_REPUTATION_SHAPES_H
#include "admin/api/api.h"
#include "cti/alerts.h"
#include "cti/keys.h"
#include "cti/lists.h"
#include "cti/share.h"

extern const struct api_shape key_shape; /* api_keys.c */
extern const struct api_shape decision_shape, alert_shape, list_shape, node_shape;
void decision_out(struct json_out *, const struct decision *);
void alert_out(struct json_out *, const struct alert *);
void list_out(struct json_out *, const struct list_status *, uint64_t now_ms);
void node_out(struct json_out *, const struct share_node *);
void key_out(struct json_out *, const struct key_info *);
void keys_out(struct json_out *, const char *key, struct keys *, bool machines); /* a list */

/* NULL-terminated, as api_field wants them. */
extern const char *const scope_words[], *const remedy_words[];
#endif
