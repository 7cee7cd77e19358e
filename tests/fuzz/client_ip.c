/* Nobody but a trusted hop chooses an address: what a stranger sends changes
 * nothing, and neither does what stands left of the client in a chain. */
#include "proxy/client_ip.h"
#include "base/arena.h"

static const enum field_id ids[] = { FIELD_X_FORWARDED_FOR, FIELD_FORWARDED, FIELD_X_REAL_IP };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static struct client_origin find(const struct ip *peer, enum field_id id, struct bytes value)
{
	static struct ip_net ten = { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10 } }, 104 };
	struct client_ip_config c = { { &ten, 1 }, CLIENT_IP_AUTO };
	struct field f = { BYTES("x"), value, id, false };
	struct fields fields = { &f, 1, 1 };

	return client_ip_find(&c, &fields, peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bytes forged = BYTES_INIT("198.51.100.7, for=198.51.100.7;proto=https, ");
	struct bytes value = bytes_from((struct bytes){ (const char *)data, size }, 1);
	struct arena *a = arena_new(1 << 20);
	struct ip hop, stranger, forger;
	struct client_origin o, again;
	enum field_id id = ids[size ? data[0] % nelems(ids) : 0];
	struct text t;

	must(ip_parse(BYTES("10.0.0.1"), &hop) && ip_parse(BYTES("203.0.113.5"), &stranger) &&
	     ip_parse(BYTES("198.51.100.7"), &forger));
	o = find(&stranger, id, value);
	must(ip_eq(&o.client, &stranger) && !o.trusted_hop && !o.proto.len);

	o = find(&hop, id, value);
	must(o.trusted_hop);
	/* Once the chain has named a client that is no hop, more in front of it is noise. */
	if (!ip_eq(&o.client, &hop) && o.client.b[12] != 10 && id != FIELD_X_REAL_IP) {
		t = text_over(arena_raw(a, forged.len + value.len), forged.len + value.len);
		text_put(&t, forged);
		text_put(&t, value);
		again = find(&hop, id, text_bytes(&t));
		must(ip_eq(&again.client, &o.client) && bytes_eq(again.proto, o.proto));
	}
	arena_free(a);
	return 0;
}
