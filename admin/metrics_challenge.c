/* metrics_challenge.c -- what became of challenges and captchas, and who said that it is a bot: counting, and their families.
 *
 * The level is the one that a visitor was asked for. Shown, solved and failed are families of their own, so that a share
 * of solved ones is a division and what a page shows once counts once. */
#include "admin/metrics_sample.h"

const char *const metrics_providers[CAPTCHA_PROVIDERS] = { "turnstile", "hcaptcha", "recaptcha", "friendly", "custom" };

const struct buckets buckets_solve = { 12, {
	500000, 1000000, 2000000, 3000000, 5000000, 8000000, 13000000, 20000000, 30000000, 60000000, 120000000, 300000000,
}, false };

static const char *const levels[CHALLENGE_LEVELS] = { "none", "wait", "pow", "captcha" };

static const char *const steps[CHALLENGE_STEPS] = {
	[CHALLENGE_STEP_ISSUED] = "issued",   [CHALLENGE_STEP_SOLVED] = "solved",   [CHALLENGE_STEP_WRONG] = "wrong",
	[CHALLENGE_STEP_FORGED] = "forged",   [CHALLENGE_STEP_EXPIRED] = "expired", [CHALLENGE_STEP_CROWDED] = "crowded",
	[CHALLENGE_STEP_SHARED] = "shared",   [CHALLENGE_STEP_TROUBLE] = "trouble",
};

const char *metrics_step_word(enum challenge_step step)
{
	return steps[step];
}

/* ---- counting ---- */

static unsigned known_level(unsigned level)
{
	return level < CHALLENGE_LEVELS ? level : 0;
}

void metrics_challenge(struct app_metrics *a, unsigned w, unsigned level, enum challenge_step step)
{
	cell_add(&a->workers[w]->challenges[known_level(level)][step], 1);
}

void metrics_solved(struct app_metrics *a, unsigned w, unsigned level, uint64_t us)
{
	metrics_challenge(a, w, level, CHALLENGE_STEP_SOLVED);
	histogram_add(&a->workers[w]->solve[known_level(level)], &buckets_solve, us);
}

void metrics_captcha(struct app_metrics *a, unsigned w, const char *provider, enum captcha_count what, uint64_t us)
{
	struct app_cells *c = a->workers[w];
	unsigned i = 0;

	while (i < CAPTCHA_PROVIDERS - 1 && strcmp(metrics_providers[i], provider) != 0)
		i++;
	cell_add(&c->captcha[i][what], 1);
	if (what != CAPTCHA_COUNT_UNASKED)
		histogram_add(&c->captcha_duration, &buckets_request, us);
}

/* ---- printing ---- */

static uint64_t sum_of(const struct scrape *s, const struct app_metrics *a, int level, int step)
{
	return SUM(s, a, app_cells, challenges[level][step]);
}

/* `reason`: with that label, of every step between `from` and `to`. Most levels never come up. */
static void put_steps(struct scrape *s, int from, int to, bool reason)
{
	EACH_APP(s, a)
		for (int level = 0; level < CHALLENGE_LEVELS; level++)
			for (int step = from; step <= to; step++) {
				uint64_t n = sum_of(s, a, level, step);

				if (n == 0)
					continue;
				sample_open(s, "");
				sample_label(s, "app", a->name);
				sample_label(s, "level", bytes_of(levels[level]));
				if (reason)
					sample_label(s, "reason", bytes_of(steps[step]));
				sample_close(s, n);
			}
}

void metrics_print_issued(struct scrape *s)
{
	put_steps(s, CHALLENGE_STEP_ISSUED, CHALLENGE_STEP_ISSUED, false);
}

void metrics_print_solved(struct scrape *s)
{
	put_steps(s, CHALLENGE_STEP_SOLVED, CHALLENGE_STEP_SOLVED, false);
}

void metrics_print_failed(struct scrape *s)
{
	put_steps(s, CHALLENGE_STEP_WRONG, CHALLENGE_STEPS - 1, true);
}

struct level_of { const struct app_metrics *app; int level; };

static void level_labels(struct scrape *s, const void *owner)
{
	const struct level_of *of = owner;

	sample_label(s, "app", of->app->name);
	sample_label(s, "level", bytes_of(levels[of->level]));
}

void metrics_print_solve_seconds(struct scrape *s)
{
	EACH_APP(s, a)
		for (int level = 0; level < CHALLENGE_LEVELS; level++) {
			struct spread h = { (void *const *)a->workers, offsetof(struct app_cells, solve) + (size_t)level * sizeof(struct histogram),
					    &buckets_solve };

			if (sum_of(s, a, level, CHALLENGE_STEP_SOLVED))
				sample_histogram(s, &h, level_labels, &(struct level_of){ a, level });
		}
}

void metrics_print_captchas(struct scrape *s)
{
	static const char *const words[CAPTCHA_COUNTS] = {
		[CAPTCHA_COUNT_PASSED] = "passed",   [CAPTCHA_COUNT_FAILED] = "failed",
		[CAPTCHA_COUNT_TROUBLE] = "trouble", [CAPTCHA_COUNT_SECRET] = "secret_refused",
		[CAPTCHA_COUNT_UNASKED] = "not_asked",
	};

	EACH_APP(s, a)
		for (int i = 0; i < CAPTCHA_PROVIDERS * CAPTCHA_COUNTS; i++) {
			int provider = i / CAPTCHA_COUNTS, what = i % CAPTCHA_COUNTS;
			uint64_t n = SUM(s, a, app_cells, captcha[provider][what]);

			if (n == 0) /* most apps have no captcha */
				continue;
			sample_open(s, "");
			sample_label(s, "app", a->name);
			sample_label(s, "provider", bytes_of(metrics_providers[provider]));
			sample_label(s, "result", bytes_of(words[what]));
			sample_close(s, n);
		}
}

static void app_labels(struct scrape *s, const void *owner)
{
	sample_label(s, "app", ((const struct app_metrics *)owner)->name);
}

void metrics_print_captcha_duration(struct scrape *s)
{
	EACH_APP(s, a) {
		struct spread h = { (void *const *)a->workers, offsetof(struct app_cells, captcha_duration), &buckets_request };

		if (sample_count(s, &h))
			sample_histogram(s, &h, app_labels, a);
	}
}

/* ---- bots ---- */

void metrics_print_bots(struct scrape *s)
{
	static const char *const proofs[BOT_PROOFS] = {
		[BOT_COUNT_UNPROVEN] = "unknown", [BOT_COUNT_PROVEN] = "verified", [BOT_COUNT_IMPOSTOR] = "impostor",
	};

	EACH_APP(s, a)
		for (int i = 0; i < BOT_CATEGORIES * BOT_PROOFS; i++) {
			int category = i / BOT_PROOFS, proof = i % BOT_PROOFS;
			uint64_t n = SUM(s, a, app_cells, bots[category][proof]);

			if (n == 0)
				continue;
			sample_open(s, "");
			sample_label(s, "app", a->name);
			sample_label(s, "category", bytes_of(bot_category_word((enum bot_category)category)));
			sample_label(s, "proof", bytes_of(proofs[proof]));
			sample_close(s, n);
		}
}

/* ---- for the API ---- */

void metrics_bots(struct metrics *m, uint64_t counts[BOT_CATEGORIES][BOT_PROOFS])
{
	struct scrape s = { .m = m };

	memset(counts, 0, sizeof(uint64_t[BOT_CATEGORIES][BOT_PROOFS]));
	pthread_mutex_lock(&m->lock);
	EACH_APP(&s, a)
		for (int category = 0; category < BOT_CATEGORIES; category++)
			for (int proof = 0; proof < BOT_PROOFS; proof++)
				counts[category][proof] += SUM(&s, a, app_cells, bots[category][proof]);
	pthread_mutex_unlock(&m->lock);
}

static bool count_level(const struct scrape *s, const struct app_metrics *a, int level, struct metrics_challenge_counts *c)
{
	bool any = false;

	*c = (struct metrics_challenge_counts){ .app = a->name, .level = levels[level], .bounds_us = buckets_solve.us, .nbounds = buckets_solve.n };
	for (int step = 0; step < CHALLENGE_STEPS; step++)
		any |= (c->steps[step] = sum_of(s, a, level, step)) != 0;
	for (unsigned i = 0; i <= buckets_solve.n; i++)
		c->solved_within[i] = SUM(s, a, app_cells, solve[level].count[i]);
	return any;
}

void metrics_challenges(struct metrics *m, void (*each)(void *, const struct metrics_challenge_counts *), void *ctx)
{
	struct scrape s = { .m = m };
	struct metrics_challenge_counts c;

	pthread_mutex_lock(&m->lock);
	EACH_APP(&s, a)
		for (int level = 0; level < CHALLENGE_LEVELS; level++)
			if (count_level(&s, a, level, &c))
				each(ctx, &c);
	pthread_mutex_unlock(&m->lock);
}
