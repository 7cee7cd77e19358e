/* bots.c -- who says what he is, and what follows. */
#include "proxy/bots.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/matcher.h"
#include "proxy/bots_dns.h"
#include "proxy/bots_ranges.h"
#include "proxy/challenge_class.h"
#include "proxy/stages.h"
#include "proxy/worker.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { AGENT_MAX = 1024, MEMOS = 1024 };

/* The lists of a row. `all`: who is not in it is not that bot. */
struct lists {
	struct ranges *all, *some;
	bool shared; /* they belong to a row before */
};

struct bots {
	struct matcher *matcher;
	struct lists *lists; /* one a row */
};

struct bots_memo {
	struct matcher_scratch *scratch;
	struct { uint64_t hash; uint16_t row; } at[MEMOS]; /* 1 + row; 0: none */
};

/* ---- lists ---- */

static bool load(const char *dir, const char *name, struct ranges **out, struct err *err)
{
	static const char *const ends[] = { ".json", ".txt" };
	char path[4096];

	for (size_t i = 0; i < nelems(ends); i++) {
		if (snprintf(path, sizeof path, "%s/%s%s", dir, name, ends[i]) >= (int)sizeof path || access(path, F_OK) != 0)
			continue;
		*out = ranges_load(path, err);
		return *out || err_at(err, "bots");
	}
	return true;
}

static size_t first_with(const char *name)
{
	size_t i = 0;

	while (i < bots_count && !(bots_table[i].ranges && strcmp(bots_table[i].ranges, name) == 0))
		i++;
	return i;
}

/* A list that is there and that nobody reads is a name written wrongly. */
static bool look_around(const char *dir, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return err_set(err, SIDE_CONFIG, 0, "bots: ranges: %s is no directory that can be read", dir);
	while ((e = readdir(d))) {
		char *dot = strrchr(e->d_name, '.');

		if (e->d_name[0] == '.' || !dot)
			continue;
		*dot = '\0';
		if (first_with(e->d_name) == bots_count)
			log_warn("bots: no bot has a list %s/%s; docs/bots.md has their names", dir, e->d_name);
	}
	closedir(d);
	return true;
}

static bool load_all(struct bots *b, const char *own, const char *shipped, struct err *err)
{
	for (size_t i = 0; i < bots_count; i++) {
		const char *name = bots_table[i].ranges;
		size_t first = name ? first_with(name) : i;

		if (first < i) {
			b->lists[i] = b->lists[first];
			b->lists[i].shared = true;
		} else if (name && ((own && !load(own, name, &b->lists[i].all, err)) ||
				    (shipped && !load(shipped, name, &b->lists[i].some, err)))) {
			return false;
		}
	}
	return true;
}

enum bot_proof bots_listed(const struct bots *b, const struct bot *bot, const struct ip *ip)
{
	const struct lists *l = &b->lists[bot - bots_table];

	if (l->all)
		return ranges_hold(l->all, ip) ? BOT_TRUE : BOT_FALSE;
	return l->some && ranges_hold(l->some, ip) ? BOT_TRUE : BOT_UNPROVEN;
}

/* ---- words ---- */

static struct matcher *words(const char *cache, struct err *err)
{
	struct pattern *p = calloc(bots_count, sizeof *p);
	struct matcher *m = NULL;

	for (size_t i = 0; p && i < bots_count; i++)
		p[i] = (struct pattern){ bytes_of(bots_table[i].word), PATTERN_LITERAL | PATTERN_CASELESS, (uint32_t)i };
	if (!p)
		err_set(err, SIDE_SELF, 0, "out of memory");
	else
		m = matcher_hs.compile(p, bots_count, cache, err);
	free(p);
	return m;
}

static bool on_hit(void *ctx, uint32_t id, size_t end)
{
	size_t *row = ctx;

	(void)end;
	if (id < *row)
		*row = id;
	return false;
}

static size_t row_of(const struct bots *b, struct bots_memo *memo, struct bytes agent)
{
	size_t row = bots_count;

	if (matcher_hs.scan(b->matcher, memo->scratch, agent, on_hit, &row))
		return row;
	for (row = 0; row < bots_count; row++) /* it failed inside: one word after the other */
		if (bytes_find_nocase(agent, bytes_of(bots_table[row].word)) != SIZE_MAX)
			break;
	return row;
}

const struct bot *bots_find(const struct bots *b, struct bots_memo *memo, struct bytes agent)
{
	uint64_t hash;
	size_t row, i;

	agent = bytes_sub(agent, 0, AGENT_MAX);
	if (!agent.len)
		return NULL;
	hash = hash_bytes(agent) | 1; /* 0: nothing is there */
	i = (hash >> 1) % MEMOS;
	if (memo->at[i].hash != hash) {
		row = row_of(b, memo, agent);
		memo->at[i].hash = hash;
		memo->at[i].row = row < bots_count ? (uint16_t)(row + 1) : 0;
	}
	return memo->at[i].row ? &bots_table[memo->at[i].row - 1] : NULL;
}

static void note(struct facts *f, const struct bot *bot, enum bot_proof proof)
{
	f->at[FACT_BOT] = bytes_of(bot_category_word(bot->category));
	if (proof != BOT_UNPROVEN)
		f->at[FACT_BOT_VERIFIED] = proof == BOT_TRUE ? BYTES("true") : BYTES("false");
}

void bots_note(const struct bots *b, struct bots_memo *memo, struct facts *f)
{
	const struct bot *bot = bots_find(b, memo, f->at[FACT_USER_AGENT]);
	struct ip ip;

	if (bot && ip_parse(f->at[FACT_SOURCE_IP], &ip))
		note(f, bot, bots_listed(b, bot, &ip));
}

/* ---- life ---- */

struct bots *bots_new(const struct bots_config *c, const char *shipped, const char *cache, struct err *err)
{
	struct bots *b = calloc(1, sizeof *b);

	if (!b || !(b->lists = calloc(bots_count, sizeof *b->lists)))
		err_set(err, SIDE_SELF, 0, "out of memory");
	else if ((!c->ranges || look_around(c->ranges, err)) && load_all(b, c->ranges, shipped, err) && (b->matcher = words(cache, err)))
		return b;
	bots_free(b);
	return NULL;
}

void bots_free(struct bots *b)
{
	for (size_t i = 0; b && b->lists && i < bots_count; i++)
		if (!b->lists[i].shared) {
			ranges_free(b->lists[i].all);
			ranges_free(b->lists[i].some);
		}
	if (b && b->matcher)
		matcher_hs.free(b->matcher);
	if (b)
		free(b->lists);
	free(b);
}

struct bots_memo *bots_memo_new(void)
{
	struct bots_memo *m = calloc(1, sizeof *m);

	if (m && !(m->scratch = matcher_scratch_new())) {
		free(m);
		return NULL;
	}
	return m;
}

void bots_memo_free(struct bots_memo *m)
{
	if (m)
		matcher_scratch_free(m->scratch);
	free(m);
}

/* ---- what follows ---- */

static bool take(struct exchange *x, const char *what, struct bytes of, uint32_t a_minute, uint32_t burst)
{
	uint64_t bucket = hash_bytes(of) ^ hash_content(x->app->limit_seed, bytes_of(what)) * 0x9e3779b97f4a7c15u;

	return limits_take(x->worker->shared->limits, bucket, loop_now_ms(x->worker->loop), a_minute, 60000, burst) == 0;
}

static struct bytes address_of(const struct exchange *x, struct ip *room)
{
	*room = ip_behaviour_key(&x->request.client);
	return (struct bytes){ (const char *)room->b, sizeof room->b };
}

static bool is_allowed(const struct exchange *x)
{
	const struct app_bots_config *c = &x->app->config->bots;

	return c->mode == BOTS_WATCH || c->act[x->bot.bot->category] <= REMEDY_LOG;
}

static bool is_welcome(const struct exchange *x)
{
	return x->bot.bot && x->bot.proof == BOT_TRUE && is_allowed(x);
}

/* Nearly none of them can be verified, and a link that shows our challenge's title helps nobody. */
static bool is_preview(const struct exchange *x)
{
	return x->bot.bot && x->bot.bot->category == BOT_PREVIEW && x->bot.proof == BOT_UNPROVEN && is_allowed(x) &&
	       (bytes_eq(x->request.method, BYTES("GET")) || bytes_eq(x->request.method, BYTES("HEAD")));
}

bool bots_spared(struct exchange *x, bool *slow)
{
	struct bot_visit *v = &x->bot;
	struct ip ip;

	*slow = v->slow;
	if (!is_welcome(x) && !is_preview(x))
		return false;
	if (v->charged)
		return true;
	v->charged = true;
	if (v->proof == BOT_TRUE)
		v->slow = !take(x, "bots", bytes_of(v->bot->name), 600, 100);
	else
		v->slow = !take(x, "previews of one", address_of(x, &ip), 6, 6) || !take(x, "previews", (struct bytes){ 0 }, 120, 60);
	*slow = v->slow;
	return true;
}

const uint64_t *bots_scenarios_off(const struct exchange *x)
{
	return is_welcome(x) ? x->app->scenarios_off_bots : x->app->scenarios_off;
}

void bots_facts(const struct exchange *x, struct facts *f)
{
	if (x->bot.bot)
		note(f, x->bot.bot, (enum bot_proof)x->bot.proof);
}

static enum bot_proof prove(struct exchange *x, const struct bot *bot)
{
	const struct site *site = x->use->site;
	enum bot_proof proof = bots_listed(site->bots, bot, &x->request.client);

	if (proof == BOT_TRUE || !site->config->bots.dns || !bot->suffixes[0])
		return proof;
	return bots_dns_proof(x->worker->shared->process->bots_dns, x->worker->loop, bot, &x->request.client);
}

static struct bytes reason(struct exchange *x)
{
	char room[96];
	struct text t = text_over(room, sizeof room);

	text_printf(&t, "%s: %s%s", bot_category_word(x->bot.bot->category), x->bot.proof == BOT_FALSE ? "not " : "", x->bot.bot->name);
	return arena_copy(x->arena, text_bytes(&t));
}

static void rule(struct exchange *x, enum remedy_kind act)
{
	struct ip ip;

	if (act == REMEDY_ALLOW || (act == REMEDY_THROTTLE && take(x, x->bot.bot->name, address_of(x, &ip), 60, 10)))
		return;
	exchange_rule(x, act, SOURCE_BOT, act == REMEDY_THROTTLE ? 429 : 403, reason(x));
	if (act == REMEDY_THROTTLE && x->ruling.act == REMEDY_THROTTLE)
		x->ruling.retry_after_s = 60;
}

enum flow stage_bots(struct exchange *x)
{
	const struct app_bots_config *c = x->app ? &x->app->config->bots : NULL;
	struct bytes agent = fields_value(&x->request.fields, FIELD_USER_AGENT);

	if (!c || c->mode == BOTS_OFF || !(x->bot.bot = bots_find(x->use->site->bots, x->worker->bots, agent)))
		return GO;
	x->bot.proof = prove(x, x->bot.bot);
	if (c->mode == BOTS_ON)
		rule(x, x->bot.proof == BOT_FALSE ? c->impostors : c->act[x->bot.bot->category]);
	return GO;
}
