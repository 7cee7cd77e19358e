/* multipart_state.h -- what multipart*.c share: the reader's state and a part's. */
#ifndef RULES_BODY_MULTIPART_STATE_H
#define RULES_BODY_MULTIPART_STATE_H
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

enum place { PREAMBLE, HEAD, DATA, EPILOGUE };

enum scan {
	LINE_START, /* `matched` bytes of the delimiter are seen */
	IN_LINE,
	AFTER_CR, /* the line end may be coming */
	TAIL,     /* behind a whole delimiter */
};

enum { TAIL_MAX = 64, BOUNDARY_MAX = 256 };

struct multipart {
	struct body body;
	enum place place;
	enum scan scan;
	struct bytes delimiter; /* "--" and the boundary */
	size_t matched;
	char newline[2];
	size_t nnewline; /* withheld before a delimiter */
	char tail[TAIL_MAX];
	size_t ntail;
	const char *at, *start, *end; /* the piece in hand */
	bool crlf, lf;    /* which line ends were seen around heads */
	char closing;     /* the last byte of the line end behind the last delimiter */

	struct part part;
	uint64_t part_at; /* where its delimiter began */
	uint64_t data_at, size;
	struct buffer line; /* the logical header line in hand */
	size_t line_len;    /* of the physical one */
	size_t head_bytes, head_lines, nparts;
	struct buffer data; /* a field's value, or the first bytes of a file */
	bool looked;
};

static inline uint64_t multipart_offset(const struct multipart *m)
{
	return m->body.taken + (uint64_t)(m->at - m->start);
}

/* multipart.c: notes which line ends are in use. */
void multipart_line_ended(struct multipart *, bool crlf);

/* multipart_part.c: a run of bytes or a line end, in a part's head or data. */
bool part_begin(struct multipart *);
bool part_text(struct multipart *, struct bytes run);
bool part_newline(struct multipart *, struct bytes newline);
bool part_end(struct multipart *);

/* multipart_head.c */
void part_odd(struct body *, struct part *, bool odd, unsigned bits);
/* A logical header line, kept for good. */
bool part_header(struct body *, struct part *, struct bytes line);
/* The head is whole: names what has no name, decides whether this is a file,
 * and tells headers and file names. */
bool part_head_end(struct body *, struct part *, uint64_t at);
#endif
