/* geo.c -- MaxMind DB files, asked by libmaxminddb.
 *
 * The library maps a file, and a map of a file that someone cuts short meanwhile kills the process (SIGBUS). So it is given a
 * copy in memory of our own, which nobody else can reach. */
#include "cti/geo.h"
#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 30, PATH_ROOM = 64 };

struct geo {
	size_t n;
	MMDB_s at[];
};

/* ---- opening ---- */

static bool copy_all(int from, int to, struct err *err)
{
	char room[64 << 10];
	uint64_t bytes = 0;
	ssize_t n;

	while ((n = read(from, room, sizeof room)) > 0) {
		bytes += (uint64_t)n;
		if (bytes > FILE_MAX)
			return err_set(err, SIDE_CONFIG, 0, "longer than 1 GiB");
		if (write(to, room, (size_t)n) != n)
			return err_set(err, SIDE_SELF, errno, "no memory for it");
	}
	return n == 0 || err_set(err, SIDE_CONFIG, errno, "%s", strerror(errno));
}

static bool open_copy(int fd, MMDB_s *out, struct err *err)
{
	char path[PATH_ROOM];
	int rc;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	rc = MMDB_open(path, MMDB_MODE_MMAP, out);
	if (rc == MMDB_IO_ERROR)
		return err_set(err, SIDE_SELF, errno, "%s", strerror(errno));
	return rc == MMDB_SUCCESS || err_set(err, SIDE_CONFIG, rc, "it is no MaxMind DB: %s", MMDB_strerror(rc));
}

static bool open_one(const char *file, MMDB_s *out, struct err *err)
{
	int from = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), to = -1;
	struct stat st;
	bool ok;

	if (from < 0 || fstat(from, &st) != 0)
		ok = err_set(err, SIDE_CONFIG, errno, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		ok = err_set(err, SIDE_CONFIG, 0, "it is no file");
	else if ((to = memfd_create("geo", MFD_CLOEXEC)) < 0)
		ok = err_set(err, SIDE_SELF, errno, "%s", strerror(errno));
	else
		ok = copy_all(from, to, err) && open_copy(to, out, err);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return ok || err_at(err, "%s", file);
}

struct geo *geo_open(const char *const *files, size_t n, struct err *err)
{
	struct geo *g = calloc(1, sizeof *g + n * sizeof g->at[0]);

	if (!g) {
		err_set(err, SIDE_SELF, ENOMEM, "out of memory");
		return NULL;
	}
	for (; g->n < n; g->n++)
		if (!open_one(files[g->n], &g->at[g->n], err)) {
			geo_close(g);
			return NULL;
		}
	return g;
}

void geo_close(struct geo *g)
{
	for (size_t i = 0; g && i < g->n; i++)
		MMDB_close(&g->at[i]);
	free(g);
}

/* ---- asking ---- */

/* Where vendors put it; the first that is there counts. */
static const char *const countries[][3] = {
	{ "country", "iso_code" }, { "registered_country", "iso_code" }, { "country_code" }, { "country" },
};
static const char *const numbers[][3] = { { "autonomous_system_number" }, { "asn" }, { "traits", "autonomous_system_number" } };
static const char *const names[][3] = {
	{ "autonomous_system_organization" }, { "as_name" }, { "traits", "autonomous_system_organization" },
};

static bool value_at(MMDB_entry_s *entry, const char *const path[3], MMDB_entry_data_s *out)
{
	return MMDB_aget_value(entry, out, (const char *const[]){ path[0], path[1], path[2], NULL }) == MMDB_SUCCESS && out->has_data;
}

static bool text_at(MMDB_entry_s *entry, const char *const path[3], struct bytes *out)
{
	MMDB_entry_data_s d;

	if (!value_at(entry, path, &d) || d.type != MMDB_DATA_TYPE_UTF8_STRING)
		return false;
	*out = (struct bytes){ d.utf8_string, d.data_size };
	return true;
}

static void take_country(MMDB_entry_s *entry, struct geo_found *out)
{
	struct bytes b;

	for (size_t i = 0; !out->country[0] && i < nelems(countries); i++)
		if (text_at(entry, countries[i], &b) && b.len == 2)
			memcpy(out->country, b.at, 2);
}

static void take_number(MMDB_entry_s *entry, struct geo_found *out)
{
	MMDB_entry_data_s d;
	struct bytes b;
	uint64_t n;

	for (size_t i = 0; !out->as && i < nelems(numbers); i++) {
		if (text_at(entry, numbers[i], &b)) {
			if (bytes_u64(bytes_from(b, bytes_starts_nocase(b, BYTES("AS")) ? 2 : 0), &n) && n <= UINT32_MAX)
				out->as = (uint32_t)n;
		} else if (value_at(entry, numbers[i], &d) && d.type == MMDB_DATA_TYPE_UINT32) {
			out->as = d.uint32;
		}
	}
}

/* Cut at a letter's end, so that it stays UTF-8. */
static void take_name(MMDB_entry_s *entry, struct geo_found *out)
{
	struct bytes b;

	for (size_t i = 0; !out->as_name[0] && i < nelems(names); i++)
		if (text_at(entry, names[i], &b)) {
			size_t n = b.len < sizeof out->as_name ? b.len : sizeof out->as_name - 1;

			while (n && n < b.len && (b.at[n] & 0xc0) == 0x80)
				n--;
			memcpy(out->as_name, b.at, n);
		}
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void address_of(const struct ip *ip, union address *out)
{
	memset(out, 0, sizeof *out);
	if (ip_is4(ip)) {
		out->v4.sin_family = AF_INET;
		memcpy(&out->v4.sin_addr, ip->b + 12, 4);
	} else {
		out->v6.sin6_family = AF_INET6;
		memcpy(&out->v6.sin6_addr, ip->b, 16);
	}
}

bool geo_find(const struct geo *g, const struct ip *ip, struct geo_found *out)
{
	union address to;
	int rc;

	memset(out, 0, sizeof *out);
	address_of(ip, &to);
	for (size_t i = 0; g && i < g->n; i++) {
		MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&g->at[i], &to.any, &rc);

		if (rc != MMDB_SUCCESS || !found.found_entry)
			continue;
		take_country(&found.entry, out);
		take_number(&found.entry, out);
		take_name(&found.entry, out);
	}
	return out->country[0] || out->as || out->as_name[0];
}
