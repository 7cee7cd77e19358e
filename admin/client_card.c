/* client_card.c -- what the parts of the gate know of an address; alerts come last, from the store. */
#include "admin/client_card.h"
#include "base/clock.h"
#include "cti/cti.h"
#include "cti/lists.h"

enum { CARD_ARENA = 4 << 20 };

struct asking {
	struct client_card card;
	void (*told)(void *owner, struct client_card *);
	void *owner;
};

static void copy(struct arena *a, struct decision *to, const struct decision *from)
{
	*to = *from;
	to->value = arena_copy(a, from->value);
	to->reason = arena_copy(a, from->reason);
	to->origin = arena_copy(a, from->origin);
}

static bool take_decision(void *ctx, const struct decision *d)
{
	struct client_card *c = ctx;

	if (d->remedy == REMEDY_ALLOW && c->nallow < CARD_DECISIONS)
		copy(c->arena, &c->allow[c->nallow++], d);
	else if (d->remedy != REMEDY_ALLOW && c->ndecisions < CARD_DECISIONS)
		copy(c->arena, &c->decisions[c->ndecisions++], d);
	return true;
}

static void put_prefix(struct client_card *c)
{
	struct ip_net net = { c->ip, ip_is4(&c->ip) ? 96 + 24 : 48 };
	struct text t = text_over(c->prefix, sizeof c->prefix - 1);

	memset(net.base.b + net.bits / 8, 0, sizeof net.base.b - net.bits / 8);
	ip_text(&t, &net.base);
	text_printf(&t, "/%u", ip_is4(&c->ip) ? 24u : 48u);
}

static void gather(struct client_card *c, struct admin *a)
{
	const struct admin_hooks *h = &a->hooks;
	const struct client_hooks *of = h->client;
	struct ip_net net = { c->ip, 128 };
	struct text t = text_over(c->address, sizeof c->address - 1);
	uint64_t now_ms = clock_wall_ms();

	ip_text(&t, &c->ip);
	put_prefix(c);
	if (of) {
		of->where(h->ctx, &c->ip, &c->geo);
		c->bot = bytes_of(of->bot(h->ctx, &c->ip));
		c->nbuckets = of->buckets(h->ctx, &c->ip, c->arena, c->buckets, CARD_BUCKETS);
		c->npasses = of->passes(h->ctx, &c->ip, c->passes, CARD_PASSES);
	}
	c->nlists = lists_having(h->lists, &c->ip, now_ms, c->arena, c->lists, CARD_LISTS);
	if (h->decisions) {
		c->decided = decisions_past(h->decisions, SCOPE_IP, bytes_of(c->address), now_ms);
		decisions_about(h->decisions, &net, now_ms, take_decision, c);
	}
}

static void take_alert(void *owner, const struct alert *from)
{
	struct client_card *c = &((struct asking *)owner)->card;
	struct alert *to = &c->alerts[c->nalerts];
	struct decision *first = from->ndecisions ? arena_get(c->arena, sizeof *first) : NULL;

	if (c->nalerts == CARD_ALERTS)
		return;
	*to = *from;
	to->scenario = arena_copy(c->arena, from->scenario);
	to->value = arena_copy(c->arena, from->value);
	to->machine = arena_copy(c->arena, from->machine);
	to->message = to->body = (struct bytes){ 0 };
	if (first)
		copy(c->arena, first, &from->decisions[0]);
	to->decisions = first;
	to->ndecisions = first ? from->ndecisions : 0;
	c->nalerts++;
}

static void alerts_taken(void *owner)
{
	struct asking *a = owner;

	a->told(a->owner, &a->card);
}

void client_card_ask(struct admin *admin, const struct ip *ip, void (*told)(void *owner, struct client_card *), void *owner)
{
	struct arena *arena = arena_new(CARD_ARENA);
	struct asking *a = arena ? arena_get(arena, sizeof *a) : NULL;
	struct alerts_ask which = { .limit = CARD_ALERTS };

	if (!a) {
		arena_free(arena);
		told(owner, NULL);
		return;
	}
	*a = (struct asking){ .card = { .ip = *ip, .arena = arena }, .told = told, .owner = owner };
	gather(&a->card, admin);
	which.value = bytes_of(a->card.address);
	if (!admin->hooks.alerts || !alerts_find(admin->hooks.alerts, &which, admin->loop, take_alert, alerts_taken, a))
		alerts_taken(a);
}
