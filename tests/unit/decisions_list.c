/* decisions_list.c -- a page of decisions, and what is held against an address. */
#include "base/clock.h"
#include "cti/cti.h"
#include "tests/test.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { HOUR = 3600 * 1000 };

static uint64_t hold(struct decisions *d, enum scope scope, const char *value, enum remedy_kind remedy, const char *reason)
{
	uint64_t now = clock_wall_ms();
	struct decision new = { .scope = scope, .value = bytes_of(value), .remedy = remedy, .reason = bytes_of(reason),
				.origin = BYTES("manual"), .made_ms = now, .until_ms = now + HOUR };

	assert_int_equal(decisions_add(d, &new), DECISION_HELD);
	return new.id;
}

static const struct decisions_filter anything = { .scope = SCOPE_COUNT, .remedy = REMEDY_COUNT };

/* The values of a page, joined; its ids fall. */
static const char *page(struct decisions *d, const struct decisions_filter *f, size_t limit, struct decisions_page *p)
{
	static char line[512];
	struct arena *a = arena_new(1 << 20);
	struct text t = text_over(line, sizeof line - 1);

	assert_true(decisions_page(d, f, clock_wall_ms(), limit, a, p));
	for (size_t i = 0; i < p->n; i++) {
		assert_true(i == 0 || p->at[i].id < p->at[i - 1].id);
		text_printf(&t, "%s%.*s", i ? " " : "", BYTES_ARG(p->at[i].value));
	}
	line[t.len] = '\0';
	arena_free(a);
	return line;
}

static void a_page_has_the_newest_first_and_says_how_many_there_are(void **state)
{
	struct decisions *d = decisions_new(1000);
	struct decisions_page *p = malloc(sizeof *p);
	struct decisions_filter f = anything;

	(void)state;
	assert_string_equal(page(d, &f, 10, p), "");
	assert_int_equal(p->total, 0);
	hold(d, SCOPE_IP, "192.0.2.1", REMEDY_DENY, "one");
	hold(d, SCOPE_IP, "192.0.2.2", REMEDY_DENY, "two");
	hold(d, SCOPE_RANGE, "198.51.100.0/24", REMEDY_CHALLENGE, "three");
	assert_string_equal(page(d, &f, 2, p), "198.51.100.0/24 192.0.2.2");
	assert_int_equal(p->total, 3);
	f.before = p->next;
	hold(d, SCOPE_IP, "192.0.2.4", REMEDY_DENY, "later");
	assert_string_equal(page(d, &f, 2, p), "192.0.2.1");
	assert_int_equal(p->total, 4);
	assert_int_equal(p->next, 0);
	free(p);
	decisions_free(d);
}

static void what_is_asked_for_fits_in_all_that_is_said(void **state)
{
	struct decisions *d = decisions_new(1000);
	struct decisions_page *p = malloc(sizeof *p);
	struct ip_net one, block;

	(void)state;
	assert_true(ip_net_parse(BYTES("192.0.2.1"), &one) && ip_net_parse(BYTES("192.0.2.0/25"), &block));
	hold(d, SCOPE_IP, "192.0.2.1", REMEDY_DENY, "http-Probing");
	hold(d, SCOPE_IP, "192.0.2.200", REMEDY_DENY, "by hand");
	hold(d, SCOPE_RANGE, "192.0.0.0/16", REMEDY_CHALLENGE, "a list");
	hold(d, SCOPE_COUNTRY, "FR", REMEDY_ALLOW, "by hand");
	assert_string_equal(page(d, &(struct decisions_filter){ SCOPE_IP, REMEDY_COUNT, .before = 0 }, 9, p), "192.0.2.200 192.0.2.1");
	assert_string_equal(page(d, &(struct decisions_filter){ SCOPE_COUNT, REMEDY_ALLOW, .before = 0 }, 9, p), "FR");
	assert_string_equal(page(d, &(struct decisions_filter){ SCOPE_COUNT, REMEDY_COUNT, .text = BYTES("PROB") }, 9, p), "192.0.2.1");
	assert_string_equal(page(d, &(struct decisions_filter){ SCOPE_COUNT, REMEDY_COUNT, .origin = BYTES("man") }, 9, p), "");
	assert_string_equal(page(d, &(struct decisions_filter){ SCOPE_COUNT, REMEDY_COUNT, .against = &one }, 9, p), "192.0.0.0/16 192.0.2.1");
	assert_string_equal(page(d, &(struct decisions_filter){ SCOPE_COUNT, REMEDY_COUNT, .against = &block }, 9, p), "192.0.0.0/16 192.0.2.1");
	assert_string_equal(page(d, &(struct decisions_filter){ SCOPE_RANGE, REMEDY_COUNT, .text = BYTES("hand") }, 9, p), "");
	free(p);
	decisions_free(d);
}

/* ---- while others decide ---- */

enum { STABLE = 3000 };
struct busy { struct decisions *d; atomic_bool stop; };

static void *come_and_go(void *arg)
{
	struct busy *b = arg;
	char value[32];

	for (unsigned i = 0; !atomic_load(&b->stop); i++) {
		snprintf(value, sizeof value, "203.0.113.%u", i % 200 + 1);
		hold(b->d, SCOPE_IP, value, REMEDY_DENY, "passing");
		decisions_lift(b->d, SCOPE_IP, bytes_of(value));
	}
	return NULL;
}

static void pages_have_each_that_stays_once_whatever_comes_and_goes(void **state)
{
	struct busy b = { .d = decisions_new(100000) };
	struct decisions_page *p = malloc(sizeof *p);
	struct decisions_filter f = anything;
	uint8_t *seen = calloc(STABLE, 1);
	pthread_t t;
	char value[32];
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < STABLE; i++) {
		snprintf(value, sizeof value, "10.%u.%u.1", i / 256, i % 256);
		hold(b.d, SCOPE_IP, value, REMEDY_DENY, "staying");
	}
	assert_int_equal(pthread_create(&t, NULL, come_and_go, &b), 0);
	do {
		struct arena *a = arena_new(1 << 20);
		unsigned x, y;

		assert_true(decisions_page(b.d, &f, clock_wall_ms(), 97, a, p));
		for (size_t i = 0; i < p->n; i++) {
			snprintf(value, sizeof value, "%.*s", BYTES_ARG(p->at[i].value));
			if (sscanf(value, "10.%u.%u.1", &x, &y) != 2)
				continue;
			assert_int_equal(seen[x * 256 + y]++, 0);
			n++;
		}
		f.before = p->next;
		arena_free(a);
	} while (p->next);
	atomic_store(&b.stop, true);
	pthread_join(t, NULL);
	assert_int_equal(n, STABLE);
	free(seen);
	free(p);
	decisions_free(b.d);
}

/* ---- an address ---- */

static bool count(void *ctx, const struct decision *d)
{
	(void)d;
	(*(size_t *)ctx)++;
	return true;
}

/* A block of 127 bits around it is walked to, an address is looked for: both must find the same. */
static void an_address_is_found_as_a_walk_finds_it(void **state)
{
	static const char *const asked[] = { "192.0.2.77", "192.0.2.78", "10.0.0.1", "2001:db8::7", "2001:db8:0:1::7", "255.255.255.255" };
	struct decisions *d = decisions_new(1000);

	(void)state;
	hold(d, SCOPE_IP, "192.0.2.77", REMEDY_DENY, "a");
	hold(d, SCOPE_IP, "192.0.2.77", REMEDY_CHALLENGE, "b");
	hold(d, SCOPE_RANGE, "192.0.2.77/32", REMEDY_DENY, "c");
	hold(d, SCOPE_RANGE, "192.0.2.0/24", REMEDY_DENY, "d");
	hold(d, SCOPE_RANGE, "192.0.0.0/8", REMEDY_DENY, "e");
	hold(d, SCOPE_IP, "2001:db8::1", REMEDY_DENY, "f");
	hold(d, SCOPE_RANGE, "2001:db8::/32", REMEDY_DENY, "g");
	hold(d, SCOPE_COUNTRY, "FR", REMEDY_DENY, "h");
	for (size_t i = 0; i < nelems(asked); i++) {
		struct decisions_page *p = malloc(sizeof *p);
		struct decisions_filter f = anything;
		struct ip_net net;
		size_t n = 0;

		assert_true(ip_net_parse(bytes_of(asked[i]), &net));
		f.against = &net;
		page(d, &f, 99, p);
		decisions_about(d, &net, clock_wall_ms(), count, &n);
		assert_int_equal(n, p->total);
		free(p);
	}
	decisions_free(d);
}

static void only_what_allows_is_taken_back(void **state)
{
	struct decisions *d = decisions_new(1000);
	struct decisions_page *p = malloc(sizeof *p);

	(void)state;
	hold(d, SCOPE_IP, "192.0.2.1", REMEDY_DENY, "seen");
	hold(d, SCOPE_IP, "192.0.2.1", REMEDY_ALLOW, "ours");
	assert_int_equal(decisions_lift_allowing(d, SCOPE_IP, BYTES("192.0.2.1")), 1);
	assert_int_equal(decisions_lift_allowing(d, SCOPE_IP, BYTES("192.0.2.1")), 0);
	page(d, &anything, 9, p);
	assert_int_equal(p->total, 1);
	assert_int_equal(p->at[0].remedy, REMEDY_DENY);
	free(p);
	decisions_free(d);
}

static void a_text_is_looked_for_in_each_of_its_texts_in_any_case(void **state)
{
	static const struct { const char *text; size_t total; } rows[] = {
		{ "1", 2 }, { "192.0.2.1", 1 }, { "192.0.2.12", 1 }, { "WORDS of", 1 }, { "of mine", 1 }, { "manual", 2 }, { "MANUAL", 2 }, { "l", 2 },
		{ "2.1words", 0 }, { "minemanual", 0 }, { "manuals", 0 }, { "mine ", 0 }, { "words of mine, and more of them", 0 }, { "zz", 1 }, { "last", 1 },
		{ "manuall", 0 }, { "192.0.2.1Words of minemanual", 0 },
	};
	struct decisions *d = decisions_new(1000);
	struct decisions_page *p = malloc(sizeof *p);
	struct decisions_filter f = anything;
	char large[200];

	(void)state;
	memset(large, 'z', sizeof large);
	memcpy(large + sizeof large - 5, "last", 5);
	hold(d, SCOPE_IP, "192.0.2.1", REMEDY_DENY, "Words of mine");
	hold(d, SCOPE_IP, "192.0.2.12", REMEDY_DENY, large);
	for (size_t i = 0; i < nelems(rows); i++) {
		f.text = bytes_of(rows[i].text);
		page(d, &f, 10, p);
		if (p->total != rows[i].total + (i == 1)) /* the one is in the other */
			fail_msg("%s: %zu", rows[i].text, p->total);
	}
	free(p);
	decisions_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_looked_for_in_each_of_its_texts_in_any_case),
		cmocka_unit_test(a_page_has_the_newest_first_and_says_how_many_there_are),
		cmocka_unit_test(what_is_asked_for_fits_in_all_that_is_said),
		cmocka_unit_test(pages_have_each_that_stays_once_whatever_comes_and_goes),
		cmocka_unit_test(an_address_is_found_as_a_walk_finds_it),
		cmocka_unit_test(only_what_allows_is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
