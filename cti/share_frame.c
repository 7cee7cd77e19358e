/* share_frame.c -- the signature around what is written into Redis: 'E' 'g' version kind, run:8, stamp:8, body, MAC:16.
 *
 * The MAC is over the context's length and bytes, then all that stands before it. */
#include "base/tls.h"
#include "cti/share_record.h"

enum { VERSION = 1 };

static bool mac_of(const uint8_t key[32], struct bytes context, struct bytes frame, uint8_t out[32])
{
	char len[4] = { (char)context.len, (char)(context.len >> 8), (char)(context.len >> 16), (char)(context.len >> 24) };

	return tls_mac(key, (struct bytes[]){ { len, sizeof len }, context, frame }, 3, out);
}

bool share_frame_write(struct text *t, const uint8_t key[32], struct bytes context, const struct share_frame *f)
{
	size_t from = t->len;
	uint8_t mac[32];

	text_str(t, "Eg");
	frame_put(t, VERSION, 1);
	frame_put(t, f->kind, 1);
	frame_put(t, f->run, 8);
	frame_put(t, f->stamp, 8);
	text_put(t, f->body);
	if (t->full || !mac_of(key, context, bytes_from(text_bytes(t), from), mac))
		return false;
	text_put(t, (struct bytes){ (const char *)mac, SHARE_MAC });
	return !t->full;
}

/* Takes as long whatever differs. */
static bool is_equal(const uint8_t *a, const char *b)
{
	uint8_t differ = 0;

	for (unsigned i = 0; i < SHARE_MAC; i++)
		differ |= a[i] ^ (uint8_t)b[i];
	return !differ;
}

enum share_frame_read share_frame_read(struct bytes b, const uint8_t key[32], struct bytes context, enum share_frame_kind kind,
				       struct share_frame *out)
{
	struct bytes rest = bytes_sub(b, 0, b.len - SHARE_MAC);
	uint8_t mac[32];
	uint64_t word;

	if (b.len < SHARE_FRAME_MORE || !bytes_starts(b, BYTES("Eg")))
		return FRAME_BROKEN;
	if (!mac_of(key, context, rest, mac) || !is_equal(mac, b.at + rest.len))
		return FRAME_FORGED;
	rest = bytes_from(rest, 2);
	if (!frame_take(&rest, 1, &word) || word != VERSION || !frame_take(&rest, 1, &word) || word != kind)
		return FRAME_BROKEN;
	*out = (struct share_frame){ .kind = kind };
	frame_take(&rest, 8, &out->run);
	frame_take(&rest, 8, &out->stamp);
	out->body = rest;
	return FRAME_GOOD;
}
