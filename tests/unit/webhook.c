/* webhook.c -- what a message says, who vouches for it, and when it is tried again. */
#include "tests/test.h"
#include "proxy/webhook_parts.h"
#include <stdio.h>

static const char *write(const struct webhook_batch *b, bool full)
{
	static char room[WEBHOOK_BODY_MAX + 1];
	struct text t = text_over(room, WEBHOOK_BODY_MAX);

	webhook_write(&t, b, full);
	assert_false(t.full);
	room[t.len] = '\0';
	return room;
}

static void a_message_tells_no_more_than_it_may(void **state)
{
	struct webhook_batch b = { .from_ms = 1795488439120, .to_ms = 1795488440120, .counts = { [NOTIFY_ATTACK] = 7, [NOTIFY_RELOAD] = 1 }, .n = 1,
				   .notes = { { NOTIFY_ATTACK, 1795488439120, "192.0.2.1", "942100", "01JD", "shop", "/a\"b" } } };

	(void)state;
	assert_string_equal(write(&b, false),
			    "{\"from\":\"2026-11-24T02:47:19.120Z\",\"to\":\"2026-11-24T02:47:20.120Z\",\"counts\":{\"attack\":7,\"reload\":1},"
			    "\"events\":[{\"timestamp\":\"2026-11-24T02:47:19.120Z\",\"kind\":\"attack\",\"address\":\"192.0.2.1\",\"behaviour\":\"942100\"}],"
			    "\"more\":7}");
	assert_non_null(strstr(write(&b, true), "\"behaviour\":\"942100\",\"id\":\"01JD\",\"app\":\"shop\",\"detail\":\"/a\\\"b\"}"));
}

static void the_longest_message_fits(void **state)
{
	static struct webhook_batch b;

	(void)state;
	b.n = WEBHOOK_NOTES;
	for (size_t i = 0; i < WEBHOOK_NOTES; i++) {
		struct webhook_kept *k = &b.notes[i];

		memset(k->address, 'x', sizeof k->address - 1);
		memset(k->behaviour, '"', sizeof k->behaviour - 1);
		memset(k->app, 'y', sizeof k->app - 1);
		memset(k->detail, 1, sizeof k->detail - 1); /* \u0001 */
		memset(k->id, 'z', sizeof k->id - 1);
	}
	for (int kind = 0; kind < NOTIFY_EVENTS; kind++)
		b.counts[kind] = UINT64_MAX / NOTIFY_EVENTS;
	write(&b, true);
}

/* As Python's hmac has it. */
static void a_signature_is_hmac_sha256_of_time_and_body(void **state)
{
	static const struct { const char *secret, *body, *want; } cases[] = {
		{ "key", "{}", "t=1795488439,v1=a5426cc583de5ef067622458690b5d984fa43358d3cef4442b5f2918260dbe13" },
		{ "a secret that is longer than the sixty-four bytes of a block of SHA-256, by some", "{\"a\":1}", "t=1795488439,v1=9e7c392e753f3255cfb349a52a199b009be2950bf92c6b383f9fbb90c8455cc4" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		char room[WEBHOOK_SIGNATURE_MAX];
		struct text t = text_over(room, sizeof room);

		assert_true(webhook_sign(&t, bytes_of(cases[i].secret), 1795488439, bytes_of(cases[i].body)));
		assert_bytes(text_bytes(&t), bytes_of(cases[i].want));
	}
}

static void tries_come_later_and_later_up_to_an_hour(void **state)
{
	uint64_t before = 0;

	(void)state;
	assert_int_equal(webhook_retry_ms(0, 0), 1000);
	for (unsigned tries = 0; tries < 100; tries++) {
		uint64_t ms = webhook_retry_ms(tries, 0);

		assert_true(ms >= before && ms <= 3600000);
		assert_true(webhook_retry_ms(tries, 255) > ms && webhook_retry_ms(tries, 255) <= ms + ms / 4);
		before = ms;
	}
	assert_int_equal(before, 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_tells_no_more_than_it_may),
		cmocka_unit_test(the_longest_message_fits),
		cmocka_unit_test(a_signature_is_hmac_sha256_of_time_and_body),
		cmocka_unit_test(tries_come_later_and_later_up_to_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
