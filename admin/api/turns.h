/* turns.h -- inside admin/: slow calls that are under way. A search may take the store's thread 70 ms (archive.h), and they
 * wait for each other: so many at a time are taken, and of one asker so many that others have their turn. */
#ifndef ADMIN_API_TURNS_H
#define ADMIN_API_TURNS_H
#include "admin/api/door.h"

enum { TURNS_MAX = 64, TURNS_EACH = 16 };

struct turns;
struct turn;

struct turns *turns_new(void);    /* NULL: out of memory */
void turns_free(struct turns *);  /* NULL is allowed */
/* NULL: not now. One user, token or socket is one asker, whatever the number of its sessions. */
struct turn *turn_take(struct turns *, const struct caller *);
void turn_give(struct turn *); /* NULL is allowed */
#endif
