/* yaml_doc.h -- a document while it is built, for yaml.c and yaml_build.c. */
#ifndef BASE_YAML_DOC_H
#define BASE_YAML_DOC_H
#include "base/arena.h"
#include "base/yaml.h"

struct yaml_doc {
	struct arena *arena;
	const char *name;
	struct bytes source;
	const struct yaml_node **roots;
	size_t nroots, cap, nodes;
};

/* The events of libyaml on d->source become d->roots. */
bool yaml_build(struct yaml_doc *d, struct err *);
#endif
