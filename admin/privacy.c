/* privacy.c -- what leaves this installation, or would. */
#include "admin/privacy.h"
#include "base/clock.h"
#include "cti/cti.h"
#include "cti/signal.h"
#include "scenarios/scenarios.h"

struct signals {
	const struct scenarios *set;
	struct json_out *json; /* or: */
	struct text *t;
	size_t n;
};

static struct bytes behaviour_of(const struct scenarios *set, struct bytes scenario)
{
	for (size_t i = 0; i < scenarios_count(set); i++)
		if (bytes_eq(scenarios_info(set, i)->name, scenario))
			return scenarios_info(set, i)->behavior;
	return (struct bytes){ 0 };
}

static bool put_signal(void *ctx, const struct decision *d)
{
	struct signals *s = ctx;
	char room[512];
	struct text one = text_over(room, sizeof room);

	if (!signal_write(&one, d, behaviour_of(s->set, d->reason)))
		return true;
	s->n++;
	if (s->json) {
		out_raw(s->json, NULL, text_bytes(&one));
		return true;
	}
	text_put(s->t, text_bytes(&one));
	text_byte(s->t, '\n');
	return true;
}

static void put_words(struct text *t, const struct admin_hooks *h)
{
	text_printf(t, "Sharing with others is %s. In what is shared is no log, path, user name or body.\n", h->sharing ? "on" : "off");
	text_printf(t, "Gates of this installation %s.\n",
		    h->share ? "tell each other decisions and counts through Redis, signed" : "are not connected: there is no Redis");
	if (h->leaves)
		h->leaves(h->ctx, t);
	text_str(t, h->sharing ? "This is shared now:\n" : "With `cti: {share: on}` this would be shared now, and nothing else:\n");
}

void privacy_text(struct admin *a, struct text *t)
{
	const struct admin_hooks *h = &a->hooks;
	struct signals s = { h->scenarios(h->ctx), NULL, t, 0 };

	put_words(t, h);
	decisions_each(h->decisions, clock_wall_ms(), put_signal, &s);
	if (!s.n)
		text_str(t, "(nothing: no public address is held for what was seen here)\n");
}

void privacy_out(struct json_out *o, struct admin *a)
{
	const struct admin_hooks *h = &a->hooks;
	struct signals s = { h->scenarios(h->ctx), o, NULL, 0 };
	char room[8192];
	struct text words = text_over(room, sizeof room);

	put_words(&words, h);
	out_object(o, NULL);
	out_flag(o, "sharing", h->sharing);
	out_flag(o, "redis", h->share != NULL);
	out_list(o, "signals");
	decisions_each(h->decisions, clock_wall_ms(), put_signal, &s);
	out_end(o);
	out_text(o, "text", text_bytes(&words));
	out_end(o);
}
