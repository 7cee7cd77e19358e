/* patterns.c -- every condition of a rule set alone: what asking it costs, and what its
 * gate saves.
 *
 *   patterns [-d DEAREST] [-C CACHE] [-f REQUESTS.req] RULES...
 *
 * The values are those of rules/everyday.c or, with -f, the fields, targets and bodies
 * of requests, as they were sent. `ns` is for one value, `asked` in which share of
 * the values one of the texts is without which the expression cannot match (1: it
 * has none), `cost` both together, by which the list is sorted. */
#include "base/http1.h"
#include "rules/conditions.h"
#include "rules/everyday.h"
#include "rules/literal.h"
#include "rules/ruleset.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { VALUES_MAX = 4000, BODY_SHOWN = 8 << 10, ROUND_NS = 1000000, ROUNDS = 3, ARENA_CAP = 256 << 20 };

static const char *const gate_words[] = { [GATE_NONE] = "-", [GATE_TEXT] = "text", [GATE_VALUE] = "value" };

static struct corpus {
	struct bytes at[VALUES_MAX];
	size_t n, bytes;
} corpus;

struct row {
	const struct rule_info *rule;
	const struct condition *condition;
	size_t texts;
	double ns, asked;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "patterns: %s: %s\n", what, why);
	exit(1);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- values ---- */

static void value_add(struct bytes value)
{
	if (corpus.n == VALUES_MAX || !value.len)
		return;
	corpus.at[corpus.n++] = value;
	corpus.bytes += value.len;
}

/* everyday.c shows its values to a test only. */
static enum answer take(const struct operand *o, struct bytes value, struct span *s)
{
	(void)o;
	(void)s;
	value_add(value);
	return ANSWER_NO;
}

static void values_everyday(void)
{
	static const struct op taker = { .name = "take", .test = take };

	everyday_percent(&taker, NULL);
}

static void values_of_request(struct arena *a, struct bytes in)
{
	static const struct http1_limits limits = { 64 << 10, 64 << 10, 100 };
	struct request r = { 0 };
	struct err e = { 0 };
	size_t head = 0;

	if (http1_head_end(in, &head, &limits, &e) != HTTP1_DONE ||
	    !http1_parse_request(a, bytes_sub(in, 0, head), &limits, &r, &e))
		die("a request", e.text);
	value_add(r.target);
	for (size_t i = 0; i < r.fields.n; i++)
		value_add(r.fields.at[i].value);
	value_add(bytes_sub(in, head, head + BODY_SHOWN < in.len ? head + BODY_SHOWN : in.len));
}

static void values_of_file(struct arena *a, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t len;

	if (!f)
		die(path, "cannot be read");
	while (corpus.n < VALUES_MAX && fscanf(f, "REQ %zu", &len) == 1 && getc(f) == '\n') {
		char *at = arena_raw(a, len);

		if (!at || fread(at, 1, len, f) != len || getc(f) != '\n')
			die(path, "a request is cut short");
		values_of_request(a, (struct bytes){ at, len });
	}
	fclose(f);
}

/* ---- one condition ---- */

static void test_all(const struct condition *c)
{
	struct match m;

	for (size_t i = 0; i < corpus.n; i++)
		condition_test_text(c, &c->operand, corpus.at[i], &m);
}

/* The least of some rounds, each long enough to be measured. */
static double ns_each(const struct condition *c)
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t from = cpu_ns(), took;
		size_t times = 0;
		double ns;

		do {
			test_all(c);
			times++;
			took = cpu_ns() - from;
		} while (took < ROUND_NS);
		ns = (double)took / (double)(times * corpus.n);
		best = round && best < ns ? best : ns;
	}
	return best;
}

static bool has_one(struct bytes value, const struct literals *l)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t at = 0; at + l->at[i].len <= value.len; at++)
			if (bytes_eq_nocase(bytes_sub(value, at, at + l->at[i].len), l->at[i]))
				return true;
	return false;
}

static struct row row_of(struct arena *a, const struct ir *ir, const struct group *g, const struct condition *c)
{
	struct row row = { .rule = &ir->rules[g->rule].info, .condition = c, .ns = ns_each(c), .asked = 1 };
	struct literals l = { 0 };
	size_t n = 0;

	if (c->op->operand == OPERAND_REGEX && !c->negate)
		l = literals_of(a, c->operand.texts[0], NULL);
	for (size_t i = 0; l.n && i < corpus.n; i++)
		n += has_one(corpus.at[i], &l);
	row.texts = l.n;
	row.asked = l.n ? (double)n / (double)corpus.n : 1;
	return row;
}

/* ---- all of them ---- */

static int by_cost(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	double cx = x->ns * x->asked, cy = y->ns * y->asked;

	return cx < cy ? 1 : -(cx > cy);
}

static void print(struct arena *a, const struct ruleset *rs, size_t dearest)
{
	const struct ir *ir = rs->ir;
	double per_value = (double)corpus.bytes / (double)corpus.n, ns = 0, cost = 0;
	struct row *rows = NULL;
	size_t n = 0, cap = 0;

	for (const struct group *g = ir->groups; g < ir->groups + ir->ngroups; g++)
		for (const struct condition *c = g->at; c < g->at + g->n; c++) {
			if (!condition_is_pure(c) || !c->ntargets)
				continue;
			if (!(rows = arena_grow(a, rows, &cap, n + 1, sizeof *rows)))
				die("conditions", "out of memory");
			rows[n] = row_of(a, ir, g, c);
			ns += rows[n].ns;
			cost += rows[n].ns * rows[n].asked;
			n++;
		}
	if (n)
		qsort(rows, n, sizeof *rows, by_cost);
	printf("%zu conditions on %zu values of %.0f bytes: %.0f ns a value, %.0f where a text of theirs is\n\n", n, corpus.n,
	       per_value, ns, cost);
	printf("%-12s %-16s %-6s %6s %9s %8s %7s %9s\n", "rule", "operator", "gate", "texts", "ns", "ns/byte", "asked", "cost");
	for (size_t i = 0; i < n && i < dearest; i++)
		printf("%-12s %-16s %-6s %6zu %9.0f %8.2f %7.2f %9.0f\n", rows[i].rule->id,
		       rows[i].condition->op->name ? rows[i].condition->op->name : rows[i].condition->op->alias,
		       gate_words[rows[i].condition->gate], rows[i].texts, rows[i].ns, rows[i].ns / per_value, rows[i].asked,
		       rows[i].ns * rows[i].asked);
}

int main(int argc, char **argv)
{
	struct ruleset_options o = { .cache_dir = NULL };
	struct arena *a = arena_new(ARENA_CAP);
	const char *file = NULL;
	size_t dearest = 30;
	struct err e = { 0 };
	struct ruleset *rs;

	for (int c; (c = getopt(argc, argv, "d:C:f:")) != -1;)
		switch (c) {
		case 'd': dearest = strtoul(optarg, NULL, 10); break;
		case 'C': o.cache_dir = optarg; break;
		case 'f': file = optarg; break;
		default: return 2;
		}
	if (argc == optind || !a)
		return 2;
	o.files = (const char *const *)argv + optind;
	o.nfiles = (size_t)(argc - optind);
	if (!(rs = ruleset_load(&o, &e)))
		die("the rules", e.text);
	if (file)
		values_of_file(a, file);
	else
		values_everyday();
	if (!corpus.n)
		die("the values", "there are none");
	print(a, rs, dearest);
	ruleset_free(rs);
	arena_free(a);
	return 0;
}
