/* door.c -- who asks. */
#include "admin/api/door.h"

static const char *const words[] = { "none", "viewer", "operator", "administrator" };
_Static_assert(nelems(words) == ROLE_COUNT, "a word for each");

const char *role_word(enum role r)
{
	return words[r];
}

bool role_from_word(struct bytes b, enum role *role)
{
	for (size_t i = ROLE_VIEWER; i < nelems(words); i++)
		if (bytes_eq(b, bytes_of(words[i]))) {
			*role = (enum role)i;
			return true;
		}
	return false;
}

const char *caller_way_word(enum caller_way w)
{
	static const char *const ways[] = {
		[CALLER_NOBODY] = "none", [CALLER_SOCKET] = "socket", [CALLER_SESSION] = "session", [CALLER_TOKEN] = "token",
	};

	return ways[w];
}

const struct caller caller_ctl = { ROLE_ADMINISTRATOR, CALLER_SOCKET, "ctl", "" };

void door_caller(struct admin *a, struct serve_request *r, bool by_socket, struct caller *c)
{
	(void)a;
	(void)r;
	*c = (struct caller){ .role = ROLE_NONE };
	if (by_socket)
		*c = (struct caller){ ROLE_ADMINISTRATOR, CALLER_SOCKET, "socket", "" };
}

bool door_is_meant(const struct serve_request *r, const struct caller *c, const char **why)
{
	(void)r;
	*why = NULL;
	return c->way != CALLER_SESSION;
}
