/* op_operand.c -- from a rule's argument to what a test reads.
 *
 * op_prepare does it while rules are loaded and may take its time; op_expanded
 * does it while a request waits, for arguments with %{...} in them. */
#include "rules/ir.h"
#include "rules/op_parts.h"
#include "rules/words.h"

struct prepare {
	struct ir *ir;
	const char *beside;
	struct operand *out;
	struct err *err;
};

bool op_no_memory(struct err *e)
{
	return err_set(e, SIDE_SELF, 0, "out of memory while reading rules");
}

static bool one_text(struct arena *a, struct bytes text, struct operand *o)
{
	struct bytes *at = arena_get(a, sizeof *at);

	if (!at)
		return false;
	*at = text;
	o->texts = at;
	o->ntexts = 1;
	return true;
}

static bool expression(struct prepare *p, struct bytes text)
{
	struct err why = { 0 };

	p->out->regex = ir_regex(p->ir, text, 0, &why);
	return p->out->regex || err_set(p->err, why.side, why.code, "the expression is not one: %s", why.text);
}

static bool set_of_words(struct prepare *p)
{
	p->out->words = words_new(p->ir->arena, p->out->texts, p->out->ntexts);
	return p->out->words || op_no_memory(p->err);
}

static bool words(struct prepare *p, struct bytes text)
{
	struct bytes *at;

	if (!op_words(p->ir->arena, text, &at, &p->out->ntexts))
		return op_no_memory(p->err);
	p->out->texts = at;
	if (!p->out->ntexts)
		return err_set(p->err, SIDE_CONFIG, 0, "no words to look for");
	return set_of_words(p);
}

static bool lines_of_file(struct prepare *p, struct bytes name, struct op_lines *l)
{
	if (p->ir->of_text)
		return err_set(p->err, SIDE_CONFIG, 0, "a rule of a text cannot read a file");
	return op_lines(p->ir->arena, name, p->beside, l, p->err);
}

static bool lines(struct prepare *p, struct bytes name)
{
	struct op_lines l;

	if (!lines_of_file(p, name, &l))
		return false;
	p->out->texts = l.at;
	p->out->ntexts = l.n;
	return true;
}

/* "a,b,c" -> its pieces; empty ones are left out. */
static bool pieces(struct arena *a, struct bytes text, struct bytes **at, size_t *n)
{
	struct bytes piece;
	size_t cap = 0;

	*at = NULL;
	*n = 0;
	while (bytes_cut(&text, ',', &piece)) {
		if (!bytes_trim(piece).len)
			continue;
		*at = arena_grow(a, *at, &cap, *n + 1, sizeof **at);
		if (!*at)
			return false;
		(*at)[(*n)++] = piece;
	}
	return true;
}

static bool nets(struct prepare *p, struct bytes text)
{
	struct bytes *at;
	size_t n;

	if (!pieces(p->ir->arena, text, &at, &n))
		return op_no_memory(p->err);
	if (!n)
		return err_set(p->err, SIDE_CONFIG, 0, "no address to compare with");
	return (p->out->nets = op_nets(p->ir->arena, at, n, true, p->err)) != NULL;
}

/* A line may have a comment behind its address. */
static bool nets_of_file(struct prepare *p, struct bytes name)
{
	struct op_lines l;

	if (!lines_of_file(p, name, &l))
		return false;
	for (size_t i = 0; i < l.n; i++)
		l.at[i] = bytes_sub(l.at[i], 0, bytes_index(l.at[i], '#'));
	p->out->nets = op_nets(p->ir->arena, l.at, l.n, true, p->err);
	return p->out->nets || err_at(p->err, "%.*s", BYTES_ARG(name));
}

static bool bytes_allowed(struct prepare *p, struct bytes text)
{
	uint64_t *set = arena_get(p->ir->arena, 4 * sizeof *set);

	p->out->bytes = set;
	return set ? op_bytes(text, set, p->err) : op_no_memory(p->err);
}

bool op_prepare(const struct op *op, struct ir *ir, struct bytes argument, const char *beside, struct operand *out,
		struct err *e)
{
	struct prepare p = { ir, beside, out, e };
	struct bytes text = arena_copy(ir->arena, argument);

	*out = (struct operand){ 0 };
	if (op->operand == OPERAND_NONE)
		return true;
	if (!text.at || !one_text(ir->arena, text, out))
		return op_no_memory(e);
	switch (op->operand) {
	case OPERAND_NUMBER:
		out->number = op_number(text);
		return true;
	case OPERAND_REGEX:
		return expression(&p, text);
	case OPERAND_FILE:
		return lines(&p, text) && set_of_words(&p);
	case OPERAND_WORDS:
		return words(&p, text);
	case OPERAND_NETS:
		return nets(&p, text);
	case OPERAND_NETS_FILE:
		return nets_of_file(&p, text);
	case OPERAND_BYTES:
		return bytes_allowed(&p, text);
	default:
		return true;
	}
}

bool op_expanded(const struct op *op, struct arena *a, struct bytes text, struct operand *out)
{
	struct bytes *at;
	size_t n;

	*out = (struct operand){ 0 };
	switch (op->operand) {
	case OPERAND_NONE:
		return true;
	case OPERAND_TEXTS:
		return one_text(a, text, out);
	case OPERAND_NUMBER:
		out->number = op_number(text);
		return one_text(a, text, out);
	case OPERAND_WORDS:
		if (!op_words(a, text, &at, &out->ntexts))
			return false;
		out->texts = at;
		return true;
	case OPERAND_NETS:
		return one_text(a, text, out) && pieces(a, text, &at, &n) &&
		       (out->nets = op_nets(a, at, n, false, NULL));
	default:
		return false;
	}
}
