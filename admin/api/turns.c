/* turns.c -- so few that a list is looked through. */
#include "admin/api/turns.h"
#include <stdlib.h>

struct turn {
	bool taken;
	enum caller_way way;
	char name[sizeof ((struct caller *)0)->name];
};

struct turns {
	struct turn at[TURNS_MAX];
};

struct turns *turns_new(void)
{
	return calloc(1, sizeof(struct turns));
}

void turns_free(struct turns *t)
{
	free(t);
}

struct turn *turn_take(struct turns *t, const struct caller *who)
{
	struct turn *mine = NULL;
	unsigned have = 0;

	for (size_t i = 0; i < TURNS_MAX; i++)
		if (!t->at[i].taken)
			mine = &t->at[i];
		else
			have += t->at[i].way == who->way && strcmp(t->at[i].name, who->name) == 0;
	if (!mine || have >= TURNS_EACH)
		return NULL;
	*mine = (struct turn){ .taken = true, .way = who->way };
	memcpy(mine->name, who->name, sizeof mine->name);
	return mine;
}

void turn_give(struct turn *t)
{
	if (t)
		t->taken = false;
}
