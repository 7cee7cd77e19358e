/* reading.h -- a body taken apart into the values of an inspection.
 *
 * Which parser reads it: the one that its Content-Type asks for, and beside it
 * the one that its first bytes suggest, when that is another: a false type must
 * not hide anything. Only what the client itself called binary (an image, an
 * archive) may look like text by chance, so there the second reading's faults
 * do not count. */
#ifndef RULES_READING_H
#define RULES_READING_H
#include "rules/inspect.h"

struct reading;

enum reading_outcome {
	READING_FINE,
	READING_MALFORMED, /* not what its format allows */
	READING_TOO_LONG,  /* a value or all of them together */
	READING_REFUSED,   /* another bound, or a form that no honest client sends */
};

/* NULL: past the arena's cap. head: what has come, for the looks. packed: under a
 * coding that nobody here can read, so only what looks like text is taken for it. */
struct reading *reading_new(struct inspection *, struct bytes head, bool packed);
/* The Content-Type alone says that it has a structure, and not multipart's. */
bool reading_is_declared(struct inspection *);
/* Has a structure that padding could hide something in: it must fit the window. */
bool reading_is_structured(const struct reading *);
/* Multipart and nothing else: may be read on while it streams. */
bool reading_can_stream(const struct reading *);
void reading_push(struct reading *, struct bytes);
void reading_end(struct reading *);
/* Bytes that are parsed and reported; the field being read is not. */
uint64_t reading_settled(const struct reading *);
/* From here on the beginning of each file is inspected as RAW_BODY. */
void reading_streams(struct reading *);
enum reading_outcome reading_outcome(struct reading *, struct bytes *why);
enum body_kind reading_kind(const struct reading *);
/* "JSON", as SecLang's REQBODY_PROCESSOR: what a rule chose, else what the Content-Type says; empty: none. */
struct bytes reading_processor(struct inspection *);
bool reading_is_text(const struct reading *); /* urlencoded or JSON, for which SecLang has REQUEST_BODY */
/* Of NULL: 0. */
uint64_t reading_file_bytes(const struct reading *);
unsigned reading_anomalies(const struct reading *); /* bits of enum multipart_anomaly */
/* An exception took an argument out of it. */
bool reading_was_cut(const struct reading *);
#endif
