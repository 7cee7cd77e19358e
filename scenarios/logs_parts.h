/* logs_parts.h -- what the readers of scenarios/logs*.c share; no other folder includes it.
 *
 * A reader walks a line once, from the front, with a slice of what is left. A function that takes something off the front
 * leaves the slice as it was when it returns false. */
#ifndef SCENARIOS_LOGS_PARTS_H
#define SCENARIOS_LOGS_PARTS_H
#include "scenarios/logs.h"

typedef enum log_read log_line_reader(struct arena *, struct bytes line, struct facts *);

/* ---- slices: logs_bytes.c ---- */

bool log_take(struct bytes *rest, struct bytes literal);
/* The part before `stop`, which is taken too; false where there is none. */
bool log_take_to(struct bytes *rest, char stop, struct bytes *part);
/* What stands between quotes, up to one that no backslash escapes: `"` is "\"" in Apache's logs, "\x22" in nginx's. */
bool log_take_quoted(struct bytes *rest, struct bytes *inside);
bool log_is_number(struct bytes); /* digits, at least one */
bool log_is_word(struct bytes);   /* letters, digits and '_', at least one */
bool log_is_host(struct bytes);   /* the letters of a name or an address */
size_t log_find_last(struct bytes hay, struct bytes needle); /* SIZE_MAX: not there */

/* ---- time: logs_time.c ---- */

struct log_time {
	unsigned year, month, day, hour, minute, second, ns;
	int offset_min; /* east of Greenwich */
};

bool log_time_clf(struct bytes, struct log_time *);    /* 29/Sep/2021:17:29:58 +0200; 29/Sep/2021:17:29:58.123 */
bool log_time_iso(struct bytes, struct log_time *);    /* 2021-09-29T17:29:58.123+02:00; 2021/09/29 17:29:58 */
bool log_time_apache(struct bytes, struct log_time *); /* Fri Oct 08 17:08:41.203277 2021 */
bool log_time_syslog(struct bytes, struct log_time *); /* Sep  5 16:13:46; the year is the one that fits the clock */
bool log_time_unix(struct bytes, struct log_time *);   /* 1711741827.96: seconds; 1711741827960: milliseconds */
bool log_time_any(struct bytes, struct log_time *);
/* facts.at_us, wall_ms and the timestamp (RFC 3339, with the offset that was written down). */
void log_time_set(struct facts *, struct arena *, const struct log_time *);

/* ---- what carries a line: logs_frame.c ---- */

struct log_frame {
	struct bytes machine; /* the host that wrote it; empty: not said */
	struct bytes program; /* empty: not said */
	struct bytes message;
	struct log_time time;
};

bool log_unframe(struct arena *, struct bytes line, struct log_frame *); /* false: it stands alone */
/* Reads what is in the frame, if there is one. */
enum log_read log_framed(struct arena *, struct bytes line, struct facts *, log_line_reader *);

/* ---- facts of a request: logs_http.c ---- */

void log_http(struct facts *, struct bytes log_type);
void log_http_status(struct facts *, struct bytes digits);
void log_http_target(struct facts *, struct arena *, struct bytes target);
/* "GET /a?b HTTP/1.1"; false: it is malformed, and what it holds is for the caller to put somewhere. */
bool log_http_request(struct facts *, struct arena *, struct bytes line);
/* "GET /a": as the error logs and HTTP/0.9 have it. */
bool log_http_short_request(struct facts *, struct arena *, struct bytes line);

/* ---- the readers ---- */

/* What stands between a JSON string's quotes, its escapes undone; false: they are none. */
bool log_json_text(struct arena *, struct bytes in, struct bytes *out);

struct log_form {
	const char *text; /* logs_form.c says how it reads */
	const char *log_type, *sub_type, *extra_type;
};

log_line_reader log_nginx, log_apache2, log_bunkerweb;                                           /* logs_access.c */
log_line_reader log_nginx_error, log_apache2_error;                                              /* logs_error.c */
log_line_reader log_json;                                                                        /* logs_json.c */
log_line_reader log_npm, log_litespeed, log_alb, log_zoraxy, log_haproxy, log_traefik, log_sshd; /* logs_form.c */
#endif
