/* streams_place.c -- read and written; what comes back is a header of anyone's. */
#include "admin/streams_place.h"

int64_t *streams_place_of(struct streams_place *p, unsigned gate)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->others[i].gate == gate)
			return &p->others[i].at;
	return NULL;
}

bool streams_place_add(struct streams_place *p, unsigned gate, int64_t at)
{
	if (p->n == STREAMS_GATES)
		return false;
	p->others[p->n].gate = gate;
	p->others[p->n++].at = at;
	return true;
}

static bool read_number(struct bytes b, int64_t *out)
{
	uint64_t n;

	if (!bytes_u64(b, &n) || n > INT64_MAX)
		return false;
	*out = (int64_t)n;
	return true;
}

static bool read_other(struct bytes part, struct streams_place *out)
{
	struct bytes gate;
	int64_t number, at;

	bytes_cut(&part, ':', &gate);
	return read_number(gate, &number) && number <= STREAMS_GATE_MAX && read_number(part, &at) &&
	       !streams_place_of(out, (unsigned)number) && streams_place_add(out, (unsigned)number, at);
}

static bool none(struct streams_place *out)
{
	*out = (struct streams_place){ .own = -1 };
	return false;
}

static bool read_others(struct bytes rest, struct streams_place *out)
{
	struct bytes part;

	while (bytes_cut(&rest, ',', &part))
		if (!read_other(part, out))
			return none(out);
	return true;
}

bool streams_place_read_others(struct bytes b, struct streams_place *out)
{
	*out = (struct streams_place){ .own = -1 };
	return read_others(b, out);
}

bool streams_place_read(struct bytes b, struct streams_place *out)
{
	struct bytes rest = b, own;

	*out = (struct streams_place){ .own = -1 };
	if (!bytes_cut(&rest, ',', &own) || (!bytes_eq(own, BYTES("-")) && !read_number(own, &out->own)))
		return none(out);
	return read_others(rest, out);
}

void streams_place_text_others(struct text *t, const struct streams_place *p)
{
	for (size_t i = 0; i < p->n; i++)
		text_printf(t, "%s%u:%lld", i ? "," : "", p->others[i].gate, (long long)p->others[i].at);
}

void streams_place_text(struct text *t, const struct streams_place *p)
{
	if (p->own < 0)
		text_byte(t, '-');
	else
		text_printf(t, "%lld", (long long)p->own);
	if (p->n)
		text_byte(t, ',');
	streams_place_text_others(t, p);
}
