/* schema_numbers.c -- values that end in a number: switches, sizes, durations,
 * rates and dates. */
#include "base/schema_type.h"

struct unit {
	const char *word;
	uint64_t of; /* bytes or milliseconds */
};

/* The digits in front of *rest, cut off; false on none and on overflow. */
static bool cut_number(struct bytes *rest, uint64_t *n)
{
	size_t i = 0;

	while (i < rest->len && rest->at[i] >= '0' && rest->at[i] <= '9')
		i++;
	if (!bytes_u64(bytes_sub(*rest, 0, i), n))
		return false;
	*rest = bytes_from(*rest, i);
	return true;
}

static bool scaled(uint64_t n, uint64_t of, uint64_t *out)
{
	if (n > UINT64_MAX / of)
		return false;
	*out = n * of;
	return true;
}

/* ---- switches and whole numbers ---- */

static bool bool_number(struct bytes b, uint64_t *out)
{
	bool on = bytes_eq(b, BYTES("on")) || bytes_eq(b, BYTES("true"));

	*out = on;
	return on || bytes_eq(b, BYTES("off")) || bytes_eq(b, BYTES("false"));
}

static void bool_show(char *out, size_t cap, uint64_t n)
{
	snprintf(out, cap, "%s", n ? "on" : "off");
}

const struct schema_type schema_bool = {
	.name = "on or off",
	.want = "on or off",
	.json = "\"enum\": [true, false, \"on\", \"off\"]",
	.number = bool_number,
	.show = bool_show,
};

static void int_show(char *out, size_t cap, uint64_t n)
{
	snprintf(out, cap, "%llu", (unsigned long long)n);
}

const struct schema_type schema_int = {
	.name = "number",
	.want = "a whole number",
	.json = "\"type\": \"integer\"",
	.number = bytes_u64,
	.show = int_show,
};

/* ---- sizes: 1KB is 1000 bytes, 1KiB 1024 (IEC 80000-13) ---- */

static const struct unit sizes[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "TiB", (uint64_t)1 << 40 },
	{ "TB", 1000000000000 },
	{ "GiB", 1 << 30 },
	{ "GB", 1000000000 },
	{ "MiB", 1 << 20 },
	{ "MB", 1000000 },
	{ "KiB", 1 << 10 },
	{ "KB", 1000 },
};

static bool size_number(struct bytes b, uint64_t *out)
{
	uint64_t n;

	if (!cut_number(&b, &n))
		return false;
	for (size_t i = 0; i < nelems(sizes); i++)
		if (bytes_eq_nocase(b, bytes_of(sizes[i].word)))
			return scaled(n, sizes[i].of, out);
	return false;
}

/* In the largest unit that divides it. */
static void size_show(char *out, size_t cap, uint64_t n)
{
	size_t i = 2;

	while (i < nelems(sizes) && (n == 0 || n % sizes[i].of))
		i++;
	if (i == nelems(sizes))
		snprintf(out, cap, "%lluB", (unsigned long long)n);
	else
		snprintf(out, cap, "%llu%s", (unsigned long long)(n / sizes[i].of), sizes[i].word);
}

const struct schema_type schema_size = {
	.name = "size",
	.want = "a size; write for example 4096, 256KiB or 2GB",
	.json = "\"type\": [\"integer\", \"string\"], \"pattern\": \"^[0-9]+([KkMmGgTt]?[Ii]?[Bb])?$\"",
	.number = size_number,
	.show = size_show,
};

/* ---- durations and rates ---- */

static const struct unit durations[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};

/* One "30s" off the front. "ms" is tried before "m". */
static bool cut_duration(struct bytes *b, uint64_t *ms)
{
	uint64_t n;

	if (!cut_number(b, &n))
		return false;
	for (size_t i = nelems(durations); i-- > 0;)
		if (bytes_starts(*b, bytes_of(durations[i].word))) {
			*b = bytes_from(*b, strlen(durations[i].word));
			return scaled(n, durations[i].of, ms);
		}
	return false;
}

static bool duration_number(struct bytes b, uint64_t *out)
{
	uint64_t ms;

	*out = 0;
	if (bytes_eq(b, BYTES("0")))
		return true;
	do {
		if (!cut_duration(&b, &ms) || ms > UINT64_MAX - *out)
			return false;
		*out += ms;
	} while (b.len);
	return true;
}

static void duration_show(char *out, size_t cap, uint64_t ms)
{
	size_t i = 0;

	while (i < nelems(durations) - 1 && (ms == 0 || ms % durations[i].of))
		i++;
	snprintf(out, cap, "%llu%s", (unsigned long long)(ms / durations[i].of), durations[i].word);
}

const struct schema_type schema_duration = {
	.name = "duration",
	.want = "a duration; write for example 250ms, 30s, 5m or 1h30m",
	.json = "\"type\": [\"integer\", \"string\"], \"pattern\": \"^(0|([0-9]+(ms|s|m|h|d))+)$\"",
	.number = duration_number,
	.show = duration_show,
};

static const struct unit periods[] = {
	{ "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 },
};

static bool rate_parse(struct bytes b, uint64_t *count, uint64_t *ms)
{
	if (!cut_number(&b, count) || *count < 1 || *count > UINT32_MAX || !b.len || b.at[0] != '/')
		return false;
	for (size_t i = 0; i < nelems(periods); i++)
		if (bytes_eq(bytes_from(b, 1), bytes_of(periods[i].word))) {
			*ms = periods[i].of;
			return true;
		}
	return false;
}

static bool rate_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      void *out, void *also)
{
	uint64_t count, ms;

	if (n->kind != YAML_SCALAR || !rate_parse(n->text, &count, &ms))
		return schema_not(s, row->type, n);
	*(uint32_t *)out = (uint32_t)count;
	*(uint32_t *)also = (uint32_t)ms;
	return true;
}

const struct schema_type schema_rate = {
	.name = "rate",
	.want = "a rate; write for example 5/min, 100/s or 1000/h",
	.json = "\"type\": \"string\", \"pattern\": \"^[1-9][0-9]*/(s|min|h|d)$\"",
	.read = rate_read,
};

/* ---- dates ---- */

/* Like "0000-00-00T00:00:00Z": a digit for each 0, the rest as it stands. */
static bool has_shape(struct bytes b, const char *shape)
{
	if (b.len != strlen(shape))
		return false;
	for (size_t i = 0; i < b.len; i++)
		if (shape[i] == '0' ? b.at[i] < '0' || b.at[i] > '9' : b.at[i] != shape[i])
			return false;
	return true;
}

static int number_at(struct bytes b, size_t at, size_t len)
{
	uint64_t n = 0;

	bytes_u64(bytes_sub(b, at, at + len), &n);
	return (int)n;
}

/* Whole days last until their end; timegm() moves a 31st of June, we refuse it. */
static bool date_number(struct bytes b, uint64_t *out)
{
	bool day = has_shape(b, "0000-00-00");
	struct tm tm = { 0 }, back;
	time_t at;

	if (!day && !has_shape(b, "0000-00-00T00:00:00Z"))
		return false;
	tm.tm_year = number_at(b, 0, 4) - 1900;
	tm.tm_mon = number_at(b, 5, 2) - 1;
	tm.tm_mday = number_at(b, 8, 2);
	if (!day) {
		tm.tm_hour = number_at(b, 11, 2);
		tm.tm_min = number_at(b, 14, 2);
		tm.tm_sec = number_at(b, 17, 2);
	}
	back = tm;
	at = timegm(&back);
	*out = (uint64_t)at + (day ? 86400 : 0);
	return at >= 0 && back.tm_mon == tm.tm_mon && back.tm_mday == tm.tm_mday &&
	       back.tm_hour == tm.tm_hour && back.tm_min == tm.tm_min && back.tm_sec == tm.tm_sec;
}

const struct schema_type schema_date = {
	.name = "date",
	.want = "a date; write for example 2027-01-31 or 2027-01-31T18:00:00Z",
	.json = "\"type\": \"string\", \"pattern\": \"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{8}Z)?$\"",
	.number = date_number,
	.show = int_show,
};
