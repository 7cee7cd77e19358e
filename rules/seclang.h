/* seclang.h -- ModSecurity's rule language as text: a file -> directives.
 *
 *   seclang_read       a file and what it includes; each directive goes to a sink, its arguments split and unquoted
 *   seclang_text       the same of text that is no file; it includes nothing
 *   seclang_variables  "ARGS|!ARGS:x|&TX:/^n/"     the first argument of SecRule
 *   seclang_operator   "!@rx ^a"                   the second
 *   seclang_actions    "id:1,phase:2,t:none,setvar:'tx.a=+1'"
 *
 * Nothing here knows which names exist: seclang_load.c does. A backslash at the end of a line joins it with the next;
 * a comment ends with its line. Arguments stand bare, in '...' or in "..."; a backslash before the same quote takes it
 * into the argument, and every other backslash stays, two in a row as two (Apache folds them into one, ModSecurity v3
 * and Coraza do not). Quoted selectors and values of actions, '...', are read alike. Slices live in the arena given. */
#ifndef RULES_SECLANG_H
#define RULES_SECLANG_H
#include "base/arena.h"
#include "base/err.h"

enum {
	SECLANG_FILE_MAX = 16 << 20,  /* bytes */
	SECLANG_LINE_MAX = 256 << 10, /* bytes of a directive, continued lines joined */
	SECLANG_FILES_MAX = 2000,     /* files read in all */
	SECLANG_INCLUDES = 32,        /* files deep */
	SECLANG_ARGS_MAX = 1024,      /* arguments of a directive; variables or actions of a rule */
};

struct seclang_place {
	const char *file;
	unsigned line; /* on which the directive begins */
};

struct seclang_directive {
	struct seclang_place place;
	struct bytes name;  /* "SecRule", as written: letters, digits, '_' */
	struct bytes *args;
	size_t nargs;
};

/* A false return of `take` ends the reading; it has set err. */
struct seclang_sink {
	bool (*take)(void *ctx, const struct seclang_directive *, struct err *);
	void *ctx;
};

struct seclang_variable {
	struct bytes name;     /* "REQUEST_HEADERS", as written */
	struct bytes selector; /* "User-Agent"; at == NULL: the whole collection; never empty */
	bool regex;            /* the selector stood between slashes, which are off; never of XML, whose selectors are paths */
	bool count;            /* &X */
	bool except;           /* !X */
};

struct seclang_action {
	struct bytes name;  /* "setvar", as written */
	struct bytes value; /* unquoted, may be empty; at == NULL: there was no colon */
};

struct seclang_operator {
	struct bytes name;     /* without '@'; "rx" where none was named */
	struct bytes argument; /* may be empty; a slice of the text given */
	bool negate;
};

/* Includes are read where they stand: Include must find a file, IncludeOptional need not; names are globs, sorted by
 * bytes, relative to the file that includes. Of Apache's sections <IfModule x> is opened, every other refused. Errors
 * are SIDE_CONFIG, "file:line: what", or "file: what" of one that cannot be read; SIDE_SELF when the arena is full. */
bool seclang_read(struct arena *, const char *path, const struct seclang_sink *, struct err *);
/* `place` is where the text begins. */
bool seclang_text(struct arena *, struct seclang_place, struct bytes text, const struct seclang_sink *, struct err *);
/* Errors of these are without file and line: err_at() adds them. There is at least one variable; of actions there may
 * be none, for a link of a chain may have "" (ModSecurity's own tests do). */
bool seclang_variables(struct arena *, struct bytes text, struct seclang_variable **, size_t *n, struct err *);
/* One blank ends the operator's name; blanks behind that and at the end belong to the argument, as in ModSecurity v3.
 * What wants words or a number skips them itself. */
bool seclang_operator(struct bytes text, struct seclang_operator *, struct err *);
bool seclang_actions(struct arena *, struct bytes text, struct seclang_action **, size_t *n, struct err *);
#endif
