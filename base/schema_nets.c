/* schema_nets.c -- lists of addresses and blocks, some of them by name. */
#include "base/schema_type.h"
#include "base/ip.h"

struct preset {
	const char *name;
	const char *nets; /* separated by blanks */
};

/* Cloudflare's are those of https://www.cloudflare.com/ips/ (unchanged since
 * September 2023). Private: RFC 1918, RFC 6598 (carrier grade NAT), RFC 3927,
 * RFC 4193, RFC 4291 link-local. */
static const struct preset presets[] = {
	{ "loopback", "127.0.0.0/8 ::1" },
	{ "private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 169.254.0.0/16 "
		     "fc00::/7 fe80::/10" },
	{ "cloudflare", "173.245.48.0/20 103.21.244.0/22 103.22.200.0/22 103.31.4.0/22 "
			"141.101.64.0/18 108.162.192.0/18 190.93.240.0/20 188.114.96.0/20 "
			"197.234.240.0/22 198.41.128.0/17 162.158.0.0/15 104.16.0.0/13 "
			"104.24.0.0/14 172.64.0.0/13 131.0.72.0/22 2400:cb00::/32 "
			"2606:4700::/32 2803:f800::/32 2405:b500::/32 2405:8100::/32 "
			"2a06:98c0::/29 2c0f:f248::/32" },
};

struct nets {
	struct ip_net *at;
	size_t n, cap;
};

static bool add_net(struct schema *s, const struct yaml_node *n, struct nets *to, struct bytes net)
{
	struct ip_net *grown = arena_grow(s->arena, to->at, &to->cap, to->n + 1, sizeof *grown);

	if (!grown)
		return schema_err(s, n, "out of memory");
	to->at = grown;
	return ip_net_parse(net, &to->at[to->n++]) || schema_not(s, &schema_nets, n);
}

static bool add_preset(struct schema *s, const struct yaml_node *n, struct nets *to, const char *nets)
{
	struct bytes rest = bytes_of(nets), net;

	while (bytes_cut(&rest, ' ', &net))
		if (!add_net(s, n, to, net))
			return false;
	return true;
}

/* A name, an address or a block. A name that is nearly a preset says so. */
static bool add_word(struct schema *s, const struct yaml_node *n, struct nets *to)
{
	const char *names[nelems(presets)], *near;

	if (n->kind != YAML_SCALAR)
		return schema_not(s, &schema_nets, n);
	for (size_t i = 0; i < nelems(presets); i++) {
		names[i] = presets[i].name;
		if (bytes_eq(n->text, bytes_of(names[i])))
			return add_preset(s, n, to, presets[i].nets);
	}
	if ((near = schema_nearest(n->text, names, nelems(names))))
		return schema_err(s, n, "'%.*s' is no address, did you mean '%s'?",
				  YAML_SHOWN(n->text), near);
	return add_net(s, n, to, n->text);
}

static bool nets_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      void *out, void *also)
{
	struct nets nets = { 0 };

	(void)row;
	if (n->kind == YAML_MAPPING)
		return schema_not(s, &schema_nets, n);
	if (n->kind == YAML_SCALAR && !yaml_is_empty(n) && !add_word(s, n, &nets))
		return false;
	for (size_t i = 0; n->kind == YAML_SEQUENCE && i < n->n; i++)
		if (!add_word(s, n->items[i], &nets))
			return false;
	*(struct ip_net **)out = nets.at;
	*(size_t *)also = nets.n;
	return true;
}

const struct schema_type schema_nets = {
	.name = "addresses",
	.want = "an address; write for example 192.0.2.1, 10.0.0.0/8, 2001:db8::/32, private, "
		"loopback or cloudflare",
	.json = "\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}",
	.read = nets_read,
};
