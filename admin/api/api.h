/* api.h -- inside admin/: /api/v1, what the dashboard and programs may ask.
 *
 *   request -> route (api_routes.c) -> who asks (door.h) -> its shape -> was it asked before (repeats.h) -> run() -> JSON
 *
 * A route is a row: method, path, who may, what it takes and what it gives. The server runs from the rows, the OpenAPI
 * document at /api/v1/openapi.json is printed from them, and what a request brings is checked against them before `run`
 * sees it: an unknown parameter or member is an error, never ignored. Errors are problem+json (RFC 9457).
 *
 * A call lives from `run` until it is answered, once, now or later (from a job of the store, say); the control thread's. */
#ifndef ADMIN_API_API_H
#define ADMIN_API_API_H
#include "admin/api/door.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/store.h"

enum {
	API_PARAMS = 2,           /* {...} of a path */
	API_FIELDS = 3,
	API_BODY_MAX = 1 << 20,
	API_ANSWER_MAX = 32 << 20,
	API_PAGE = 50, API_PAGE_MAX = 500, /* entries of a list: the default, and the most */
};

/* ---- the manual of a value ---- */

enum api_type {
	API_TEXT,    /* `words` (with NULL behind the last): one of these; `max`: bytes, 0: 1024 */
	API_INT, API_DECIMAL, API_FLAG,
	API_TIME,    /* RFC 3339 text; of a query also "1h", "30m", "7d": so long ago */
	API_OBJECT,  /* `of` */
	API_MAP,     /* an object with any keys; its values are as `of` says, or any where that is NULL */
	API_ANY,
};

struct api_field {
	const char *name;
	enum api_type type;
	bool list;               /* of such values */
	bool optional;           /* may be absent; in an answer also null */
	bool gaps;               /* of an answer: items of the list may be null */
	const struct api_shape *of;
	const char *const *words;
	uint64_t min, max;       /* of a whole number, 0: none; max also of a text */
	const char *help;
};

struct api_shape {
	const char *name;        /* in the document's components; one meaning a name */
	const struct api_field *fields;
	size_t n;
};
#define API_SHAPE(name, fields) { name, fields, nelems(fields) }

/* ---- a call ---- */

struct api_call {
	struct admin *admin;
	struct serve_request *http;
	struct arena *arena;     /* the request's: until it is answered */
	const struct api_route *route;
	struct caller caller;
	struct bytes params[API_PARAMS]; /* what stands for {...}, decoded */
	const struct json *body; /* as the route's shape says; NULL: the route takes none */
	struct field fields[API_FIELDS]; unsigned nfields; /* of the answer, beside every answer's */
	struct repeat *repeat;   /* it has a key (repeats.h); NULL: none */
	struct turn *turn;       /* of a slow one (turns.h) */
};

struct api_route {
	const char *method, *path; /* "/events/{id}", below /api/v1 */
	enum role role;          /* the least that may; ROLE_NONE: whoever reaches the address */
	const char *tag, *help;
	const struct api_shape *query, *body, *answer; /* NULL: none; answer NULL: 204, or what is no JSON */
	void (*run)(struct api_call *);
};

/* Query parameters, checked; at == NULL: it is not there. */
struct bytes api_query(struct api_call *, const char *name);
uint64_t api_query_int(struct api_call *, const char *name, uint64_t unset, uint64_t max);
uint64_t api_query_time(struct api_call *, const char *name); /* wall ms; 0: not there */

/* A slow call has its turn (turns.h) until it is answered; false: 503 was answered. */
bool api_has_turn(struct api_call *);

/* A text of the body; at == NULL: it is not there. */
struct bytes api_member(const struct api_call *, const char *name);

/* ---- answers: the call is gone with each ---- */

/* One more field of the answer that follows; the value is copied, the name is not. */
void api_field(struct api_call *, const char *name, struct bytes value);
/* Frees the writer; what failed in it becomes 503. */
void api_answer(struct api_call *, unsigned status, struct json_out *);
void api_answer_tagged(struct api_call *, struct bytes etag, struct json_out *); /* 200; 304 where If-None-Match has it */
void api_answer_text(struct api_call *, struct bytes); /* text/plain */
void api_done(struct api_call *); /* 204 */
void api_problem(struct api_call *, unsigned status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void api_problem_out(struct api_call *, unsigned status, struct json_out *); /* one that has members of its own; frees the writer */
const char *api_title(unsigned status);
void api_failed(struct api_call *, const struct err *); /* by its side: 422 of the client's or configuration's, 502, 503 */
/* If-Match is wanted and names the present version; false: 428 or 412 was answered. */
bool api_matches(struct api_call *, struct bytes etag);
/* Is the tag in If-Match's or If-None-Match's list, or that "*"? (RFC 9110 13.1) */
bool api_names_tag(struct bytes list, struct bytes tag);
/* What was answered to the same request before. */
void api_answer_again(struct api_call *, const struct serve_answer *);
/* Every answer's fields: no-store, nosniff, and the like. */
size_t api_fields(struct field *to, size_t room);

/* ---- the tables: one a file, api_routes.c names them ---- */

struct api_routes { const struct api_route *at; size_t n; };
extern const struct api_routes *const api_tables[];
extern const size_t api_ntables;
#define API_ROUTES(table) { table, nelems(table) }

/* From server.c: every request below /api/. */
void api_take(struct admin *, struct serve_request *, bool by_socket);
/* For another gate of the cluster (peers.h): what a viewer may read, as JSON. */
void api_take_inside(struct admin *, struct serve_request *);
/* May its body be read? False: it was answered. */
bool api_head(struct admin *, struct serve_request *, bool by_socket);
/* Does it look at Idempotency-Key? Every POST does of which is known who asks. */
bool api_takes_key(const struct api_route *);
void api_openapi(struct json_out *); /* the OpenAPI 3.1 document */
/* Is `value` as the shape says? err in words, with the member's name. */
bool api_check(const struct json *value, const struct api_shape *, struct err *);
/* "2026-11-24T20:02:06Z" and its kin, or "90m": so long before now. 0: neither. */
uint64_t api_time(struct bytes, uint64_t now_ms);
#endif
