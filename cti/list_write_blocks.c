/* list_write_blocks.c -- disjoint blocks as firewalls and proxies load them. Nothing in them is text of others: addresses,
 * numbers, and remedies' words. */
#include "cti/list_write_parts.h"

enum { NFT_STATEMENT = 256, IPSET_TIMEOUT_MAX = 2147483, LONG_S = 3650 * 86400 };

static void begin_nft(struct text *t)
{
	text_str(t, "# nft -f THIS; a chain says: ip saddr @blocked4 drop; ip6 saddr @blocked6 drop\n"
		    "table inet embergate {\n"
		    "\tset blocked4 {\n\t\ttype ipv4_addr\n\t\tflags interval, timeout\n\t}\n"
		    "\tset blocked6 {\n\t\ttype ipv6_addr\n\t\tflags interval, timeout\n\t}\n"
		    "}\n"
		    "flush set inet embergate blocked4\nflush set inet embergate blocked6\n");
}

/* Cutting and writing as CIDR makes more entries than there were decisions: twice as many and some are always enough
 * room, since a set's size is a bound, not memory. */
static void begin_ipset(struct text *t, size_t n)
{
	size_t most = n * 32 + 65536;

	text_printf(t, "create embergate4 hash:net family inet timeout 0 maxelem %zu -exist\nflush embergate4\n", most);
	text_printf(t, "create embergate6 hash:net family inet6 timeout 0 maxelem %zu -exist\nflush embergate6\n", most);
}

void list_blocks_begin(struct list_text *l, enum list_form form, uint64_t now_ms, size_t n)
{
	struct text *t = list_text_room(l);

	(void)now_ms;
	if (form == LIST_AS_NFT)
		begin_nft(t);
	else if (form == LIST_AS_IPSET)
		begin_ipset(t, n);
	else if (form == LIST_AS_NGINX)
		text_str(t, "geo $embergate {\n\tdefault none;\n");
	else if (form == LIST_AS_HAPROXY)
		text_str(t, "# http-request set-var(txn.embergate) src,map_ip(THIS,none)\n");
}

static void put_net(struct text *t, const struct ip_net *net)
{
	bool is4 = ip_is4(&net->base) && net->bits >= 96;

	ip_text(t, &net->base);
	if (net->bits < 128)
		text_printf(t, "/%u", is4 ? net->bits - 96u : net->bits);
}

static uint64_t seconds_left(const struct list_text *l)
{
	uint64_t s = (l->until_ms - l->now_ms + 999) / 1000;

	return s < LONG_S ? s : 0; /* 0: without end */
}

static void put_nft(struct list_text *l, struct text *t, const struct ip_net *net, bool is4)
{
	if (l->open == NFT_STATEMENT || (l->open && l->open4 != is4)) {
		text_str(t, " }\n");
		l->open = 0;
	}
	text_str(t, l->open++ ? ", " : is4 ? "add element inet embergate blocked4 { " : "add element inet embergate blocked6 { ");
	l->open4 = is4;
	put_net(t, net);
	if (seconds_left(l))
		text_printf(t, " timeout %llus", (unsigned long long)seconds_left(l));
}

static void put_ipset(struct list_text *l, struct text *t, const struct ip_net *net, bool is4)
{
	uint64_t s = seconds_left(l);

	text_str(t, is4 ? "add embergate4 " : "add embergate6 ");
	put_net(t, net);
	text_printf(t, " timeout %llu -exist\n", (unsigned long long)(s < IPSET_TIMEOUT_MAX ? s : IPSET_TIMEOUT_MAX));
}

static bool put(void *ctx, const struct ip_net *net)
{
	struct list_text *l = ctx;
	struct text *t = list_text_room(l);
	bool is4 = ip_is4(&net->base);

	l->n++;
	if (l->form == LIST_AS_NFT) {
		put_nft(l, t, net, is4);
	} else if (l->form == LIST_AS_IPSET) {
		put_ipset(l, t, net, is4);
	} else {
		if (l->form == LIST_AS_NGINX)
			text_byte(t, '\t');
		put_net(t, net);
		if (l->form != LIST_AS_PLAIN)
			text_printf(t, " %s%s", remedy_word(l->remedy), l->form == LIST_AS_NGINX ? ";" : "");
		text_byte(t, '\n');
	}
	return true;
}

void list_blocks_each(void *list_text, const struct list_piece *p)
{
	struct list_text *l = list_text;
	bool all = l->form == LIST_AS_HAPROXY || l->form == LIST_AS_NGINX;

	l->remedy = p->remedy;
	l->until_ms = p->until_ms;
	if (all || p->remedy == REMEDY_DENY || p->remedy == REMEDY_TARPIT)
		list_block_nets(&p->block, put, l);
}

void list_blocks_end(struct list_text *l)
{
	struct text *t = list_text_room(l);

	if (l->form == LIST_AS_NFT && l->open)
		text_str(t, " }\n");
	if (l->form == LIST_AS_NGINX)
		text_str(t, "}\n");
}
