/* exclusions.h -- what the exceptions that hold for a request take out.
 *
 * An exception is resolved once, when the configuration is read: its rules become
 * bits of groups, its arguments, cookies and headers patterns of names, its parts
 * zones. It then takes out
 *
 *   groups    rules that do not hold: they are never asked, so they neither score nor
 *             change anything
 *   values    that nobody sees: they never come into a zone
 *   values    that some groups do not look at (a cut)
 *
 * What holds many values at once (the query, a form as it came) goes with the value
 * that is in it. Without exceptions all this costs a test of a flag. */
#ifndef RULES_EXCLUSIONS_H
#define RULES_EXCLUSIONS_H
#include "rules/rules.h"
#include "rules/zone.h"

struct values;

enum excluded_kind { EXCLUDED_ARG, EXCLUDED_COOKIE, EXCLUDED_HEADER, EXCLUDED_ZONES };

struct excluded {
	enum excluded_kind kind;
	struct bytes name; /* `*` is any run of characters */
	zone_set zones;    /* EXCLUDED_ZONES */
};

struct excluded_list {
	const struct excluded *at;
	size_t n;
};

struct exclusion {
	bool all, body;             /* nothing, or no body, is inspected */
	const uint64_t *off;        /* groups that do not hold; NULL: none */
	struct excluded_list out;   /* for everybody; no zones */
	const uint64_t *cut_groups; /* NULL: all */
	struct excluded_list cut;   /* for those */
};

/* Of one request. */
struct exclusions {
	const struct exclusion *const *at;
	size_t n;
	bool all, body;
	bool named[EXCLUDED_ZONES]; /* some name of the kind is out for everybody */
	bool cuts;                  /* some exception has a cut */
	const uint64_t *off;        /* of all of them; NULL: none */
};

/* nwords: of the bit sets of groups. False: past the arena's cap. */
bool exclusions_read(struct exclusions *, struct arena *, const struct inspect_options *, size_t nwords);
/* The value is out for everybody. A JSON value is named with or without its "json.". */
bool exclusions_name(const struct exclusions *, enum excluded_kind, struct bytes name);
/* The group does not look at this value. */
bool exclusions_cut(const struct values *, uint32_t group, enum zone, struct bytes name);
/* How many values of this name there are is nothing for the group to go by: an excepted
 * header is not a missing one. */
bool exclusions_hide(const struct values *, uint32_t group, enum zone, struct bytes name);
#endif
