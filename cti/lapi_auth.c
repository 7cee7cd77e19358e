/* lapi_auth.c -- tokens of machines: "NAME.END.MAC" in hexadecimal, where MAC is of the name and the end under the local
 * API's key, so that any gate of an installation knows another's. */
#include "base/tls.h"
#include "cti/lapi_parts.h"

static void text_hexes(struct text *t, const void *from, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = from;

	for (size_t i = 0; i < n; i++) {
		text_byte(t, digits[b[i] >> 4]);
		text_byte(t, digits[b[i] & 15]);
	}
}

static bool mac_of(const uint8_t key[32], struct bytes machine, struct bytes end, uint8_t out[32])
{
	const struct bytes parts[] = { BYTES("token\n"), end, BYTES("\n"), machine };

	return tls_mac(key, parts, nelems(parts), out);
}

bool lapi_token(const uint8_t key[32], struct bytes machine, uint64_t until_ms, struct text *out)
{
	char room[24];
	struct text end = text_over(room, sizeof room);
	uint8_t mac[32];

	text_hex(&end, until_ms);
	if (!mac_of(key, machine, text_bytes(&end), mac))
		return false;
	text_hexes(out, machine.at, machine.len);
	text_byte(out, '.');
	text_put(out, text_bytes(&end));
	text_byte(out, '.');
	text_hexes(out, mac, sizeof mac);
	return !out->full;
}

static bool unhex(struct bytes from, uint8_t *to, size_t n)
{
	if (from.len != n * 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = byte_hex(from.at[i * 2]), low = byte_hex(from.at[i * 2 + 1]);

		if (high < 0 || low < 0)
			return false;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static uint64_t number_of(struct bytes hex)
{
	uint64_t n = 0;

	for (size_t i = 0; i < hex.len && i < 16; i++)
		n = n << 4 | (unsigned)(byte_hex(hex.at[i]) & 15);
	return n;
}

/* As long whatever differs. */
static bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
	uint8_t differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

struct bytes lapi_token_read(const uint8_t key[32], struct bytes token, uint64_t now_ms, struct arena *arena, const char **why)
{
	struct bytes rest = token, name, end, none = { NULL, 0 };
	uint8_t given[32], mac[32];
	char *machine;

	*why = "token contains an invalid number of segments";
	if (!bytes_cut(&rest, '.', &name) || !bytes_cut(&rest, '.', &end) || !rest.len || bytes_index(rest, '.') != SIZE_MAX)
		return none;
	*why = "signature is invalid";
	machine = name.len && name.len <= 2 * KEY_NAME_MAX ? arena_get(arena, name.len / 2 + 1) : NULL;
	if (!machine || !unhex(name, (uint8_t *)machine, name.len / 2) || !unhex(rest, given, sizeof given))
		return none;
	if (!mac_of(key, (struct bytes){ machine, name.len / 2 }, end, mac) || !same(mac, given, sizeof mac))
		return none;
	*why = "token is expired";
	return number_of(end) > now_ms ? (struct bytes){ machine, name.len / 2 } : none;
}
