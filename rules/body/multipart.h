/* multipart.h -- multipart/form-data (RFC 7578, RFC 2046 5.1).
 *
 * Parsed strictly by one reading, and everything that another parser might read
 * differently is flagged, as ModSecurity's MULTIPART_STRICT_ERROR does: the
 * caller refuses or logs. A part is a file when it has a filename parameter. */
#ifndef RULES_BODY_MULTIPART_H
#define RULES_BODY_MULTIPART_H
#include "rules/body/body.h"

enum multipart_anomaly {
	ODD_BOUNDARY_QUOTED = 1 << 0,     /* legal */
	ODD_BOUNDARY_TWICE = 1 << 1,
	ODD_BOUNDARY_INVALID = 1 << 2,
	ODD_PREAMBLE = 1 << 3,            /* data before the first delimiter */
	ODD_EPILOGUE = 1 << 4,            /* data other than one line end after the last */
	ODD_HEADER_FOLDED = 1 << 5,
	ODD_LF_LINES = 1 << 6,            /* LF alone ended a line */
	ODD_MIXED_LINES = 1 << 7,         /* both CRLF and LF did */
	ODD_MISSING_SEMICOLON = 1 << 8,
	ODD_QUOTING = 1 << 9,             /* single, open or half quotes */
	ODD_PART = 1 << 10,               /* no name, or not form-data */
	ODD_HEADER = 1 << 11,             /* no colon, no name, control bytes */
	ODD_NAME_TWICE = 1 << 12,         /* or filename, or a header of the same name */
	ODD_FILENAME_STAR = 1 << 13,      /* RFC 7578 4.2 forbids it */
	ODD_NO_FINAL = 1 << 14,           /* the body ended inside a part */
	ODD_UNMATCHED = 1 << 15,          /* a line begins like a delimiter */
	ODD_DELIMITER_PADDED = 1 << 16,   /* blanks behind a delimiter */
	ODD_ENCODING = 1 << 17,           /* a transfer encoding that is no identity */
	ODD_CHARSET = 1 << 18,            /* one that hides ASCII, for a part or for all */
	ODD_ESCAPE = 1 << 19,             /* a backslash in a quoted name or file name */
	ODD_DASHES = 1 << 20,             /* another line begins with "--": legal; signatures and keys have such */
	ODD_TYPE = 1 << 21,               /* a Content-Type that is not well formed, as by blanks round its '=' */
};

/* What no honest client sends, and what readers disagree on. */
enum {
	MULTIPART_EVASIVE = ODD_BOUNDARY_TWICE | ODD_BOUNDARY_INVALID | ODD_HEADER_FOLDED |
			    ODD_MIXED_LINES | ODD_MISSING_SEMICOLON | ODD_QUOTING | ODD_PART |
			    ODD_HEADER | ODD_NAME_TWICE | ODD_NO_FINAL | ODD_UNMATCHED | ODD_ENCODING |
			    ODD_CHARSET,
};

/* "boundary twice"; takes one bit. */
const char *multipart_anomaly_name(enum multipart_anomaly);
#endif
