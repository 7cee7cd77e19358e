/* appsec.c -- whatever a bouncer asks has one of four statuses and an answer in JSON, and of what is inspected nothing is the
 * bouncer's own. */
#include "base/json.h"
#include "proxy/appsec.h"
#include "tests/fuzz/must.h"
#include "tests/inspected.h"

static const char rules[] = "name: args\nrules: [{zones: [ARGS, BODY_ARGS, HEADERS], match: {type: contains, value: select}}]\n";
static struct ruleset *ruleset;

static bool choose(void *ctx, const struct request *r, struct arena *a, struct appsec_app *out)
{
	(void)ctx;
	(void)a;
	*out = (struct appsec_app){ ruleset, { .window = 512 }, true };
	return r->hostname.len != 1;
}

static void check(const struct appsec_told *t)
{
	static const struct json_limits limits = { 4096, 2 };
	struct json *j = json_read(t->answer, &limits, NULL);
	int64_t status = 0;

	must(t->status == 200 || t->status == 401 || t->status == 403 || t->status == 500);
	must(j || !t->answer.len);
	must(!t->why || json_at(j, "message"));
	must(!t->denied || t->status == 403 || t->status == 200);
	must(!json_number(j, "http_status", &status) || (status >= 100 && status <= 599));
	for (size_t i = 0; i < t->request.fields.n; i++)
		must(!bytes_starts_nocase(t->request.fields.at[i].name, BYTES("X-Crowdsec-Appsec-")));
	json_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http1_limits limits = { 64 << 10, 64 << 10, 100 };
	static struct appsec *appsec;
	struct bytes in = { (const char *)data, size };
	size_t blank = bytes_find(in, BYTES("\r\n\r\n")), head = blank == SIZE_MAX ? in.len : blank + 4;
	struct key_info key = { .scopes = KEY_APPSEC | (size % 2 ? KEY_TRUSTED : 0) };
	struct arena *a = arena_new(APPSEC_ARENA);
	struct request r = { 0 };
	struct appsec_asked q = { &r, bytes_from(in, head), { { 1 } }, size % 7 ? &key : NULL };
	struct appsec_told told;
	struct err e = { 0 };

	if (!ruleset)
		ruleset = rules_of_text(bytes_of(rules), &matcher_plain, &e);
	if (!appsec)
		appsec = appsec_new(&(struct appsec_options){ choose, NULL, NULL });
	must(ruleset && appsec);
	if (http1_parse_request(a, bytes_sub(in, 0, head), &limits, &r, &e)) {
		appsec_judge(appsec, a, &q, &told);
		check(&told);
	}
	arena_free(a);
	return 0;
}
