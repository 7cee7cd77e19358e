/* syslog.c -- where to, what a message looks like, and how it is framed. */
#include "tests/test.h"
#include "base/syslog_message.h"
#include <stdio.h>
#include <stdlib.h>

static void targets_are_read_strictly(void **state)
{
	static const struct { const char *text, *host; enum syslog_transport transport; uint16_t port; } good[] = {
		{ "udp:log.example:514", "log.example", SYSLOG_UDP, 514 },
		{ "tcp:10.0.0.9:601", "10.0.0.9", SYSLOG_TCP, 601 },
		{ "tls:[2001:db8::9]:6514", "2001:db8::9", SYSLOG_TLS, 6514 },
	};
	static const char *const bad[] = {
		"", "udp:", "udp:x", "udp:x:", "udp::514", "udp:x:0", "udp:x:65536", "udp:x:5x", "http:x:514", "log.example:514",
		"tls:2001:db8::9:6514", "udp:[]:514", "udp:a b:514", "udp:a/b:514", "udp:[::1:514",
	};
	struct syslog_target t;

	(void)state;
	for (size_t i = 0; i < nelems(good); i++) {
		assert_true(syslog_target_parse(bytes_of(good[i].text), &t));
		assert_string_equal(t.host, good[i].host);
		assert_int_equal(t.transport, good[i].transport);
		assert_int_equal(t.port, good[i].port);
	}
	for (size_t i = 0; i < nelems(bad); i++)
		if (syslog_target_parse(bytes_of(bad[i]), &t))
			fail_msg("%s is taken", bad[i]);
}

static void a_host_as_long_as_may_be_is_the_longest(void **state)
{
	char text[SYSLOG_HOST_MAX + 32];
	struct syslog_target t;

	(void)state;
	for (int more = 0; more < 2; more++) {
		char host[SYSLOG_HOST_MAX + 2] = "";

		memset(host, 'a', SYSLOG_HOST_MAX + (size_t)more);
		snprintf(text, sizeof text, "udp:%s:514", host);
		assert_int_equal(syslog_target_parse(bytes_of(text), &t), !more);
	}
}

static void a_head_is_that_of_rfc_5424(void **state)
{
	char room[SYSLOG_HEAD_MAX + 1];
	struct text t = text_over(room, SYSLOG_HEAD_MAX);
	struct bytes head, word;

	(void)state;
	syslog_head_put(&t, &(struct syslog_head){ .facility = 16, .severity = SYSLOG_WARNING, .wall_ms = 1795488439120, .kind = "alert",
						   .id = BYTES("01JD3A"), .app = BYTES("a\"b\\c]d") });
	assert_false(t.full);
	head = text_bytes(&t);
	bytes_cut(&head, ' ', &word);
	assert_bytes(word, BYTES("<132>1"));
	bytes_cut(&head, ' ', &word);
	assert_bytes(word, BYTES("2026-11-24T02:47:19.120Z"));
	bytes_cut(&head, ' ', &word);
	assert_true(word.len > 0);
	bytes_cut(&head, ' ', &word);
	assert_bytes(word, BYTES("embergate"));
	bytes_cut(&head, ' ', &word); /* process id */
	assert_bytes(head, BYTES("alert [embergate@32473 id=\"01JD3A\" app=\"a\\\"b\\\\c\\]d\"] "));
}

static void a_head_fits_whatever_an_app_is_called(void **state)
{
	char room[SYSLOG_HEAD_MAX], name[1000];
	struct text t = text_over(room, sizeof room);

	(void)state;
	memset(name, ']', sizeof name);
	syslog_head_put(&t, &(struct syslog_head){ .facility = 23, .severity = SYSLOG_INFO, .wall_ms = 1795488439120, .kind = "access",
						   .id = { name, sizeof name }, .app = { name, sizeof name } });
	assert_false(t.full);
}

static const char *frame(enum syslog_transport transport, size_t max, const char *message)
{
	static char room[4096];
	struct text t = text_over(room, sizeof room - 1);

	syslog_frame_put(&t, transport, max, bytes_of(message));
	room[t.len] = '\0';
	return room;
}

static void a_stream_counts_octets_and_a_datagram_is_the_message(void **state)
{
	(void)state;
	assert_string_equal(frame(SYSLOG_UDP, 2048, "<1>1 x"), "<1>1 x");
	assert_string_equal(frame(SYSLOG_TCP, 2048, "<1>1 x"), "6 <1>1 x");
	assert_string_equal(frame(SYSLOG_TLS, 2048, "<1>1 \xc3\xa9"), "7 <1>1 \xc3\xa9");
}

static void a_long_message_is_cut_between_characters(void **state)
{
	(void)state;
	assert_string_equal(frame(SYSLOG_UDP, 3, "abcd"), "abc");
	assert_string_equal(frame(SYSLOG_TCP, 3, "ab\xc3\xa9"), "2 ab");
	assert_string_equal(frame(SYSLOG_TCP, 4, "ab\xc3\xa9z"), "4 ab\xc3\xa9");
	assert_string_equal(frame(SYSLOG_UDP, 2, "\xe2\x82\xac"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_read_strictly),
		cmocka_unit_test(a_host_as_long_as_may_be_is_the_longest),
		cmocka_unit_test(a_head_is_that_of_rfc_5424),
		cmocka_unit_test(a_head_fits_whatever_an_app_is_called),
		cmocka_unit_test(a_stream_counts_octets_and_a_datagram_is_the_message),
		cmocka_unit_test(a_long_message_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
