/* handover.c -- the talk between the serving child and its supervisor. */
#include "proxy/handover.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void address_words(const struct listen_config *l, char *out, size_t cap)
{
	char ip[64];
	struct text t = text_over(ip, sizeof ip - 1);

	if (l->any)
		text_str(&t, "any");
	else
		ip_text(&t, &l->address);
	ip[t.len] = '\0';
	snprintf(out, cap, "%s %u", ip, l->port);
}

void handover_say(int fd, const char *word)
{
	while (send(fd, word, strlen(word), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

static bool receive(int fd, char *text, size_t cap, int *sockets, unsigned want, struct err *err)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * SOCKETS_MAX)];
	} control;
	struct iovec iov = { text, cap - 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof control };
	struct cmsghdr *c;
	ssize_t n;

	while ((n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		return err_set(err, SIDE_SELF, errno, "the supervisor does not answer");
	text[n] = '\0';
	if (strcmp(text, "ok") != 0)
		return err_set(err, SIDE_CONFIG, 0, "%s", strncmp(text, "error ", 6) == 0 ? text + 6 : text);
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int) * want))
		return err_set(err, SIDE_SELF, 0, "the supervisor sent no sockets");
	memcpy(sockets, CMSG_DATA(c), sizeof(int) * want);
	return true;
}

bool handover_bind(int fd, const struct listen_config *l, unsigned n, int *sockets, struct err *err)
{
	char words[100], ask[HANDOVER_MAX], reply[HANDOVER_MAX];

	address_words(l, words, sizeof words);
	snprintf(ask, sizeof ask, "bind %u %s", n, words);
	handover_say(fd, ask);
	return receive(fd, reply, sizeof reply, sockets, n, err);
}

void handover_drop(int fd, const struct listen_config *l)
{
	char words[100], ask[HANDOVER_MAX];

	address_words(l, words, sizeof words);
	snprintf(ask, sizeof ask, "drop %s", words);
	handover_say(fd, ask);
}

bool handover_parse(struct bytes bind, struct listen_config *l, struct err *err)
{
	size_t colon = bind.len;
	struct bytes host;
	uint64_t port;

	while (colon > 0 && bind.at[colon - 1] != ':')
		colon--;
	host = bytes_sub(bind, 0, colon ? colon - 1 : 0);
	if (host.len >= 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
		host = bytes_sub(host, 1, host.len - 1);
	*l = (struct listen_config){ .bind = bind, .any = host.len == 0 };
	if (colon == 0 || !bytes_u64(bytes_from(bind, colon), &port) || port == 0 || port > 65535 ||
	    (!l->any && !ip_parse(host, &l->address)))
		return err_set(err, SIDE_CONFIG, 0, "'%.*s' is no address to listen on; write for example 127.0.0.1:9180",
			       BYTES_ARG(bind));
	l->port = (uint16_t)port;
	return true;
}

/* ---- the supervisor's side ---- */

static bool answer_with(int fd, const char *text, const int *fds, unsigned n)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * SOCKETS_MAX)];
	} control;
	struct iovec iov = { (char *)(uintptr_t)text, strlen(text) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (n) {
		memset(&control, 0, sizeof control);
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL) >= 0;
}

void handover_give(int fd, const int *sockets, unsigned n)
{
	if (!answer_with(fd, "ok", sockets, n))
		handover_refuse(fd, strerror(errno)); /* it waits for an answer */
}

void handover_refuse(int fd, const char *why)
{
	char text[HANDOVER_MAX];

	snprintf(text, sizeof text, "error %s", why);
	answer_with(fd, text, NULL, 0);
}
