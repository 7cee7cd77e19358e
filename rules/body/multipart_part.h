/* multipart_part.h -- one part's head, shared by multipart.c and multipart_head.c. */
#ifndef RULES_BODY_MULTIPART_PART_H
#define RULES_BODY_MULTIPART_PART_H
#include "rules/body/multipart.h"
#include "rules/body/parser.h"

/* A name that can be read in several ways; more than these are flagged alike. */
enum { READINGS = 4 };

struct readings {
	struct bytes at[READINGS];
	size_t n;
	bool plain, star; /* name= and name*= (RFC 8187) were there */
};

struct part {
	struct readings names, filenames;
	struct bytes type;
	unsigned odd;         /* its share of the anomalies */
	bool is_file;         /* to every reader: streams on, only its size and first bytes count */
	bool disposed, typed; /* the header was there already */
	struct bytes *lines;  /* logical header lines */
	size_t nlines, cap;
};

void part_odd(struct body *, struct part *, bool odd, unsigned bits);
/* A logical header line, kept for good. */
bool part_header(struct body *, struct part *, struct bytes line);
/* The head is whole: names what has no name, decides whether this is a file,
 * and tells headers and file names. */
bool part_head_end(struct body *, struct part *, uint64_t at);
#endif
