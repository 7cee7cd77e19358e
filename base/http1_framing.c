/* http1_framing.c -- how long the body is (RFC 9112 6.3), with one reading. */
#include "base/http1_parts.h"

static bool read_coding(struct http1_reader *r, const struct fields *f, uint8_t minor)
{
	if (reader_saw(r, FIELD_CONTENT_LENGTH))
		return reader_bad(r, 400, "Content-Length and Transfer-Encoding together");
	if (minor == 0)
		return reader_bad(r, 400, "Transfer-Encoding in HTTP/1.0");
	if (r->twice >> FIELD_TRANSFER_ENCODING & 1)
		return reader_bad(r, 400, "Transfer-Encoding twice");
	if (!bytes_eq_nocase(fields_value(f, FIELD_TRANSFER_ENCODING), BYTES("chunked")))
		return reader_bad(r, 400, "a Transfer-Encoding other than chunked");
	return true;
}

bool http1_read_framing(struct http1_reader *r, const struct fields *f, uint8_t minor,
			enum framing *framing, uint64_t *length)
{
	*framing = BODY_NONE;
	*length = 0;
	if (reader_saw(r, FIELD_TRANSFER_ENCODING)) {
		*framing = BODY_CHUNKED;
		return read_coding(r, f, minor);
	}
	if (!reader_saw(r, FIELD_CONTENT_LENGTH))
		return true;
	if (r->twice >> FIELD_CONTENT_LENGTH & 1)
		return reader_bad(r, 400, "Content-Length twice");
	if (!bytes_u64(fields_value(f, FIELD_CONTENT_LENGTH), length) || *length > INT64_MAX)
		return reader_bad(r, 400, "a Content-Length that is no number below 2^63");
	if (*length)
		*framing = BODY_LENGTH;
	return true;
}
