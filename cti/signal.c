/* signal.c -- three fields. */
#include "cti/signal.h"

/* RFC 6890 and what follows it: addresses that mean something else elsewhere. */
static bool is_public(const struct ip *ip)
{
	static const char *const reserved[] = {
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3", "::/8", "64:ff9b::/96", "100::/64", "fc00::/7", "fe80::/10",
		"ff00::/8",
	};
	struct ip_net net;

	for (size_t i = 0; i < nelems(reserved); i++)
		if (ip_is4(ip) == (strchr(reserved[i], ':') == NULL) && ip_net_parse(bytes_of(reserved[i]), &net) && ip_in_net(ip, &net))
			return false;
	return true;
}

bool signal_write(struct text *t, const struct decision *d, struct bytes behaviour)
{
	struct ip ip;

	if (d->scope != SCOPE_IP || d->simulated || d->hearsay || !behaviour.len || !bytes_eq(d->origin, BYTES("embergate")) ||
	    !ip_parse(d->value, &ip) || !is_public(&ip))
		return false;
	ip = ip_behaviour_key(&ip);
	text_printf(t, "{\"ts\":%llu,\"ip\":\"", (unsigned long long)(d->made_ms / 1000));
	ip_text(t, &ip);
	text_str(t, "\",\"behaviour\":");
	text_json(t, behaviour);
	text_byte(t, '}');
	return true;
}
