/* body.h -- a request body taken apart while it arrives.
 *
 *   body_new -> body_push per piece -> body_end
 *
 * Pieces may be cut anywhere: any split of a body gives the same values. What
 * is found goes to a sink, decoded once; names and values live in the arena.
 * Nothing recurses and nothing grows past a bound. Each bound has a fault of
 * its own, so that "cannot be read" and "too much of it" are told apart. After
 * a fault the parser takes nothing more; what it reported before stands. */
#ifndef RULES_BODY_BODY_H
#define RULES_BODY_BODY_H
#include "base/arena.h"
#include "rules/body/content_type.h"

enum body_fault {
	FAULT_NONE,
	FAULT_MALFORMED, /* not what its format allows: all below are bounds */
	FAULT_ARGS,
	FAULT_NAME,
	FAULT_VALUE,
	FAULT_TOTAL,
	FAULT_DEPTH,
	FAULT_PARTS,
	FAULT_HEADERS,
	FAULT_NODES,
	FAULT_ENTITY, /* XML that declares entities or a DTD subset */
	FAULT_MEMORY, /* the arena is at its cap, or the sink said stop */
};

enum { BODY_DEPTH = 64 };

/* Zero stands for the built-in bound, which the comment gives. */
struct body_limits {
	size_t args;         /* 1024: values of kind ARG, ATTRIBUTE and TEXT */
	size_t name_bytes;   /* 4 KiB: decoded, JSON and XML paths included */
	size_t value_bytes;  /* 1 MiB: decoded */
	size_t total_bytes;  /* 8 MiB: all names and values */
	size_t depth;        /* BODY_DEPTH: JSON and XML nesting */
	size_t parts;        /* 256: multipart */
	size_t header_lines; /* 16: of one part, folded lines counted */
	size_t header_bytes; /* 8 KiB: of one part */
	size_t nodes;        /* 20,000: XML elements, attributes and texts */
	size_t look_bytes;   /* 4 KiB: of each file, given for inspection */
};

enum value_kind {
	VALUE_ARG,         /* a form pair, a multipart field, a JSON leaf */
	VALUE_PART_HEADER, /* name: the part's; value: one line, unfolded */
	VALUE_FILE_NAME,   /* name: the field's; value: the file's, as sent */
	VALUE_FILE_LOOK,   /* name: the field's; value: the first look_bytes */
	VALUE_XML_TEXT,    /* name: xml.a.b */
	VALUE_XML_ATTRIBUTE, /* name: xml.a.b.@c */
	VALUE_XML_ALL,     /* all text joined: the string value of the root */
};

struct body_value {
	enum value_kind kind;
	struct bytes name, value;
	uint64_t at; /* offset in the body where the value began */
};

struct body_file {
	struct bytes name, filename;
	struct bytes type; /* the part's Content-Type, or empty */
	uint64_t at, size;
	bool again;        /* another reading of the same bytes: not to be summed */
};

/* Both return false to stop the parser. A multipart part with two names (or
 * two file names) is reported once for each. */
struct body_sink {
	bool (*value)(void *owner, const struct body_value *);
	bool (*file)(void *owner, const struct body_file *); /* at its end */
};

/* How array elements are named. */
enum json_arrays {
	JSON_ARRAYS_INDEX, /* json.a.0, as CrowdSec's rules want it */
	JSON_ARRAYS_WORD,  /* json.a.array_0, as ModSecurity v3 has it */
};

struct body_setup {
	struct body_limits limits;
	const struct body_sink *sink;
	void *owner;
	const struct content_type *type; /* multipart: its boundary */
	enum json_arrays arrays;
};

struct body;
struct body_parser;
extern const struct body_parser body_urlencoded, body_multipart, body_json, body_xml;

/* The parser that a media type asks for; NULL: opaque. */
const struct body_parser *body_parser_of(const struct content_type *);
/* The parser that the first bytes suggest; NULL: none of them. */
const struct body_parser *body_parser_by_looks(struct bytes head);
const char *body_parser_name(const struct body_parser *); /* "json" */

struct body *body_new(struct arena *, const struct body_parser *, const struct body_setup *);
enum body_fault body_push(struct body *, struct bytes piece);
enum body_fault body_end(struct body *);
enum body_fault body_fault(const struct body *);
/* "json: byte 17: a control byte in a string"; from the arena, empty without a fault. */
struct bytes body_complaint(struct body *);
const char *body_fault_word(enum body_fault); /* "arguments" */
/* Bits of enum multipart_anomaly (multipart.h); 0 for other formats. */
unsigned body_anomalies(const struct body *);
/* Multipart: bytes before this offset are parsed and reported, so a caller that
 * streams need hold only what follows: the field being read, from its delimiter
 * on. Of other formats nothing is settled before the end. */
uint64_t body_settled(const struct body *);
/* A multipart field (not a file) is being read. */
bool body_in_field(const struct body *);
#endif
