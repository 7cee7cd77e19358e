/* attack.h -- attack mode: everyone shows himself before the app is asked.
 *
 * On, off, or by itself. Workers count what servers answer; every two seconds the
 * control thread adds the last window up and judges. It goes on where one of the
 * measures reaches its bound, stays for a while, and goes off when a whole window
 * was below half of every bound: challenged traffic alone must not look like peace
 * that ends it and starts it anew. A server that is simply down looks the same;
 * its visitors see a challenge before they see our 502. */
#ifndef PROXY_ATTACK_H
#define PROXY_ATTACK_H
#include "base/text.h"
#include "proxy/config.h"
#include <stdatomic.h>

struct app;
struct site;

enum { ATTACK_TICK_MS = 2000, ATTACK_TICKS = 60 }; /* 60: of the longest window */

struct attack_counts { unsigned answers, bad, slow; };

/* Of an app, for as long as the process runs. */
struct attack {
	atomic_int by_hand;               /* enum attack_mode set by `ctl attack-mode`; -1: as configured */
	atomic_bool on;                   /* where it goes by itself */
	atomic_uint answers, bad, slow;   /* since the last tick */
	struct attack_counts ticks[ATTACK_TICKS]; /* the control thread's, as all below */
	unsigned next;
	uint64_t since_ms;
	bool was_on;                      /* as told last */
};

void attack_init(struct attack *);
enum attack_mode attack_mode(const struct app *);
bool attack_is_on(const struct app *);
/* A server's answer, or 0 for none; the time until its head. By workers. */
void attack_count(const struct app *, unsigned status, uint64_t us);
/* Takes what was counted since the last tick, and judges; *why gets the measure that changed it. Is it on?
 * `queue`: requests under way. */
bool attack_judge(struct attack *, const struct attack_config *, unsigned queue, uint64_t now_ms, struct text *why);
/* Control thread, every ATTACK_TICK_MS. */
void attack_tick(const struct site *);
const char *attack_mode_word(enum attack_mode);
#endif
