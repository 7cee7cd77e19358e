/* secret.c -- finding or making the secret. */
#include "proxy/secret.h"
#include "base/tls.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { SECRET_MIN = 16, SECRET_MAX = 4096 };

static bool take(struct bytes text, const char *where, uint8_t out[32], struct err *err)
{
	while (text.len && (unsigned char)text.at[text.len - 1] <= ' ')
		text.len--;
	if (text.len < SECRET_MIN)
		return err_set(err, SIDE_CONFIG, 0, "%s: a secret needs at least %d bytes", where, SECRET_MIN);
	return tls_derive_key(text, "installation", out) || err_set(err, SIDE_SELF, 0, "no key can be derived");
}

static bool from_file(const char *file, uint8_t out[32], struct err *err)
{
	char buf[SECRET_MAX];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf);
	int saved = errno;

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return err_set(err, SIDE_CONFIG, saved, "%s: %s", file, strerror(saved));
	return take((struct bytes){ buf, (size_t)n }, file, out, err);
}

static bool make(const char *file, struct err *err)
{
	uint8_t random[32];
	char hex[65];
	struct text t = text_over(hex, sizeof hex);
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && tls_random(random, sizeof random);

	for (size_t i = 0; i < sizeof random; i++)
		text_printf(&t, "%02x", random[i]);
	ok = ok && write(fd, hex, t.len) == (ssize_t)t.len;
	if (fd >= 0)
		close(fd);
	return ok || err_set(err, SIDE_CONFIG, errno, "%s: cannot write the secret: %s", file, strerror(errno));
}

bool secret_load(const struct config *c, uint8_t out[32], struct err *err)
{
	const char *s = c->secret, *dir = getenv("CREDENTIALS_DIRECTORY"), *value;
	char file[4096];

	if (s && strncmp(s, "env:", 4) == 0) {
		value = getenv(s + 4);
		return value ? take(bytes_of(value), s, out, err)
			     : err_set(err, SIDE_CONFIG, 0, "secret: the environment has no %s", s + 4);
	}
	if (s && strncmp(s, "cred:", 5) == 0) {
		snprintf(file, sizeof file, "%s/%s", dir ? dir : "/run/credentials", s + 5);
		return from_file(file, out, err);
	}
	if (s && strncmp(s, "file:", 5) == 0)
		return from_file(s + 5, out, err);
	snprintf(file, sizeof file, "%s/secret.key", c->state);
	if (access(file, F_OK) != 0 && !make(file, err))
		return false;
	return from_file(file, out, err);
}
