/* privacy.h -- inside admin/: what leaves this installation, in words and as JSON; for ctl and the API. */
#ifndef ADMIN_PRIVACY_H
#define ADMIN_PRIVACY_H
#include "admin/guest.h"
#include "base/json_out.h"

void privacy_text(struct admin *, struct text *);
void privacy_out(struct json_out *, struct admin *); /* {sharing, redis, signals, text} */
#endif
