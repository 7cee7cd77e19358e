/* ctl_socket.c -- the socket file: its birth, its mode, its end. */
#include "admin/ctl.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct ctl_socket {
	dev_t dev;
	ino_t ino;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* Bound under a name of its own, given its mode while nobody can connect yet,
 * then moved to where it belongs. */
static bool bind_aside(struct ctl_socket *s, int fd, const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct stat st;

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s.new", path);
	unlink(sa.sun_path);
	if (bind(fd, (struct sockaddr *)&sa, sizeof sa) != 0)
		return false;
	if (chmod(sa.sun_path, 0600) != 0 || lstat(sa.sun_path, &st) != 0 || rename(sa.sun_path, path) != 0) {
		int failed = errno;

		unlink(sa.sun_path);
		errno = failed;
		return false;
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return true;
}

struct ctl_socket *ctl_socket_bind(const char *path, int *fd, struct err *e)
{
	struct ctl_socket *s = calloc(1, sizeof *s);

	*fd = -1;
	if (!s) {
		err_set(e, SIDE_SELF, ENOMEM, "%s: out of memory", path);
	} else if (strlen(path) + sizeof ".new" > sizeof s->path) {
		err_set(e, SIDE_CONFIG, ENAMETOOLONG, "%s: longer than a socket's path may be (%zu bytes)", path,
			sizeof s->path - sizeof ".new");
	} else {
		memcpy(s->path, path, strlen(path));
		*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (*fd >= 0 && bind_aside(s, *fd, path))
			return s;
		err_set(e, SIDE_CONFIG, errno, "%s: %s", path, strerror(errno));
	}
	if (*fd >= 0)
		close(*fd);
	free(s);
	return NULL;
}

void ctl_socket_free(struct ctl_socket *s)
{
	struct stat st;

	if (!s)
		return;
	if (lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->path);
	free(s);
}
