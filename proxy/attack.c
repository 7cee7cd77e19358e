/* attack.c -- counted by workers, judged by the control thread, heeded by the pipeline. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "proxy/bots.h"
#include "proxy/challenge.h"
#include "proxy/worker.h"

static const char *const modes[] = { [ATTACK_OFF] = "off", [ATTACK_ON] = "on", [ATTACK_AUTO] = "auto" };

const char *attack_mode_word(enum attack_mode m)
{
	return modes[m];
}

void attack_init(struct attack *a)
{
	atomic_store(&a->by_hand, -1);
}

enum attack_mode attack_mode(const struct app *app)
{
	int by_hand = atomic_load_explicit(&app->state->attack.by_hand, memory_order_relaxed);

	return by_hand >= 0 ? (enum attack_mode)by_hand : (enum attack_mode)app->config->attack.mode;
}

bool attack_is_on(const struct app *app)
{
	enum attack_mode m = attack_mode(app);

	return m == ATTACK_ON || (m == ATTACK_AUTO && atomic_load_explicit(&app->state->attack.on, memory_order_relaxed));
}

void attack_count(const struct app *app, unsigned status, uint64_t us)
{
	struct attack *a = &app->state->attack;

	if (attack_mode(app) != ATTACK_AUTO)
		return;
	atomic_fetch_add_explicit(&a->answers, 1, memory_order_relaxed);
	if (status == 0 || (status >= 502 && status <= 504))
		atomic_fetch_add_explicit(&a->bad, 1, memory_order_relaxed);
	if (us / 1000 > app->config->attack.latency_ms)
		atomic_fetch_add_explicit(&a->slow, 1, memory_order_relaxed);
}

/* ---- judging ---- */

static struct attack_counts window_of(struct attack *a, const struct attack_config *c)
{
	unsigned n = c->window_ms / ATTACK_TICK_MS;
	struct attack_counts sum = { 0 };

	n = n < 1 ? 1 : n > ATTACK_TICKS ? ATTACK_TICKS : n;
	a->ticks[a->next] = (struct attack_counts){
		atomic_exchange(&a->answers, 0), atomic_exchange(&a->bad, 0), atomic_exchange(&a->slow, 0),
	};
	a->next = (a->next + 1) % ATTACK_TICKS;
	for (unsigned i = 1; i <= n; i++) {
		const struct attack_counts *t = &a->ticks[(a->next + ATTACK_TICKS - i) % ATTACK_TICKS];

		sum.answers += t->answers;
		sum.bad += t->bad;
		sum.slow += t->slow;
	}
	return sum;
}

/* Has any measure reached one `part`th of its bound? */
static bool is_over(const struct attack_counts *w, const struct attack_config *c, unsigned queue, unsigned part, struct text *why)
{
	bool enough = w->answers >= c->least;

	if (enough && (uint64_t)w->bad * 100 * part >= (uint64_t)c->errors * w->answers)
		text_printf(why, "%u of %u answers are errors", w->bad, w->answers);
	else if (enough && (uint64_t)w->slow * 100 * part >= (uint64_t)c->slow * w->answers)
		text_printf(why, "%u of %u answers took longer than %u ms", w->slow, w->answers, c->latency_ms);
	else if (c->queue && (uint64_t)queue * part >= c->queue)
		text_printf(why, "%u requests wait at its servers", queue);
	else
		return false;
	return true;
}

bool attack_judge(struct attack *a, const struct attack_config *c, unsigned queue, uint64_t now_ms, struct text *why)
{
	struct attack_counts w = window_of(a, c);
	bool on = atomic_load(&a->on);

	if (!on && is_over(&w, c, queue, 1, why)) {
		a->since_ms = now_ms;
		on = true;
	} else if (on && now_ms - a->since_ms >= c->stay_ms && !is_over(&w, c, queue, 2, why)) {
		text_printf(why, "%u of %u answers are errors, %u slow, %u under way", w.bad, w.answers, w.slow, queue);
		on = false;
	}
	atomic_store(&a->on, on);
	return on;
}

static unsigned queue_of(const struct app *app)
{
	unsigned n = 0;

	for (unsigned i = 0; i < app->upstream.n; i++)
		n += atomic_load(&app->upstream.backends[i].server->inflight);
	return n;
}

static void tick(const struct app *app, uint64_t now_ms)
{
	struct attack *a = &app->state->attack;
	enum attack_mode mode = attack_mode(app);
	char room[160];
	struct text why = text_over(room, sizeof room);
	bool on = mode == ATTACK_ON;

	if (mode == ATTACK_AUTO)
		on = attack_judge(a, &app->config->attack, queue_of(app), now_ms, &why);
	metrics_attack(app->state->metrics, on);
	if (on == a->was_on)
		return;
	a->was_on = on;
	if (mode != ATTACK_AUTO)
		text_printf(&why, "it is set to %s", modes[mode]);
	log_warn("app %.*s: attack mode is %s: %.*s", BYTES_ARG(app->config->name), on ? "on" : "off", (int)why.len, why.at);
}

void attack_tick(const struct site *site)
{
	uint64_t now = clock_mono_ms();

	for (size_t i = 0; i < site->napps; i++)
		tick(&site->apps[i], now);
}

/* ---- heeding ---- */

enum { OTHERS_COUNT = 60, OTHERS_PER_MS = 60000, OTHERS_BURST = 20 };

/* What can show no page: a few, for each address. */
static void slow_down(struct exchange *x)
{
	struct ip key = ip_behaviour_key(&x->request.client);
	uint64_t bucket = hash_bytes((struct bytes){ (const char *)key.b, sizeof key.b }) ^
			  hash_content(x->app->limit_seed, BYTES("attack mode")) * 0x9e3779b97f4a7c15u;
	uint64_t wait_ms = limits_take(x->worker->shared->limits, bucket, loop_now_ms(x->worker->loop), OTHERS_COUNT, OTHERS_PER_MS,
				       OTHERS_BURST);

	if (wait_ms == 0)
		return;
	exchange_rule(x, REMEDY_THROTTLE, SOURCE_ATTACK, 429, BYTES("under attack"));
	if (x->ruling.act == REMEDY_THROTTLE)
		x->ruling.retry_after_s = (uint32_t)((wait_ms + 999) / 1000);
}

enum flow stage_attack(struct exchange *x)
{
	bool slow;

	if (!x->app || exchange_stopped(x) || !attack_is_on(x->app))
		return GO;
	if (bots_spared(x, &slow) || challenge_class_of(&x->request) == CLASS_NAVIGATION)
		exchange_challenge(x, CHALLENGE_NONE, SOURCE_ATTACK, BYTES("under attack"));
	else if (!challenge_lifts(x, x->app->config->challenge.level))
		slow_down(x);
	return GO;
}
