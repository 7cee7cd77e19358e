/* A PROXY header ends where it says, whatever follows it, and means the same
 * when it arrives byte by byte. */
#include "proxy/proxy_protocol.h"

struct reading {
	enum proxy_header result;
	struct ip client;
	uint16_t port;
	bool known;
	size_t used;
};

static struct reading read_it(struct bytes in)
{
	struct reading r = { .port = 0 };
	struct err err;

	r.result = proxy_header_read(PROXY_PROTOCOL_ANY, in, &r.client, &r.port, &r.known, &r.used, &err);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	struct reading whole = read_it(in), part;

	for (size_t n = 0; n <= size; n++) {
		part = read_it(bytes_sub(in, 0, n));
		if (part.result == PROXY_DONE)
			break;
		if (part.result == PROXY_BAD && whole.result == PROXY_DONE)
			abort(); /* refused before its end, taken at its end */
	}
	if (whole.result == PROXY_DONE &&
	    (part.result != PROXY_DONE || part.used != whole.used || part.known != whole.known ||
	     (whole.known && (!ip_eq(&part.client, &whole.client) || part.port != whole.port)) ||
	     whole.used > size || whole.used > PROXY_HEADER_MAX))
		abort();
	return 0;
}
