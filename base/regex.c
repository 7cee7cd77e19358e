/* regex.c -- one expression in PCRE2, compiled to machine code.
 *
 * What PCRE2 needs while it matches (a stack for the machine code, room for
 * offsets) belongs to the thread and is made when first needed; pthread frees
 * it with the thread. Hyperscan has no limits while scanning, PCRE2 has: they
 * are set so that one value holds a loop for a few milliseconds at worst, and
 * reaching one is an answer of its own. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/matcher_anchors.h"
#include <pcre2.h>
#include <pthread.h>
#include <stdlib.h>

enum {
	GROUPS_MAX = 10,          /* with the whole match */
	JIT_STACK_MIN = 32 << 10, /* bytes */
	JIT_STACK_MAX = 4 << 20,
	MATCH_LIMIT = 1000000,    /* PCRE2's count of backtracking steps */
	HEAP_LIMIT = 16 << 10,    /* KiB: only where there is no JIT */
};

struct regex {
	pcre2_code *code;
	bool jit; /* there is machine code for it */
};

struct thread {
	pcre2_match_context *limits;
	pcre2_jit_stack *stack;
	pcre2_match_data *found;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* of a struct thread */

static void thread_free(void *arg)
{
	struct thread *t = arg;

	pcre2_match_data_free(t->found);
	pcre2_jit_stack_free(t->stack);
	pcre2_match_context_free(t->limits);
	free(t);
}

static void key_make(void)
{
	if (pthread_key_create(&key, thread_free) != 0)
		abort(); /* no more than a handful of keys exist in this program */
}

static struct thread *thread_new(void)
{
	struct thread *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->limits = pcre2_match_context_create(NULL);
	t->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
	t->found = pcre2_match_data_create(GROUPS_MAX, NULL);
	if (!t->limits || !t->stack || !t->found || pthread_setspecific(key, t) != 0) {
		thread_free(t);
		return NULL;
	}
	pcre2_jit_stack_assign(t->limits, NULL, t->stack);
	pcre2_set_match_limit(t->limits, MATCH_LIMIT);
	pcre2_set_heap_limit(t->limits, HEAP_LIMIT);
	return t;
}

static struct thread *thread_mine(void)
{
	struct thread *t;

	pthread_once(&once, key_make);
	t = pthread_getspecific(key);
	return t ? t : thread_new();
}

static uint32_t options(unsigned flags)
{
	return PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C |
	       (flags & PATTERN_LITERAL ? PCRE2_LITERAL : 0) | (flags & PATTERN_GO ? 0 : PCRE2_DOTALL) |
	       (flags & PATTERN_CASELESS ? PCRE2_CASELESS : 0);
}

static struct regex *compile(struct bytes pattern, unsigned flags, bool jit, struct err *e)
{
	uint32_t opt = options(flags);
	struct regex *r = calloc(1, sizeof *r);
	PCRE2_SIZE at = 0;
	int code = 0;

	if (flags & PATTERN_LITERAL) /* PCRE2 takes few options beside this one */
		opt &= ~(uint32_t)(PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF |
				   PCRE2_NEVER_BACKSLASH_C);
	if (!r) {
		err_set(e, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	r->code = pcre2_compile((PCRE2_SPTR)(pattern.at ? pattern.at : ""), pattern.len, opt, &code,
				&at, NULL);
	if (!r->code) {
		unsigned char why[128] = "";

		pcre2_get_error_message(code, why, sizeof why);
		err_set(e, SIDE_CONFIG, 0, "%s (at byte %zu)", (char *)why, (size_t)at);
		free(r);
		return NULL;
	}
	r->jit = jit && pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE) == 0; /* else the same answers come slower */
	return r;
}

struct regex *regex_new(struct bytes pattern, unsigned flags, struct err *e)
{
	return compile(pattern, flags, true, e);
}

static void free_late(void *r)
{
	regex_free(r);
}

struct regex *regex_once(struct arena *a, struct bytes pattern)
{
	struct regex *r = compile(pattern, 0, false, NULL);

	if (!r || arena_defer(a, free_late, r))
		return r;
	regex_free(r);
	return NULL;
}

static int match(const struct regex *r, struct bytes in, const struct thread *t)
{
	return (r->jit ? pcre2_jit_match : pcre2_match)(r->code, (PCRE2_SPTR)(in.at ? in.at : ""), in.len, 0, 0, t->found,
							 t->limits);
}

enum regex_result regex_find(const struct regex *r, struct bytes in, size_t *from, size_t *to)
{
	struct thread *t = thread_mine();
	int rc;

	if (!t)
		return REGEX_LIMIT;
	rc = match(r, in, t);
	if (rc == PCRE2_ERROR_NOMATCH)
		return REGEX_NO;
	if (rc < 0)
		return REGEX_LIMIT;
	*from = pcre2_get_ovector_pointer(t->found)[0];
	*to = pcre2_get_ovector_pointer(t->found)[1];
	if (*from > *to) /* \K can turn them round */
		*from = *to;
	return REGEX_YES;
}

size_t regex_groups(const struct regex *r, struct bytes in, size_t *at, size_t n)
{
	struct thread *t = thread_mine();
	int rc = t ? match(r, in, t) : -1;
	const PCRE2_SIZE *found = rc < 0 ? NULL : pcre2_get_ovector_pointer(t->found);
	size_t got = rc > 0 ? (size_t)rc : rc == 0 ? GROUPS_MAX : 0; /* 0: there are more than have room */

	if (got > n)
		got = n;
	for (size_t i = 0; i < got; i++) {
		bool part = found[2 * i] != PCRE2_UNSET && found[2 * i] <= found[2 * i + 1];

		at[2 * i] = part ? found[2 * i] : 0;
		at[2 * i + 1] = part ? found[2 * i + 1] : 0;
	}
	return got;
}

void regex_free(struct regex *r)
{
	if (!r)
		return;
	pcre2_code_free(r->code);
	free(r);
}
