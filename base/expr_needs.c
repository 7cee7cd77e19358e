#include "base/expr_code.h"
size_t expr_needs(const struct expr *x, struct arena *a, const struct expr_need **out)
{
	(void)x, (void)a;
	*out = NULL;
	return 0;
}
