/* form.h -- the fields of a form that is there whole, for who is no rule: urlencoded, multipart or JSON.
 *
 * By the media type; of a text, or without one, by its looks. Bounds are those of body/body.h, and FORM_BYTES of memory in
 * all: what comes behind one of them, or behind what cannot be read, is not told. */
#ifndef RULES_FORM_H
#define RULES_FORM_H
#include "base/bytes.h"

enum { FORM_BYTES = 4 << 20 };

/* JSON's names are paths: "user.name"; of equal names each is told, in the order of the body. Files are none. Both slices are
 * gone after the call. */
typedef void form_field(void *ctx, struct bytes name, struct bytes value);

void form_read(struct bytes content_type, struct bytes body, form_field *, void *ctx);
void form_read_query(struct bytes query, form_field *, void *ctx);
#endif
