/* secret.c -- finding or making the secret. */
#include "proxy/secret.h"
#include "base/tls.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { SECRET_MIN = 16, SECRET_MAX = 4096 };

static struct bytes without_end(struct bytes text)
{
	while (text.len && (unsigned char)text.at[text.len - 1] <= ' ')
		text.len--;
	return text;
}

static bool take(struct bytes text, const char *where, uint8_t out[32], struct err *err)
{
	text = without_end(text);
	if (text.len < SECRET_MIN)
		return err_set(err, SIDE_CONFIG, 0, "%s: a secret needs at least %d bytes", where, SECRET_MIN);
	return tls_derive_key(text, "installation", out) || err_set(err, SIDE_SELF, 0, "no key can be derived");
}

static bool read_file(const char *file, char buf[SECRET_MAX], struct bytes *out, struct err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, SECRET_MAX);
	int saved = errno;

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return err_set(err, SIDE_CONFIG, saved, "%s: %s", file, strerror(saved));
	*out = (struct bytes){ buf, (size_t)n };
	return true;
}

/* Whatever stands behind "file:", "env:" or "cred:". */
static bool read_from(const char *from, char buf[SECRET_MAX], struct bytes *out, struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY"), *value;
	char file[4096];

	if (strncmp(from, "env:", 4) == 0) {
		value = getenv(from + 4);
		*out = bytes_of(value);
		return value || err_set(err, SIDE_CONFIG, 0, "secret: the environment has no %s", from + 4);
	}
	if (strncmp(from, "cred:", 5) == 0) {
		snprintf(file, sizeof file, "%s/%s", dir ? dir : "/run/credentials", from + 5);
		return read_file(file, buf, out, err);
	}
	return read_file(strncmp(from, "file:", 5) == 0 ? from + 5 : from, buf, out, err);
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
	char buf[SECRET_MAX], file[4096];
	const char *from = c->secret;
	struct bytes text;

	if (!from) {
		snprintf(file, sizeof file, "%s/secret.key", c->state);
		if (access(file, F_OK) != 0 && !make(file, err))
			return false;
		from = file;
	}
	return read_from(from, buf, &text, err) && take(text, from, out, err);
}

bool secret_read(const char *from, struct arena *a, struct bytes *out, struct err *err)
{
	char buf[SECRET_MAX];
	struct bytes text;

	if (!read_from(from, buf, &text, err))
		return false;
	text = without_end(text);
	if (text.len == 0)
		return err_set(err, SIDE_CONFIG, 0, "%s: the secret is empty", from);
	*out = arena_copy(a, text);
	return out->at || err_set(err, SIDE_SELF, 0, "out of memory");
}
