/* duration.c -- lengths of time as Go writes them. */
#include "base/duration.h"

static const struct unit {
	const char *name;
	double us;
} units[] = {
	{ "ns", 1e-3 }, { "us", 1 }, { "\xc2\xb5s", 1 }, { "\xce\xbcs", 1 }, { "ms", 1e3 },
	{ "s", 1e6 }, { "m", 60e6 }, { "h", 3600e6 }, { "d", 86400e6 },
};

static const double longest_us = 86400e6 * 365 * 10000;

/* The longest unit that the rest starts with. */
static const struct unit *unit_of(struct bytes rest)
{
	const struct unit *best = NULL;

	for (size_t i = 0; i < nelems(units); i++)
		if (bytes_starts(rest, bytes_of(units[i].name)) && (!best || strlen(units[i].name) > strlen(best->name)))
			best = &units[i];
	return best;
}

static bool number(struct bytes *rest, double *out)
{
	double value = 0, place = 1;
	bool dot = false, any = false;
	size_t i = 0;

	for (; i < rest->len; i++) {
		char c = rest->at[i];

		if (c == '.' && !dot) {
			dot = true;
			continue;
		}
		if (c < '0' || c > '9')
			break;
		any = true;
		value = dot ? value + (c - '0') * (place /= 10) : value * 10 + (c - '0');
	}
	*rest = bytes_from(*rest, i);
	*out = value;
	return any;
}

bool duration_parse(struct bytes b, uint64_t *us)
{
	double sum = 0, n;

	if (bytes_eq(b, BYTES("0"))) {
		*us = 0;
		return true;
	}
	do {
		const struct unit *u;

		if (!number(&b, &n) || !(u = unit_of(b)))
			return false;
		b = bytes_from(b, strlen(u->name));
		sum += n * u->us;
	} while (b.len);
	if (!(sum < longest_us))
		return false;
	*us = (uint64_t)(sum + 1e-6);
	return true;
}

static void fraction(struct text *t, uint64_t n, uint64_t whole)
{
	text_u64(t, n / whole);
	if (n % whole == 0)
		return;
	text_byte(t, '.');
	for (n %= whole; n; n %= whole) {
		whole /= 10;
		text_byte(t, (char)('0' + n / whole));
	}
}

void duration_text(struct text *t, uint64_t us)
{
	if (us < 1000) {
		text_u64(t, us);
		text_str(t, us ? "\xc2\xb5s" : "s");
		return;
	}
	if (us < 1000000) {
		fraction(t, us, 1000);
		text_str(t, "ms");
		return;
	}
	if (us >= 3600000000u) {
		text_u64(t, us / 3600000000u);
		text_byte(t, 'h');
	}
	if (us >= 60000000) {
		text_u64(t, us / 60000000 % 60);
		text_byte(t, 'm');
	}
	fraction(t, us % 60000000, 1000000);
	text_byte(t, 's');
}
