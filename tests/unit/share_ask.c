/* share_ask.c -- three gates and a real redis-server: one asks, each answers for itself, and nobody for another. */
#include "base/clock.h"
#include "cti/share_ask.h"
#include "cti/share_record.h"
#include "tests/redis_server.h"
#include "tests/turns.h"
#include <stdio.h>

enum { GATES = 3, MARGIN_MS = 1500 /* of a machine that does much else */ };

enum manner { AT_ONCE, NEVER, TOO_LONG, AS_LONG_AS_MAY_BE };

static struct world {
	struct loop *loop;
	pid_t server;
	unsigned port;
	char url[64];
	struct bytes urls[1];
	struct gate {
		struct decisions *d;
		struct share *s;
		enum manner manner;
		struct share_question *kept;
		char heard[64];
		bool closed;
	} gates[GATES];
	struct redis *raw; /* someone else who may write there */
	bool raw_closed, replied;
	char key[192], body[4096]; /* of an answer that it has read */
	size_t nbody;
} w;

static void run_until(struct loop *l, const bool *flag, unsigned ms)
{
	for (unsigned n = 0; !*flag; n += 5) {
		assert_true(n < ms);
		run_for(l, 5);
	}
}

/* ---- gates ---- */

static const char *const names[GATES] = { "one", "two", "three" };

static void on_asked(void *ctx, struct share_question *q, struct bytes what)
{
	struct gate *g = ctx;
	char room[128];
	struct text t = text_over(room, sizeof room);
	static char much[SHARE_ANSWER_MAX + 1];

	snprintf(g->heard, sizeof g->heard, "%.*s", BYTES_ARG(what));
	text_printf(&t, "%s on %s", names[g - w.gates], g->heard);
	if (g->manner == NEVER)
		g->kept = q;
	else if (g->manner == TOO_LONG)
		share_answer(q, (struct bytes){ much, sizeof much });
	else if (g->manner == AS_LONG_AS_MAY_BE)
		share_answer(q, (struct bytes){ much, SHARE_ANSWER_MAX });
	else
		share_answer(q, text_bytes(&t));
}

static void gate_open(unsigned i)
{
	struct gate *g = &w.gates[i];
	struct share_options o = { .redis = { .urls = w.urls, .nurls = 1 }, .prefix = "test", .key = "a key", .name = names[i], .version = "1",
				   .decisions = g->d };
	struct err e = { 0 };

	g->closed = false;
	g->manner = AT_ONCE;
	g->s = share_open(w.loop, &o, &e);
	if (!g->s)
		fail_msg("%s", e.text);
	share_on_ask(g->s, on_asked, g);
}

static void on_flag(void *ctx)
{
	*(bool *)ctx = true;
}

static void gate_close(unsigned i)
{
	share_close(w.gates[i].s, on_flag, &w.gates[i].closed);
	run_until(w.loop, &w.gates[i].closed, 5000);
	w.gates[i].s = NULL;
}

static struct share_counts counts(unsigned i)
{
	struct share_counts c;

	share_count(w.gates[i].s, &c);
	return c;
}

static void until_all_know_each_other(void)
{
	struct share_node n[8];

	for (unsigned i = 0; i < GATES; i++)
		for (int turn = 0; !counts(i).following || share_nodes_up(w.gates[i].s) < GATES; turn++) {
			assert_true(turn < 600);
			run_for(w.loop, 50);
		}
	assert_int_equal(share_nodes(w.gates[0].s, n, 8), GATES);
}

/* ---- asking ---- */

struct outcome {
	bool told;
	size_t n, nsilent, bytes;
	char text[256], silent[128];
	uint64_t took_ms, begun_ms;
};

static void on_answers(void *owner, const struct share_answers *a)
{
	struct outcome *o = owner;
	struct text t = text_over(o->text, sizeof o->text - 1), silent = text_over(o->silent, sizeof o->silent - 1);

	assert_false(o->told);
	o->told = true;
	o->took_ms = clock_mono_ms() - o->begun_ms;
	o->n = a->n;
	o->nsilent = a->nsilent;
	for (size_t i = 0; i < a->n; i++) {
		o->bytes += a->at[i].body.len;
		text_printf(&t, "%s=%.*s;", a->at[i].name, (int)(a->at[i].body.len < 64 ? a->at[i].body.len : 64), a->at[i].body.at);
	}
	for (size_t i = 0; i < a->nsilent; i++)
		text_printf(&silent, "%s%s", i ? " " : "", a->silent[i]);
	o->text[t.len] = o->silent[silent.len] = '\0';
}

static void ask(struct outcome *o, const char *what)
{
	*o = (struct outcome){ .begun_ms = clock_mono_ms() };
	assert_true(share_ask(w.gates[0].s, bytes_of(what), SHARE_ASK_MS, on_answers, o));
	run_until(w.loop, &o->told, 5000);
}

/* How two and three answer from now on; what they still owe is answered by nothing. */
static void manners(enum manner two, enum manner three)
{
	for (unsigned i = 1; i < GATES; i++)
		if (w.gates[i].kept) {
			share_answer(w.gates[i].kept, (struct bytes){ 0 });
			w.gates[i].kept = NULL;
		}
	w.gates[1].manner = two;
	w.gates[2].manner = three;
}

static void each_answers_for_itself(void **state)
{
	struct outcome o;

	(void)state;
	ask(&o, "how is it");
	assert_int_equal(o.n, 2);
	assert_int_equal(o.nsilent, 0);
	assert_non_null(strstr(o.text, "two=two on how is it;"));
	assert_non_null(strstr(o.text, "three=three on how is it;"));
	manners(AS_LONG_AS_MAY_BE, AT_ONCE);
	ask(&o, "much");
	assert_int_equal(o.n, 2);
	assert_true(o.bytes > SHARE_ANSWER_MAX);
}

static void who_is_late_is_named_and_what_comes_then_goes_nowhere(void **state)
{
	struct outcome o;
	uint64_t late = counts(0).late;

	(void)state;
	manners(AT_ONCE, NEVER);
	ask(&o, "are you there");
	assert_string_equal(o.text, "two=two on are you there;");
	assert_string_equal(o.silent, "three");
	assert_in_range(o.took_ms, SHARE_ASK_MS - 50, SHARE_ASK_MS + MARGIN_MS);
	share_answer(w.gates[2].kept, BYTES("at last"));
	w.gates[2].kept = NULL;
	for (int i = 0; i < 100 && counts(0).late == late; i++)
		run_for(w.loop, 20);
	assert_int_equal(counts(0).late, late + 1);
	assert_int_equal(counts(1).late, 0); /* it is not its question */
}

static void too_long_an_answer_is_none(void **state)
{
	struct outcome o;
	uint64_t before = counts(1).unanswered;
	static const char long_one[SHARE_QUESTION_MAX + 1];

	(void)state;
	manners(TOO_LONG, AT_ONCE);
	ask(&o, "all");
	assert_string_equal(o.silent, "two");
	assert_int_equal(counts(1).unanswered, before + 1);
	assert_false(share_ask(w.gates[0].s, (struct bytes){ long_one, sizeof long_one }, SHARE_ASK_MS, on_answers, &o));
}

/* ---- someone else who may write into Redis ---- */

static void on_raw(void *owner, const struct redis_reply *r)
{
	(void)owner;
	assert_non_null(r);
	if (r->kind == REDIS_ARRAY && r->n)
		snprintf(w.key, sizeof w.key, "%.*s", BYTES_ARG(r->items[0].text));
	if (r->kind == REDIS_TEXT && r->text.len < sizeof w.body) {
		memcpy(w.body, r->text.at, r->text.len);
		w.nbody = r->text.len;
	}
	w.replied = true;
}

static void raw(const struct bytes *args, unsigned n)
{
	w.replied = false;
	assert_true(redis_send(w.raw, args, n, 0, on_raw, NULL));
	run_until(w.loop, &w.replied, 3000);
}

/* Gate three's id, as gate one knows it. */
static const char *third(char room[20])
{
	struct share_node n[8];
	size_t count = share_nodes(w.gates[0].s, n, 8);

	for (size_t i = 0; i < count; i++)
		if (strcmp(n[i].name, "three") == 0)
			snprintf(room, 20, "%s", n[i].id);
	return room;
}

/* The answer of gate two is put in the place of gate three's, and named by a message that bears a valid MAC. */
static void an_answer_stands_for_no_other_gate_and_no_other_question(void **state)
{
	struct outcome o = { 0 };
	uint64_t forged = counts(0).forged, id;
	char room[64], key[256], gate[20] = "";
	struct text t = text_over(room, sizeof room);

	(void)state;
	manners(AT_ONCE, NEVER);
	run_for(w.loop, 2500); /* answers to what was asked before are gone */
	assert_true(share_ask(w.gates[0].s, BYTES("who"), SHARE_ASK_MS, on_answers, &o));
	w.key[0] = '\0';
	for (int i = 0; i < 20 && !w.key[0]; i++)
		raw((struct bytes[]){ BYTES("KEYS"), BYTES("{test}:answer:*") }, 2);
	raw((struct bytes[]){ BYTES("GET"), bytes_of(w.key) }, 2);
	assert_int_equal(sscanf(w.key, "{test}:answer:%16lx:", &id), 1);
	snprintf(key, sizeof key, "{test}:answer:%016lx:%s", id, third(gate));
	raw((struct bytes[]){ BYTES("SET"), bytes_of(key), { w.body, w.nbody } }, 3);
	share_answered_write(&t, id, gate);
	assert_true(share_tell(w.gates[2].s, SHARE_ANSWERED, text_bytes(&t)));
	t.len = 0;
	share_answered_write(&t, id + 1, gate); /* of no question */
	assert_true(share_tell(w.gates[2].s, SHARE_ANSWERED, text_bytes(&t)));
	assert_true(share_tell(w.gates[2].s, SHARE_ANSWERED, BYTES("no such message")));
	run_until(w.loop, &o.told, 5000);
	assert_string_equal(o.text, "two=two on who;");
	assert_string_equal(o.silent, "three");
	assert_int_equal(counts(0).forged, forged + 1);
}

static void a_message_without_a_signature_asks_nothing(void **state)
{
	uint64_t forged = counts(1).forged;

	(void)state;
	w.gates[1].heard[0] = '\0';
	raw((struct bytes[]){ BYTES("XADD"), BYTES("{test}:told"), BYTES("*"), BYTES("f"), BYTES("Eg\1\2 a question of someone who has no key at all") }, 5);
	for (int i = 0; i < 100 && counts(1).forged == forged; i++)
		run_for(w.loop, 20);
	assert_int_equal(counts(1).forged, forged + 1);
	assert_string_equal(w.gates[1].heard, "");
}

/* ---- many, and the end ---- */

static void questions_are_bounded(void **state)
{
	enum { MANY = 40 };
	struct outcome o[MANY] = { 0 };
	size_t taken = 0;

	(void)state;
	manners(AT_ONCE, AT_ONCE);
	for (size_t i = 0; i < MANY; i++)
		taken += share_ask(w.gates[0].s, BYTES("again"), SHARE_ASK_MS, on_answers, &o[i]);
	assert_int_equal(taken, 32);
	for (size_t i = 0; i < taken; i++) {
		run_until(w.loop, &o[i].told, 5000);
		assert_int_equal(o[i].n + o[i].nsilent, 2);
	}
}

static void whoever_closes_is_told_and_owes_nothing(void **state)
{
	struct outcome o = { 0 };

	(void)state;
	manners(NEVER, NEVER);
	assert_true(share_ask(w.gates[0].s, BYTES("still"), SHARE_ASK_MS, on_answers, &o));
	for (int i = 0; i < 100 && !w.gates[1].kept; i++)
		run_for(w.loop, 10);
	gate_close(0);
	assert_true(o.told);
	assert_int_equal(o.nsilent, 2);
	gate_close(1);
	share_answer(w.gates[1].kept, BYTES("to nobody"));
	w.gates[1].kept = NULL;
	manners(AT_ONCE, AT_ONCE);
	gate_open(0);
	gate_open(1);
}

static void without_redis_all_are_silent_at_once(void **state)
{
	struct outcome o;

	(void)state;
	redis_server_stop(w.server);
	for (int i = 0; i < 200 && counts(0).up; i++)
		run_for(w.loop, 20);
	ask(&o, "is there anybody");
	assert_true(o.took_ms < SHARE_ASK_MS);
	assert_int_equal(o.n, 0);
}

/* ---- the world ---- */

static void on_up(void *owner, bool is)
{
	(void)owner;
	(void)is;
}

static int begin(void **state)
{
	struct err e = { 0 };

	(void)state;
	w.loop = loop_new();
	w.port = port_free();
	w.server = redis_server(w.port);
	snprintf(w.url, sizeof w.url, "redis://127.0.0.1:%u", w.port);
	w.urls[0] = bytes_of(w.url);
	for (unsigned i = 0; i < GATES; i++) {
		w.gates[i].d = decisions_new(1000);
		gate_open(i);
	}
	w.raw = redis_open(w.loop, &(struct redis_config){ .urls = w.urls, .nurls = 1 }, &(struct redis_events){ on_up, NULL }, &e);
	until_all_know_each_other();
	return w.raw ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GATES; i++) {
		gate_close(i);
		decisions_free(w.gates[i].d);
	}
	redis_close(w.raw, on_flag, &w.raw_closed);
	run_until(w.loop, &w.raw_closed, 5000);
	loop_free(w.loop);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answers_for_itself),
		cmocka_unit_test(who_is_late_is_named_and_what_comes_then_goes_nowhere),
		cmocka_unit_test(too_long_an_answer_is_none),
		cmocka_unit_test(an_answer_stands_for_no_other_gate_and_no_other_question),
		cmocka_unit_test(a_message_without_a_signature_asks_nothing),
		cmocka_unit_test(questions_are_bounded),
		cmocka_unit_test(whoever_closes_is_told_and_owes_nothing),
		cmocka_unit_test(without_redis_all_are_silent_at_once),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
