/* status.h -- inside admin/: the gate's state, for people and for programs. */
#ifndef ADMIN_STATUS_H
#define ADMIN_STATUS_H
#include "admin/admin.h"

void status_table(struct text *, const struct admin_status *, uint64_t now_ms);
void status_json(struct text *, const struct admin_status *, uint64_t now_ms);
#endif
