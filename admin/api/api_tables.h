/* api_tables.h -- inside admin/api/: every table of routes, named where api_routes.c lists it. */
#ifndef ADMIN_API_API_TABLES_H
#define ADMIN_API_API_TABLES_H
#include "admin/api/api.h"

extern const struct api_routes api_status_routes; /* api_status.c: the gate, its apps */
extern const struct api_routes api_audit_routes;  /* api_audit.c: who changed what */
#endif
