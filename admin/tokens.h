/* tokens.h -- inside admin/: programs that may use the API: "Authorization: Bearer emb_...". In the store, and in memory.
 *
 * A token has 256 random bits, is shown once and kept as its SHA-256; it has a role and perhaps an end. Its name is what the
 * audit log says. Control thread only. */
#ifndef ADMIN_TOKENS_H
#define ADMIN_TOKENS_H
#include "admin/api/door.h"
#include "base/store.h"

enum { TOKENS_MAX = 256, TOKEN_NAME_MAX = 64, TOKEN_TEXT = 69 };

struct tokens;
struct tokens *tokens_open(struct store *, struct err *); /* reads them all before it returns */
void tokens_close(struct tokens *);                       /* NULL is allowed */

struct token_info {
	uint64_t id;
	char name[TOKEN_NAME_MAX];
	enum role role;
	uint64_t made_ms, seen_ms, until_ms; /* 0: never used; without end */
};
/* A name is 1 to 63 letters, digits and . _ @ -. */
bool tokens_add(struct tokens *, struct bytes name, enum role, uint64_t until_ms, char text[TOKEN_TEXT], struct token_info *,
		struct err *);
/* False: there is none. *name: whose it was. */
bool tokens_delete(struct tokens *, uint64_t id, char name[TOKEN_NAME_MAX]);
size_t tokens_list(const struct tokens *, struct token_info *, size_t max); /* newest first; returns how many there are */
/* While it lasts; NULL: there is none. Notes that it was used, once a minute at most. */
const struct token_info *tokens_find(struct tokens *, struct bytes text);
const struct token_info *tokens_by_id(const struct tokens *, uint64_t id); /* likewise */
#endif
