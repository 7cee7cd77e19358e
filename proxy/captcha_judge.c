/* captcha_judge.c -- what a provider's answer means. Whatever is not clearly a yes
 * is a no or a trouble. */
#include "base/json.h"
#include "proxy/captcha_parts.h"

enum {
	AHEAD_MS = 60 * 1000, /* clocks differ */
	CODES_MAX = 16,       /* of an answer that are looked at */
};

static const struct json_limits limits = { 16 << 10, 8 };

/* Whose doing an error is. Codes not listed say no more than "no". */
static const struct {
	const char *code;
	enum captcha_why why;
} codes[] = {
	{ "missing-input-secret", CAPTCHA_WHY_SECRET },
	{ "invalid-input-secret", CAPTCHA_WHY_SECRET },
	{ "sitekey-secret-mismatch", CAPTCHA_WHY_SECRET },
	{ "not-using-dummy-passcode", CAPTCHA_WHY_SECRET }, /* the secret is the one for tests */
	{ "secret_missing", CAPTCHA_WHY_SECRET },
	{ "secret_invalid", CAPTCHA_WHY_SECRET },
	{ "internal-error", CAPTCHA_WHY_BROKEN },
	{ "missing-input-response", CAPTCHA_WHY_BAD },
	{ "invalid-input-response", CAPTCHA_WHY_BAD },
	{ "invalid-or-already-seen-response", CAPTCHA_WHY_BAD },
	{ "already-seen-response", CAPTCHA_WHY_BAD },
	{ "expired-input-response", CAPTCHA_WHY_BAD },
	{ "timeout-or-duplicate", CAPTCHA_WHY_BAD },
	{ "bad-request", CAPTCHA_WHY_BAD },
	{ "solution_missing", CAPTCHA_WHY_BAD },
	{ "solution_invalid", CAPTCHA_WHY_BAD },
	{ "solution_timeout_or_duplicate", CAPTCHA_WHY_BAD },
	{ "bad_request", CAPTCHA_WHY_BAD },
};

static void say(struct captcha_judgement *out, enum captcha_why why, const char *text)
{
	static const enum captcha_result results[] = {
		[CAPTCHA_WHY_GOOD] = CAPTCHA_PASSED, [CAPTCHA_WHY_BAD] = CAPTCHA_FAILED,
		[CAPTCHA_WHY_HOST] = CAPTCHA_FAILED, [CAPTCHA_WHY_OLD] = CAPTCHA_FAILED,
		[CAPTCHA_WHY_SECRET] = CAPTCHA_TROUBLE, [CAPTCHA_WHY_BROKEN] = CAPTCHA_TROUBLE,
	};

	out->result = results[why];
	out->why = why;
	snprintf(out->text, sizeof out->text, "%s", text);
}

/* The code that says most: our secret before the provider's faults before the client's. */
static bool judge_codes(const struct json *j, const char *path, struct captcha_judgement *out)
{
	const struct json *list = json_at(j, path);
	enum captcha_why most = CAPTCHA_WHY_GOOD;
	struct bytes code;

	for (size_t i = 0; i < CODES_MAX && json_item(list, i); i++)
		for (size_t k = 0; k < nelems(codes); k++)
			if (json_text(json_item(list, i), "", &code) && bytes_eq(code, bytes_of(codes[k].code)) &&
			    (most == CAPTCHA_WHY_GOOD || codes[k].why == CAPTCHA_WHY_SECRET ||
			     (codes[k].why == CAPTCHA_WHY_BROKEN && most == CAPTCHA_WHY_BAD))) {
				most = codes[k].why;
				say(out, most, codes[k].code);
			}
	return most != CAPTCHA_WHY_GOOD;
}

/* ---- where and when ---- */

static bool is_host(struct bytes name, struct bytes pattern)
{
	struct bytes parent = bytes_from(pattern, 1); /* of "*.shop.example" */

	if (!bytes_starts(pattern, BYTES("*.")))
		return bytes_eq_nocase(name, pattern);
	return name.len > parent.len && bytes_eq_nocase(bytes_from(name, name.len - parent.len), parent);
}

static bool is_ours(struct bytes name, const struct words *hosts)
{
	for (size_t i = 0; i < hosts->n; i++)
		if (is_host(name, hosts->at[i]))
			return true;
	return hosts->n == 0;
}

static bool digits(struct bytes *b, size_t n, unsigned *out)
{
	uint64_t v;

	if (b->len < n || !bytes_u64(bytes_sub(*b, 0, n), &v))
		return false;
	*out = (unsigned)v;
	*b = bytes_from(*b, n);
	return true;
}

static bool mark(struct bytes *b, const char *any)
{
	if (b->len == 0 || !b->at[0] || !strchr(any, b->at[0]))
		return false;
	*b = bytes_from(*b, 1);
	return true;
}

/* "Z", "+02:00", "+0200": seconds east of Greenwich. */
static bool zone(struct bytes b, long *out)
{
	unsigned h, m;
	bool west = b.len && b.at[0] == '-';

	*out = 0;
	if (b.len == 1)
		return mark(&b, "Zz");
	if (!mark(&b, "+-") || !digits(&b, 2, &h) || (b.len == 3 && !mark(&b, ":")) || !digits(&b, 2, &m) || b.len ||
	    h > 23 || m > 59)
		return false;
	*out = (long)(h * 60 + m) * (west ? -60 : 60);
	return true;
}

static bool is_date(unsigned y, unsigned mo, unsigned d, unsigned h, unsigned mi, unsigned s)
{
	return y >= 1970 && mo >= 1 && mo <= 12 && d >= 1 && d <= 31 && h <= 23 && mi <= 59 && s <= 60;
}

bool captcha_time(struct bytes b, uint64_t *out_ms)
{
	unsigned y, mo, d, h, mi, s, digit;
	struct tm tm;
	long east;
	time_t t;

	if (!digits(&b, 4, &y) || !mark(&b, "-") || !digits(&b, 2, &mo) || !mark(&b, "-") || !digits(&b, 2, &d) ||
	    !mark(&b, "Tt ") || !digits(&b, 2, &h) || !mark(&b, ":") || !digits(&b, 2, &mi) || !mark(&b, ":") ||
	    !digits(&b, 2, &s) || !is_date(y, mo, d, h, mi, s))
		return false;
	if (mark(&b, ".")) {
		if (!digits(&b, 1, &digit))
			return false;
		while (digits(&b, 1, &digit))
			;
	}
	if (!zone(b, &east))
		return false;
	tm = (struct tm){ .tm_year = (int)y - 1900, .tm_mon = (int)mo - 1, .tm_mday = (int)d, .tm_hour = (int)h,
			  .tm_min = (int)mi, .tm_sec = (int)s };
	t = timegm(&tm) - east;
	*out_ms = t > 0 ? (uint64_t)t * 1000 : 0;
	return true;
}

/* ---- a yes ---- */

static void judge_yes(const struct captcha_config *c, const struct json *j, uint64_t now_ms,
		      struct captcha_judgement *out)
{
	bool must = captcha_provider(c)->tells, told_host, told_time;
	struct bytes host = { 0 }, time = { 0 };
	uint64_t at_ms = 0;
	double score;

	told_host = json_text(j, "hostname", &host);
	told_time = json_text(j, "challenge_ts", &time);
	if ((must && (!told_host || !told_time)) || (told_time && !captcha_time(time, &at_ms)))
		say(out, CAPTCHA_WHY_BROKEN, "a yes that does not say for which host and when");
	else if (told_host && !is_ours(host, &c->hosts))
		say(out, CAPTCHA_WHY_HOST, "solved for another host");
	else if (told_time && (at_ms + CAPTCHA_OLD_MS < now_ms || at_ms > now_ms + AHEAD_MS))
		say(out, CAPTCHA_WHY_OLD, "solved too long ago");
	else if (c->provider == CAPTCHA_RECAPTCHA && json_decimal(j, "score", &score) && !(score >= 0.5))
		say(out, CAPTCHA_WHY_BAD, "a score below 0.5"); /* version 3 says yes to everybody */
	else
		say(out, CAPTCHA_WHY_GOOD, "good");
}

void captcha_judge(const struct captcha_config *c, unsigned status, struct bytes body, uint64_t now_ms,
		   struct captcha_judgement *out)
{
	struct err e = { 0 };
	struct json *j = json_read(body, &limits, &e);
	bool yes = false, told = json_flag(j, "success", &yes), coded;

	coded = judge_codes(j, captcha_provider(c)->errors, out);
	if (!coded)
		say(out, CAPTCHA_WHY_BAD, "no");
	if (status != 200 && (status >= 500 || !coded || yes)) {
		say(out, CAPTCHA_WHY_BROKEN, "");
		snprintf(out->text, sizeof out->text, "an answer with status %u", status);
	} else if (!j) {
		say(out, CAPTCHA_WHY_BROKEN, "an answer that is no JSON");
	} else if (!told) {
		say(out, CAPTCHA_WHY_BROKEN, "an answer without `success`");
	} else if (yes && coded) {
		say(out, CAPTCHA_WHY_BROKEN, "a yes with an error");
	} else if (yes) {
		judge_yes(c, j, now_ms, out);
	}
	json_free(j);
}
