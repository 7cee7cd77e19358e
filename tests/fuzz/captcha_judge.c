/* captcha_judge.c -- a yes is one only with status 200, and of a provider that tells them
 * neither an hour later nor for another host. The first two bytes choose provider and status. */
#include "proxy/captcha_parts.h"
#include "tests/fuzz/must.h"

enum { NOW_S = 1795488439 };

static enum captcha_result judged(uint32_t provider, struct bytes host, unsigned status, struct bytes body,
				  uint64_t now_s)
{
	struct captcha_config c = { .provider = provider, .hosts = { &host, 1 } };
	struct captcha_judgement j;

	captcha_judge(&c, status, body, now_s * 1000, &j);
	must(j.text[0] && strlen(j.text) < sizeof j.text);
	must((j.result == CAPTCHA_PASSED) == (j.why == CAPTCHA_WHY_GOOD));
	must((j.result == CAPTCHA_TROUBLE) == (j.why == CAPTCHA_WHY_SECRET || j.why == CAPTCHA_WHY_BROKEN));
	return j.result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 200, 200, 201, 302, 400, 401, 404, 500, 503 };
	uint32_t provider;
	struct bytes body;

	if (size < 2)
		return 0;
	provider = CAPTCHA_TURNSTILE + data[0] % 5u;
	body = (struct bytes){ (const char *)data + 2, size - 2 };
	if (judged(provider, BYTES("shop.example"), statuses[data[1] % nelems(statuses)], body, NOW_S) != CAPTCHA_PASSED)
		return 0;
	must(statuses[data[1] % nelems(statuses)] == 200);
	if (provider == CAPTCHA_FRIENDLY || provider == CAPTCHA_CUSTOM)
		return 0;
	must(judged(provider, BYTES("shop.example"), 200, body, NOW_S + 3600) == CAPTCHA_FAILED);
	must(judged(provider, BYTES("other.example"), 200, body, NOW_S) == CAPTCHA_FAILED);
	return 0;
}
