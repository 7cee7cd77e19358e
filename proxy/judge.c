/* judge.c -- a request, whole, before rules. */
#include "proxy/judge.h"
#include "base/clock.h"
#include "base/http1.h"
#include "base/path.h"
#include "proxy/access.h"

enum { FIELDS_MAX = 200 };

void judge_put_field(struct text *t, struct bytes name, struct bytes value)
{
	text_put(t, name);
	text_str(t, ": ");
	text_put(t, value);
	text_str(t, "\r\n");
}

unsigned judge_read(struct arena *a, struct bytes head, struct request *out, struct err *e)
{
	static const struct http1_limits limits = { JUDGE_HEAD_MAX, JUDGE_HEAD_MAX, FIELDS_MAX };
	struct bytes *readings = arena_get(a, PATH_READINGS_MAX * sizeof *readings);
	unsigned status = 0;

	if (!http1_parse_request(a, head, &limits, out, e) || !path_check(out->path, e))
		status = e->code ? (unsigned)e->code : 400;
	out->readings = readings;
	out->nreadings = readings && out->path.at ? path_readings(a, out->path, readings) : 0;
	return status;
}

size_t judge_exclusions(const struct app_exception *at, size_t n, const struct request *r, const struct exclusion **out)
{
	uint64_t now_s = clock_wall_ms() / 1000;
	size_t held = 0;

	for (size_t i = 0; i < n; i++)
		if (at[i].exclusion && access_exception_meets(r, at[i].config, now_s))
			out[held++] = at[i].exclusion;
	return held;
}

unsigned judge_inspect(struct arena *a, const struct judge *j, const struct request *r, struct bytes body, unsigned malformed,
		       const struct verdict **verdict)
{
	struct inspection *in = inspection_new(a, j->rules, j->scratch, r, j->inspect);
	enum body_flow flow = BODY_GO;
	uint64_t release;

	*verdict = NULL;
	if (!in)
		return 503;
	inspection_head(in);
	if (inspection_verdict(in)->remedy != REMEDY_DENY) {
		flow = body.len ? inspection_body(in, body, &release) : BODY_GO;
		flow = flow == BODY_GO ? inspection_end(in) : flow;
	}
	inspection_finish(in);
	*verdict = inspection_verdict(in);
	if ((*verdict)->remedy == REMEDY_DENY)
		return (*verdict)->status;
	return flow == BODY_TOO_LONG ? 413 : flow == BODY_REFUSED ? 400 : malformed;
}
