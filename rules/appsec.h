/* appsec.h -- an AppSec document as it was written; between appsec_load.c, which
 * reads it, and appsec_dnf.c, which makes groups of conditions of it. */
#ifndef RULES_APPSEC_H
#define RULES_APPSEC_H
#include "base/yaml.h"
#include "rules/ir.h"

struct appsec_match {
	const struct op *op;   /* NULL: no match was written */
	struct bytes value;    /* at == NULL: none was written */
	struct bytes *values;
	size_t nvalues;
	bool negate;
};

enum appsec_body_type { APPSEC_ANY_BODY, APPSEC_URLENCODED, APPSEC_MULTIPART, APPSEC_JSON, APPSEC_XML };

struct appsec_tree {
	struct where where;
	enum zone *zones;
	size_t nzones;
	struct bytes *variables;
	size_t nvariables;
	const struct transform **transforms; /* appsec_count among them: count values */
	size_t ntransforms;
	struct appsec_match match;
	uint32_t body_type;
	struct appsec_tree *all, *any; /* `and`, `or` */
	size_t nall, nany;
};

struct appsec_doc {
	struct where where;
	struct bytes name, description, category, behavior;
	uint32_t severity, remedy;
	uint16_t status;
	struct appsec_tree *rules;
	size_t nrules;
};

/* Stands in a list of transformations for `count`. */
extern const struct transform appsec_count;
/* Groups for the newest rule of the ir. */
bool appsec_add_groups(struct ir *, const struct appsec_tree *, struct err *);
#endif
