/* made.h -- an operator with its operand, as a rule would have it. */
#ifndef TESTS_MADE_H
#define TESTS_MADE_H
#include "rules/ir.h"
#include "tests/test.h"

/* One operator with its operand. */
struct made {
	const struct op *op;
	struct ir *ir;
	struct operand operand;
	struct err err;
	bool ok;
};

static inline struct made make(struct bytes name, struct bytes argument, const char *beside)
{
	struct made m = { .ir = ir_new() };

	assert_non_null(m.ir);
	m.op = op_named(name, &m.err);
	m.ok = m.op && op_prepare(m.op, m.ir, argument, beside, &m.operand, &m.err);
	return m;
}

static inline struct made made_of(const char *name, const char *argument)
{
	return make(bytes_of(name), bytes_of(argument), "rules.conf");
}
#endif
