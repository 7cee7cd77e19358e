/* op_ip.c -- an address beside blocks of addresses.
 *
 * Description  ipMatch, ipMatchFromFile
 * Argument     addresses and blocks of both families, "192.0.2.0/24,2001:db8::1"
 * True when    the value is an address in one of them. An IPv4 address is in no
 *              block of IPv6, though ours are all mapped into ::/80; one that is
 *              written in that form, ::ffff:192.0.2.1, counts in both families
 * Example      "@ipMatch 127.0.0.1,::1"
 *
 * Blocks are nested or apart, so without those inside others they are a sorted
 * row, and one look finds the only one that can hold an address. */
#include "rules/op_parts.h"
#include "base/ip.h"
#include <stdlib.h>

struct family {
	struct ip_net *nets;
	size_t n;
};

struct op_nets {
	struct family four, six;
};

static bool is_net4(const struct ip_net *n)
{
	return n->bits >= 96 && ip_is4(&n->base);
}

static int net_order(const void *a, const void *b)
{
	const struct ip_net *x = a, *y = b;
	int by_base = memcmp(x->base.b, y->base.b, sizeof x->base.b);

	return by_base ? by_base : (x->bits > y->bits) - (x->bits < y->bits);
}

static void keep_outermost(struct family *f)
{
	size_t kept = 0;

	if (f->n)
		qsort(f->nets, f->n, sizeof *f->nets, net_order);
	for (size_t i = 0; i < f->n; i++)
		if (!kept || !ip_in_net(&f->nets[i].base, &f->nets[kept - 1]))
			f->nets[kept++] = f->nets[i];
	f->n = kept;
}

/* The last block that begins at or before the address is the only candidate. */
static bool is_in(const struct family *f, const struct ip *ip)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(f->nets[middle].base.b, ip->b, sizeof ip->b) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && ip_in_net(ip, &f->nets[low - 1]);
}

const struct op_nets *op_nets(struct arena *a, const struct bytes *pieces, size_t n, bool strict, struct err *e)
{
	struct op_nets *out = arena_get(a, sizeof *out);
	struct ip_net net;

	if (!out || !(out->four.nets = arena_get(a, (n + 1) * sizeof net)) ||
	    !(out->six.nets = arena_get(a, (n + 1) * sizeof net))) {
		op_no_memory(e);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		struct bytes piece = bytes_trim(pieces[i]);

		if (ip_net_parse(piece, &net)) {
			struct family *f = is_net4(&net) ? &out->four : &out->six;

			f->nets[f->n++] = net;
		} else if (strict) {
			err_set(e, SIDE_CONFIG, 0, "'%.*s' is neither an address nor a block of addresses",
				(int)(piece.len < 64 ? piece.len : 64), piece.len ? piece.at : "");
			return NULL;
		}
	}
	keep_outermost(&out->four);
	keep_outermost(&out->six);
	return out;
}

enum answer op_ip_match(const struct operand *o, struct bytes v, struct span *s)
{
	struct ip ip;
	bool six = bytes_index(v, ':') != SIZE_MAX;

	return op_when(ip_parse(v, &ip) && (is_in(&o->nets->four, &ip) || (six && is_in(&o->nets->six, &ip))), v, s);
}
