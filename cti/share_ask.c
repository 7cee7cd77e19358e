/* share_ask.c -- questions of this gate, and those that it owes an answer. */
#include "base/clock.h"
#include "base/tls.h"
#include "cti/share_parts.h"
#include <stdio.h>
#include <stdlib.h>

enum { ASKS_MAX = 32, OWED_MAX = 32, KEY_ROOM = 192, CONTEXT_ROOM = 64 };

struct asked_gate {
	char name[64], id[20];
	char *body; /* NULL: it has not answered */
	size_t len;
	bool fetching;
};

struct share_asking {
	struct share_asking *next;
	struct share *share;
	uint64_t id;
	void (*told)(void *owner, const struct share_answers *);
	void *owner;
	struct deadline deadline;
	size_t waiting, n;
	struct asked_gate gates[];
};

struct share_question {
	struct share_question *next;
	struct share *share; /* NULL: it is closed */
	uint64_t id;
};

/* ---- names ---- */

static struct bytes context_of(uint64_t id, const char *gate, char room[CONTEXT_ROOM])
{
	struct text t = text_over(room, CONTEXT_ROOM);

	text_printf(&t, "answer:%016llx:%s", (unsigned long long)id, gate);
	return text_bytes(&t);
}

static struct bytes key_of(const struct share *s, uint64_t id, const char *gate, char room[KEY_ROOM])
{
	struct text t = text_over(room, KEY_ROOM);

	text_printf(&t, "{%s}:answer:%016llx:%s", s->prefix, (unsigned long long)id, gate);
	return text_bytes(&t);
}

/* ---- asking ---- */

static struct share_asking **link_to(struct share *s, uint64_t id)
{
	struct share_asking **at = &s->asks.open;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

static void asking_free(struct share_asking *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->gates[i].body);
	free(a);
}

/* Whoever is told may ask again. */
static void tell(struct share_asking *a)
{
	struct share_answered at[SHARE_NODES];
	const char *silent[SHARE_NODES];
	struct share_answers answers = { at, 0, silent, 0 };

	*link_to(a->share, a->id) = a->next;
	a->share->asks.nopen--;
	a->share->asks.ended[a->share->asks.nended++ % SHARE_ENDED] = a->id;
	deadline_clear(&a->deadline);
	for (size_t i = 0; i < a->n; i++)
		if (a->gates[i].body)
			at[answers.n++] = (struct share_answered){ a->gates[i].name, { a->gates[i].body, a->gates[i].len } };
		else
			silent[answers.nsilent++] = a->gates[i].name;
	a->told(a->owner, &answers);
	asking_free(a);
}

static void on_late(void *owner)
{
	tell(owner);
}

/* Those that are down are named, and not waited for. */
static struct share_asking *asking_new(struct share *s)
{
	struct share_asking *a = calloc(1, sizeof *a + s->nnodes * sizeof a->gates[0]);

	if (!a || !tls_random(&a->id, sizeof a->id)) {
		free(a);
		return NULL;
	}
	a->share = s;
	for (size_t i = 0; i < s->nnodes; i++) {
		struct asked_gate *g = &a->gates[a->n];

		if (s->nodes[i].self)
			continue;
		snprintf(g->name, sizeof g->name, "%s", s->nodes[i].name);
		snprintf(g->id, sizeof g->id, "%.16s", s->nodes[i].id);
		a->waiting += s->nodes[i].up;
		a->n++;
	}
	return a;
}

bool share_ask(struct share *s, struct bytes what, uint32_t wait_ms, void (*told)(void *owner, const struct share_answers *), void *owner)
{
	char room[SHARE_MESSAGE_MAX];
	struct text t = text_over(room, sizeof room);
	struct share_asking *a;

	if (what.len > SHARE_QUESTION_MAX || s->closing || s->asks.nopen == ASKS_MAX || !(a = asking_new(s)))
		return false;
	a->told = told;
	a->owner = owner;
	a->next = s->asks.open;
	s->asks.open = a;
	s->asks.nopen++;
	share_question_write(&t, a->id, what);
	if (a->waiting && share_tell(s, SHARE_ASK, text_bytes(&t)))
		deadline_set(s->loop, &a->deadline, wait_ms, on_late, a);
	else
		tell(a);
	return true;
}

/* ---- an answer comes ---- */

struct fetching { struct share *share; uint64_t id; char gate[20]; };

static struct asked_gate *gate_of(struct share_asking *a, const char *id)
{
	for (size_t i = 0; a && i < a->n; i++)
		if (strcmp(a->gates[i].id, id) == 0)
			return &a->gates[i];
	return NULL;
}

static bool take(struct asked_gate *g, struct bytes body)
{
	if (!body.len || body.len > SHARE_ANSWER_MAX || g->body || !(g->body = malloc(body.len)))
		return false;
	memcpy(g->body, body.at, body.len);
	g->len = body.len;
	return true;
}

static void on_answer(void *owner, const struct redis_reply *r)
{
	struct fetching f = *(struct fetching *)owner;
	struct share *s = f.share;
	struct share_asking *a = s->closing ? NULL : *link_to(s, f.id);
	struct asked_gate *g = gate_of(a, f.gate);
	struct share_frame frame;
	char room[CONTEXT_ROOM];

	free(owner);
	if (!g) {
		atomic_fetch_add(&s->late, 1);
		return;
	}
	g->fetching = false;
	if (r && r->kind == REDIS_TEXT && share_opened(s, r->text, context_of(f.id, f.gate, room), FRAME_ANSWER, &frame) &&
	    take(g, frame.body) && --a->waiting == 0)
		tell(a);
}

static void fetch(struct share *s, struct share_asking *a, struct asked_gate *g)
{
	struct fetching *f = malloc(sizeof *f);
	char room[KEY_ROOM];

	if (!f)
		return;
	*f = (struct fetching){ .share = s, .id = a->id };
	memcpy(f->gate, g->id, sizeof f->gate);
	g->fetching = redis_send(s->redis, (struct bytes[]){ BYTES("GET"), key_of(s, a->id, g->id, room) }, 2, 1, on_answer, f);
	if (!g->fetching)
		free(f);
}

/* All gates hear of all answers: most are of another's question. */
static bool was_asked(const struct share *s, uint64_t id)
{
	for (unsigned i = 0; i < SHARE_ENDED; i++)
		if (s->asks.ended[i] == id)
			return true;
	return false;
}

static void heard_answered(struct share *s, struct bytes message)
{
	struct share_asking *a;
	struct asked_gate *g;
	char gate[20] = "";
	uint64_t id;

	if (!share_answered_read(message, &id, gate)) {
		atomic_fetch_add(&s->broken, 1);
		return;
	}
	a = *link_to(s, id);
	g = gate_of(a, gate);
	if (g && !g->body && !g->fetching)
		fetch(s, a, g);
	else if (!a && was_asked(s, id))
		atomic_fetch_add(&s->late, 1);
}

/* ---- answering ---- */

void share_on_ask(struct share *s, void (*asked)(void *ctx, struct share_question *, struct bytes what), void *ctx)
{
	s->asks.asked = asked;
	s->asks.ctx = ctx;
}

static void heard_question(struct share *s, struct bytes message)
{
	struct share_question *q;
	struct bytes what;
	uint64_t id;

	if (!share_question_read(message, &id, &what)) {
		atomic_fetch_add(&s->broken, 1);
		return;
	}
	if (!s->asks.asked || s->asks.nowed == OWED_MAX || !(q = malloc(sizeof *q))) {
		atomic_fetch_add(&s->unanswered, 1);
		return;
	}
	*q = (struct share_question){ s->asks.owed, s, id };
	s->asks.owed = q;
	s->asks.nowed++;
	s->asks.asked(s->asks.ctx, q, what);
}

void share_ask_heard(struct share *s, enum share_kind kind, struct bytes message)
{
	if (kind == SHARE_ASK)
		heard_question(s, message);
	else
		heard_answered(s, message);
}

static void on_put(void *owner, const struct redis_reply *r)
{
	(void)owner;
	(void)r;
}

/* The answer goes before the message that names it, on the same line. */
static bool put(struct share *s, uint64_t id, struct bytes body)
{
	size_t cap = body.len + SHARE_FRAME_MORE;
	char key[KEY_ROOM], context[CONTEXT_ROOM], message[64], *room = malloc(cap);
	struct text t = text_over(message, sizeof message);
	struct bytes args[] = { BYTES("SET"), key_of(s, id, s->id, key), { 0 }, BYTES("PX"), BYTES("2000") };
	bool sent = false;

	if (room) {
		args[2] = share_sealed(s, room, cap, context_of(id, s->id, context), FRAME_ANSWER, body);
		sent = args[2].len && share_send(s, args, nelems(args), 1, on_put);
	}
	free(room);
	share_answered_write(&t, id, s->id);
	return sent && share_tell(s, SHARE_ANSWERED, text_bytes(&t));
}

void share_answer(struct share_question *q, struct bytes body)
{
	struct share *s = q->share;
	struct share_question **at;

	if (s) {
		at = &s->asks.owed;
		while (*at != q)
			at = &(*at)->next;
		*at = q->next;
		s->asks.nowed--;
		if (!body.len || body.len > SHARE_ANSWER_MAX || !put(s, q->id, body))
			atomic_fetch_add(&s->unanswered, 1);
	}
	free(q);
}

void share_ask_end(struct share *s)
{
	while (s->asks.open)
		tell(s->asks.open);
	for (struct share_question *q = s->asks.owed; q; q = q->next)
		q->share = NULL;
	s->asks.owed = NULL;
	s->asks.asked = NULL;
}
