/* Bots are known by their words, proven by lists and by names, and attack mode goes on and off as its bounds say. */
#include "proxy/attack.h"
#include "proxy/bots_dns.h"
#include "proxy/bots_ranges.h"
#include "scenarios/facts.h"
#include "tests/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(bytes_of(text), &ip));
	return ip;
}

static const struct bot *named(const char *name)
{
	for (size_t i = 0; i < bots_count; i++)
		if (strcmp(bots_table[i].name, name) == 0)
			return &bots_table[i];
	return NULL;
}

/* ---- the table ---- */

static void every_row_can_be_found_and_names_are_single(void **state)
{
	(void)state;
	for (size_t i = 0; i < bots_count; i++) {
		const struct bot *b = &bots_table[i];

		assert_ptr_equal(named(b->name), b);
		assert_true(strlen(b->word) >= 4);
		for (size_t k = 0; k < i; k++) /* a row before whose word it holds would hide it */
			if (bytes_find_nocase(bytes_of(b->word), bytes_of(bots_table[k].word)) != SIZE_MAX)
				fail_msg("%s is hidden by %s", b->name, bots_table[k].name);
		for (size_t k = 0; k < BOT_SUFFIXES && b->suffixes[k]; k++)
			assert_int_equal(b->suffixes[k][0], '.'); /* else evilgooglebot.com would do */
	}
}

static void user_agents_are_known_by_their_words(void **state)
{
	static const struct { const char *agent, *name; enum bot_category category; } cases[] = {
		{ "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "googlebot", BOT_SEARCH },
		{ "Googlebot-Image/1.0", "googlebot", BOT_SEARCH },
		{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/103.0 Safari/537.36", "bingbot", BOT_SEARCH },
		{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)", "gptbot", BOT_AI_TRAINING },
		{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot", "chatgpt-user", BOT_AI_ASSISTANT },
		{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", "claudebot", BOT_AI_TRAINING },
		{ "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "facebook-preview", BOT_PREVIEW },
		{ "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)", "meta-training", BOT_AI_TRAINING },
		{ "CURL/8.1.2", "curl", BOT_AUTOMATION },
		{ "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36", "headless-chrome", BOT_AUTOMATION },
		{ "Scrapy/2.11 (+https://scrapy.org)", "scrapy", BOT_SCRAPER },
		{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0,gzip(gfe) (via translate.google.com)", "google-translate", BOT_FETCHER },
		{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", NULL, 0 },
		{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1", NULL, 0 },
		{ "okhttp/4.12.0", NULL, 0 },
		{ "", NULL, 0 },
	};
	struct bots_config c = { 0 };
	struct err e;
	struct bots *b = bots_new(&c, NULL, NULL, &e);
	struct bots_memo *memo = bots_memo_new();

	(void)state;
	assert_non_null(b);
	for (int twice = 0; twice < 2; twice++) /* the second time from memory */
		for (size_t i = 0; i < nelems(cases); i++) {
			const struct bot *found = bots_find(b, memo, bytes_of(cases[i].agent));

			if (!cases[i].name) {
				assert_null(found);
				continue;
			}
			assert_non_null(found);
			assert_string_equal(found->name, cases[i].name);
			assert_int_equal(found->category, cases[i].category);
		}
	/* The one search finds what one word after the other does. */
	for (size_t i = 0; i < bots_count; i++) {
		char agent[128];

		snprintf(agent, sizeof agent, "x %s y", bots_table[i].word);
		assert_ptr_equal(bots_find(b, memo, bytes_of(agent)), &bots_table[i]);
	}
	bots_memo_free(memo);
	bots_free(b);
}

/* ---- lists ---- */

static void ranges_are_read_in_both_forms(void **state)
{
	static const struct { const char *text; size_t n; const char *in, *out, *error; } cases[] = {
		{ "{\"creationTime\":\"x\",\"prefixes\":[{\"ipv6Prefix\":\"2001:4860:4801:10::/64\"},{\"ipv4Prefix\":\"192.178.5.0/27\"}]}", 2,
		  "192.178.5.31", "192.178.5.32", NULL },
		{ "{\"prefixes\":[{\"ipv6Prefix\":\"2001:4860:4801:10::/64\"}]}", 1, "2001:4860:4801:10::ffff", "2001:4860:4801:11::", NULL },
		{ " # a list\n10.1.0.0/16\r\n\n10.2.0.0/16 # joined with it\n10.1.2.0/24\n", 1, "10.2.255.255", "10.3.0.0", NULL },
		{ "192.0.2.7", 1, "192.0.2.7", "192.0.2.6", NULL },
		{ "10.0.0.0/8\n12.0.0.0/8\n255.0.0.0/8\n", 3, "255.255.255.255", "11.0.0.0", NULL },
		{ "ffff::/16\n", 1, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fffe::", NULL },
		{ "0.0.0.0/0\n", 0, NULL, NULL, "line 1: '0.0.0.0/0' is too wide to be one vendor's" },
		{ "10.0.0.0/8\n::/0\n", 0, NULL, NULL, "line 2: '::/0' is too wide to be one vendor's" },
		{ "::ffff:0:0/90\n", 0, NULL, NULL, "line 1: '::ffff:0:0/90' is too wide to be one vendor's" }, /* all of IPv4 */
		{ "10.0.0.0/8\nten\n", 0, NULL, NULL, "line 2: 'ten' is no block of addresses" },
		{ "# nothing\n", 0, NULL, NULL, "it names no address" },
		{ "", 0, NULL, NULL, "it names no address" },
		{ "{\"prefixes\":[]}", 0, NULL, NULL, "it has no list `prefixes`" },
		{ "{\"prefixes\":[{\"ipv4Prefix\":\"10.0.0.0/8\"},{\"net\":\"1\"}]}", 0, NULL, NULL,
		  "prefixes[1]: it has neither ipv4Prefix nor ipv6Prefix" },
		{ "[1]", 0, NULL, NULL, "it has no list `prefixes`" },
		{ "<html>404</html>", 0, NULL, NULL, "line 1: '<html>404</html>' is no block of addresses" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct err e = { 0 };
		struct ranges *r = ranges_read(bytes_of(cases[i].text), &e);

		if (cases[i].error) {
			assert_null(r);
			assert_string_equal(e.text, cases[i].error);
			continue;
		}
		assert_non_null(r);
		assert_int_equal(ranges_count(r), cases[i].n);
		assert_true(ranges_hold(r, &(struct ip[]){ ip_of(cases[i].in) }[0]));
		assert_false(ranges_hold(r, &(struct ip[]){ ip_of(cases[i].out) }[0]));
		ranges_free(r);
	}
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void remove_file(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	unlink(path);
}

static void only_the_users_lists_make_impostors(void **state)
{
	char own[] = "/tmp/embergate-bots-own.XXXXXX", shipped[] = "/tmp/embergate-bots-shipped.XXXXXX";
	struct bots_config c = { .ranges = mkdtemp(own) };
	struct ip google = ip_of("66.249.66.1"), else_where = ip_of("203.0.113.9"), bing = ip_of("157.55.39.1");
	struct err e;
	struct bots *b;

	(void)state;
	assert_non_null(mkdtemp(shipped));
	write_file(own, "googlebot.json", "{\"prefixes\":[{\"ipv4Prefix\":\"66.249.64.0/19\"}]}");
	write_file(shipped, "bingbot.txt", "157.55.39.0/24\n");
	b = bots_new(&c, shipped, NULL, &e);
	assert_non_null(b);
	assert_int_equal(bots_listed(b, named("googlebot"), &google), BOT_TRUE);
	assert_int_equal(bots_listed(b, named("googlebot"), &else_where), BOT_FALSE);
	assert_int_equal(bots_listed(b, named("google-storebot"), &else_where), BOT_FALSE); /* the same list */
	assert_int_equal(bots_listed(b, named("bingbot"), &bing), BOT_TRUE);
	assert_int_equal(bots_listed(b, named("bingbot"), &else_where), BOT_UNPROVEN);
	assert_int_equal(bots_listed(b, named("gptbot"), &else_where), BOT_UNPROVEN);
	bots_free(b);
	write_file(own, "gptbot.json", "<html>");
	assert_null(bots_new(&c, NULL, NULL, &e));
	assert_non_null(strstr(e.text, "gptbot.json: line 1: '<html>' is no block of addresses"));
	remove_file(own, "gptbot.json");
	remove_file(own, "googlebot.json");
	remove_file(shipped, "bingbot.txt");
	rmdir(own);
	rmdir(shipped);
	assert_null(bots_new(&c, NULL, NULL, &e));
}

static void the_lists_that_come_along_are_good(void **state)
{
	static const struct { const char *agent, *address, *bot, *verified; } cases[] = {
		{ "Mozilla/5.0 (compatible; Googlebot/2.1)", "66.249.66.1", "search", "true" },
		{ "Mozilla/5.0 (compatible; Googlebot/2.1)", "2001:4860:4801:10::1", "search", "true" },
		{ "Mozilla/5.0 (compatible; bingbot/2.0)", "157.55.39.7", "search", "true" },
		{ "Mozilla/5.0 (compatible; bingbot/2.0)", "203.0.113.7", "search", "" },
		{ "curl/8.0", "203.0.113.7", "automation", "" },
		{ "Mozilla/5.0 Firefox/120.0", "66.249.66.1", "", "" },
	};
	struct bots_config c = { 0 };
	struct err e = { 0 };
	struct bots *b = bots_new(&c, SOURCE_DIR "/scenarios/packs/bots", NULL, &e);
	struct bots_memo *memo = bots_memo_new();

	(void)state;
	assert_string_equal(e.text, "");
	assert_non_null(b);
	for (size_t i = 0; i < nelems(cases); i++) {
		struct facts f = { .at = { [FACT_USER_AGENT] = bytes_of(cases[i].agent), [FACT_SOURCE_IP] = bytes_of(cases[i].address) } };

		bots_note(b, memo, &f);
		assert_bytes(f.at[FACT_BOT], bytes_of(cases[i].bot));
		assert_bytes(f.at[FACT_BOT_VERIFIED], bytes_of(cases[i].verified));
	}
	bots_memo_free(memo);
	bots_free(b);
}

/* ---- names ---- */

struct world {
	const char *ptr;                  /* NULL: none */
	enum bots_dns_found name, has;
	char asked[BOTS_DNS_NAME];
};

static enum bots_dns_found fake_name(void *ctx, const struct ip *ip, char out[BOTS_DNS_NAME])
{
	struct world *w = ctx;

	(void)ip;
	if (w->ptr)
		snprintf(out, BOTS_DNS_NAME, "%s", w->ptr);
	return w->name;
}

static enum bots_dns_found fake_has(void *ctx, const char *name, const struct ip *ip)
{
	struct world *w = ctx;

	(void)ip;
	snprintf(w->asked, sizeof w->asked, "%s", name);
	return w->has;
}

static void a_name_must_end_well_and_lead_back(void **state)
{
	static const struct { const char *bot, *ptr; enum bots_dns_found name, has; enum bot_proof proof; } cases[] = {
		{ "googlebot", "crawl-66-249-66-1.googlebot.com", BOTS_DNS_YES, BOTS_DNS_YES, BOT_TRUE },
		{ "googlebot", "crawl-66-249-66-1.GoogleBot.com.", BOTS_DNS_YES, BOTS_DNS_YES, BOT_TRUE },
		{ "googlebot", "rate-limited-proxy.google.com", BOTS_DNS_YES, BOTS_DNS_YES, BOT_TRUE },
		{ "googlebot", "crawl.googlebot.com", BOTS_DNS_YES, BOTS_DNS_NO, BOT_FALSE }, /* his own reverse zone */
		{ "googlebot", "crawl.googlebot.com.evil.example", BOTS_DNS_YES, BOTS_DNS_YES, BOT_FALSE },
		{ "googlebot", "evilgooglebot.com", BOTS_DNS_YES, BOTS_DNS_YES, BOT_FALSE },
		{ "googlebot", ".googlebot.com", BOTS_DNS_YES, BOTS_DNS_YES, BOT_FALSE },
		{ "bingbot", "crawl.googlebot.com", BOTS_DNS_YES, BOTS_DNS_YES, BOT_FALSE },
		{ "bingbot", NULL, BOTS_DNS_NO, BOTS_DNS_YES, BOT_FALSE },
		{ "bingbot", NULL, BOTS_DNS_TROUBLE, BOTS_DNS_YES, BOT_UNPROVEN },
		{ "bingbot", "msnbot-1.search.msn.com", BOTS_DNS_YES, BOTS_DNS_TROUBLE, BOT_UNPROVEN },
	};
	struct ip ip = ip_of("66.249.66.1");

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct world w = { .ptr = cases[i].ptr, .name = cases[i].name, .has = cases[i].has };
		struct bots_resolver r = { fake_name, fake_has, &w };

		assert_int_equal(bots_dns_ask(&r, named(cases[i].bot), &ip), cases[i].proof);
	}
}

static bool is_proven(struct bots_dns *d, struct loop *loop, const struct ip *ip)
{
	for (int i = 0; i < 500; i++) {
		if (bots_dns_proof(d, loop, named("googlebot"), ip) == BOT_TRUE)
			return true;
		usleep(10000);
	}
	return false;
}

static void stop(void *loop)
{
	loop_stop(loop);
}

/* The thread answers later; until then nothing is proven either way. */
static void nobody_waits_for_a_name(void **state)
{
	struct world w = { .ptr = "crawl.googlebot.com", .name = BOTS_DNS_YES, .has = BOTS_DNS_YES };
	struct bots_resolver r = { fake_name, fake_has, &w };
	struct bots_dns *d = bots_dns_new(&r);
	struct loop *loop = loop_new();
	struct ip ip = ip_of("66.249.66.1");

	(void)state;
	assert_non_null(d);
	assert_int_equal(bots_dns_proof(d, loop, named("claudebot"), &ip), BOT_UNPROVEN); /* no suffix: never asked */
	assert_int_equal(bots_dns_proof(d, loop, named("googlebot"), &ip), BOT_UNPROVEN);
	assert_true(is_proven(d, loop, &ip));
	/* More addresses than there is room for take nothing but room. */
	for (unsigned i = 0; i < 2 * BOTS_DNS_KEPT; i++) {
		ip.b[14] = (uint8_t)(i >> 8);
		ip.b[15] = (uint8_t)i;
		assert_int_not_equal(bots_dns_proof(d, loop, named("googlebot"), &ip), BOT_FALSE);
	}
	usleep(200000);
	ip = ip_of("192.0.2.1");
	assert_true(is_proven(d, loop, &ip)); /* those in front of it in the queue are answered too */
	bots_dns_free(d);
	loop_post(loop, stop, loop);
	loop_run(loop);
	loop_free(loop);
}

/* ---- attack mode ---- */

static void give(struct attack *a, unsigned answers, unsigned bad, unsigned slow)
{
	atomic_store(&a->answers, answers);
	atomic_store(&a->bad, bad);
	atomic_store(&a->slow, slow);
}

static void attack_mode_has_bounds_patience_and_a_stay(void **state)
{
	static const struct { uint64_t at_ms; unsigned answers, bad, slow, queue; bool on; } ticks[] = {
		{ 2000, 1000, 0, 0, 0, false },
		{ 4000, 9, 9, 9, 0, false },       /* of 1009 */
		{ 6000, 0, 0, 0, 0, false },
		{ 8000, 9, 9, 9, 0, false },       /* too few to conclude from */
		{ 10000, 0, 0, 0, 0, false },
		{ 12000, 100, 30, 0, 0, true },    /* errors; 100 answers in the window */
		{ 14000, 100, 0, 0, 0, true },     /* it stays */
		{ 16000, 100, 0, 0, 0, true },
		{ 22000, 100, 30, 0, 0, true },    /* the stay is over, but 30 of 200 are half the bound */
		{ 24000, 100, 20, 0, 0, true },    /* 50 of 200 */
		{ 26000, 100, 0, 0, 0, false },    /* 20 of 200: below */
		{ 28000, 100, 0, 60, 0, false },   /* slow: 60 of 200 */
		{ 30000, 100, 0, 60, 0, true },
		{ 39000, 0, 0, 0, 40, true },      /* the stay */
		{ 40000, 0, 0, 0, 30, true },      /* half the queue's bound and more */
		{ 42000, 0, 0, 0, 10, false },
		{ 44000, 0, 0, 0, 50, true },
	};
	struct attack_config c = { .errors = 30, .slow = 50, .latency_ms = 1000, .queue = 50, .least = 50, .window_ms = 4000, .stay_ms = 10000 };
	struct attack a = { .by_hand = -1 };

	(void)state;
	for (size_t i = 0; i < nelems(ticks); i++) {
		char room[160];
		struct text why = text_over(room, sizeof room);
		bool was = a.on;

		give(&a, ticks[i].answers, ticks[i].bad, ticks[i].slow);
		if (attack_judge(&a, &c, ticks[i].queue, ticks[i].at_ms, &why) != ticks[i].on)
			fail_msg("at %llu ms it is %s", (unsigned long long)ticks[i].at_ms, a.on ? "on" : "off");
		if (was != ticks[i].on)
			assert_true(why.len > 10 && !why.full);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_can_be_found_and_names_are_single),
		cmocka_unit_test(user_agents_are_known_by_their_words),
		cmocka_unit_test(ranges_are_read_in_both_forms),
		cmocka_unit_test(only_the_users_lists_make_impostors),
		cmocka_unit_test(the_lists_that_come_along_are_good),
		cmocka_unit_test(a_name_must_end_well_and_lead_back),
		cmocka_unit_test(nobody_waits_for_a_name),
		cmocka_unit_test(attack_mode_has_bounds_patience_and_a_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
