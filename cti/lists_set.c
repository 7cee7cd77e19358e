/* lists_set.c -- a list as a set; what may not be in one is left out and counted. */
#include "cti/lists_parts.h"
#include <stdlib.h>

enum { WIDEST4 = 96 + 8, WIDEST6 = 16 };

#define NET4(a, b, c, d, n) { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d } }, 96 + (n) }
#define NET6(a, b, n) { { { a, b } }, n }

/* Nobody on the internet has these (RFC 6890, 5735, 4291, 3849): in a list of others they are a mistake, or aimed at
 * whoever has them inside. */
static const struct ip_net nobody[] = {
	NET4(0, 0, 0, 0, 8),       NET4(10, 0, 0, 0, 8),     NET4(100, 64, 0, 0, 10), NET4(127, 0, 0, 0, 8),
	NET4(169, 254, 0, 0, 16),  NET4(172, 16, 0, 0, 12),  NET4(192, 168, 0, 0, 16), NET4(224, 0, 0, 0, 3),
	NET6(0xfc, 0, 7),          NET6(0xfe, 0x80, 10),     NET6(0xff, 0, 8),
	{ { { 0 } }, 128 },        { { { [15] = 1 } }, 128 },
};

struct list_set *list_set_new(const struct list_config *c)
{
	struct list_set *s = calloc(1, sizeof *s);

	if (!s || !(s->nets = netset_new(0, 0))) {
		free(s);
		return NULL;
	}
	s->c = c;
	return s;
}

void list_set_free(struct list_set *s)
{
	if (s)
		netset_free(s->nets);
	free(s);
}

static bool is_too_wide(const struct ip_net *net)
{
	static const struct ip any4 = { { [10] = 0xff, [11] = 0xff } };

	return net->bits < (ip_is4(&net->base) || ip_in_net(&any4, net) ? WIDEST4 : WIDEST6);
}

static bool is_nobodys(const struct ip_net *net)
{
	for (size_t i = 0; i < nelems(nobody); i++)
		if (ip_in_net(&net->base, &nobody[i]) || ip_in_net(&nobody[i].base, net))
			return true;
	return false;
}

static bool is_left_out(const struct list_config *c, const struct ip_net *net)
{
	if (is_too_wide(net) || (c->url.len && is_nobodys(net)))
		return true;
	return c->act != REMEDY_ALLOW && c->spared && c->spared(c->spared_ctx, net);
}

static void leave_out(struct list_set *s, const struct ip_net *net)
{
	struct text t = text_over(s->left_out_first, sizeof s->left_out_first - 1);

	if (s->left_out++)
		return;
	ip_text(&t, &net->base);
	text_printf(&t, "/%u", ip_is4(&net->base) && net->bits >= 96 ? net->bits - 96u : net->bits);
}

struct taking {
	struct list_set *set;
	struct err *err;
};

static bool take_net(void *ctx, const struct ip_net *net)
{
	struct taking *t = ctx;
	struct list_set *s = t->set;

	if (is_left_out(s->c, net)) {
		leave_out(s, net);
		return true;
	}
	if (s->c->max_entries && s->entries >= s->c->max_entries)
		return err_set(t->err, SIDE_UPSTREAM, 0, "more than %llu entries", (unsigned long long)s->c->max_entries);
	s->entries++;
	return netset_put(s->nets, net, 1) || err_set(t->err, SIDE_SELF, 0, "out of memory");
}

bool list_set_take(void *set, const struct list_record *k, struct err *err)
{
	return list_block_nets(&k->block, take_net, &(struct taking){ set, err });
}
