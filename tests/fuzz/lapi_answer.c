/* lapi_answer.c -- what is told of an answer can be held; and of any answer that is whole, each beginning is none. */
#include "cti/lapi_answer.h"
#include "tests/fuzz/must.h"

static bool look(void *ctx, const struct lapi_item *i)
{
	struct ip_net net;
	struct ip ip;
	uint64_t as;

	++*(size_t *)ctx;
	must(i->value.len && i->value.len <= LAPI_TEXT_MAX && i->type.len && i->type.len <= LAPI_TEXT_MAX);
	must(i->scenario.len <= LAPI_TEXT_MAX && i->origin.len <= LAPI_TEXT_MAX);
	must(i->left_ms <= 365ull * 86400 * 1000);
	must(i->scope <= SCOPE_COUNTRY);
	must(i->scope != SCOPE_IP || ip_parse(i->value, &ip));
	must(i->scope != SCOPE_RANGE || ip_net_parse(i->value, &net));
	must(i->scope != SCOPE_AS || bytes_u64(i->value, &as));
	must(i->scope != SCOPE_COUNTRY || i->value.len == 2);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	struct lapi_answer s, cut;
	struct err e = { 0 };
	size_t seen = 0;

	if (!lapi_answer_read(in, &s, &e)) {
		must(e.side == SIDE_UPSTREAM && e.text[0]);
		return 0;
	}
	while (in.len && in.at[in.len - 1] != '}')
		in.len--;
	for (size_t n = in.len > 300 ? in.len - 300 : 0; n < in.len; n++)
		must(!lapi_answer_read(bytes_sub(in, 0, n), &cut, &e));
	for (enum lapi_part p = LAPI_NEW; p <= LAPI_DELETED; p++)
		seen += lapi_answer_each(&s, p, look, &seen);
	must(seen <= size);
	return 0;
}
