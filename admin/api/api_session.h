/* api_session.h -- inside admin/api/: what logging in and changing one's own account have in common. */
#ifndef ADMIN_API_API_SESSION_H
#define ADMIN_API_API_SESSION_H
#include "admin/api/api.h"
#include "admin/users.h"

/* Asks somebody who has logged in? False: 409 was answered. */
bool session_is_callers(struct api_call *);
/* Answers what was not USER_IN; a wrong password is noted as `action`. */
void session_refuse(struct api_call *, enum user_answer, unsigned wait_s, struct bytes name, const char *action);
#endif
