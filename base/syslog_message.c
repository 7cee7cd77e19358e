/* syslog_message.c -- targets, heads and frames of syslog. */
#include "base/syslog_message.h"
#include "base/clock.h"
#include <unistd.h>

/* ---- where to ---- */

static bool take_word(struct bytes *text, struct bytes word)
{
	if (!bytes_starts(*text, word))
		return false;
	*text = bytes_from(*text, word.len);
	return true;
}

static bool take_transport(struct bytes *text, enum syslog_transport *to)
{
	static const struct { struct bytes word; enum syslog_transport transport; } transports[] = {
		{ BYTES_INIT("udp:"), SYSLOG_UDP }, { BYTES_INIT("tcp:"), SYSLOG_TCP }, { BYTES_INIT("tls:"), SYSLOG_TLS },
	};

	for (size_t i = 0; i < nelems(transports); i++)
		if (take_word(text, transports[i].word)) {
			*to = transports[i].transport;
			return true;
		}
	return false;
}

static bool is_host(struct bytes host, bool brackets)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = byte_lower(host.at[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || (brackets && c == ':')))
			return false;
	}
	return host.len > 0 && host.len <= SYSLOG_HOST_MAX;
}

bool syslog_target_parse(struct bytes text, struct syslog_target *to)
{
	size_t colon = SIZE_MAX;
	struct bytes host, port;
	uint64_t number;
	bool brackets;

	*to = (struct syslog_target){ .transport = SYSLOG_UDP };
	if (!take_transport(&text, &to->transport))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] == ':')
			colon = i;
	if (colon == SIZE_MAX)
		return false;
	host = bytes_sub(text, 0, colon);
	port = bytes_from(text, colon + 1);
	brackets = host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
	if (brackets)
		host = bytes_sub(host, 1, host.len - 1);
	if (!is_host(host, brackets) || !bytes_u64(port, &number) || number == 0 || number > UINT16_MAX)
		return false;
	memcpy(to->host, host.at, host.len);
	to->port = (uint16_t)number;
	return true;
}

/* ---- messages ---- */

/* A value of structured data (RFC 5424 6.3.3). */
static void put_value(struct text *t, struct bytes value)
{
	for (size_t i = 0; i < value.len && i < 64; i++) {
		if (value.at[i] == '"' || value.at[i] == '\\' || value.at[i] == ']')
			text_byte(t, '\\');
		text_byte(t, value.at[i]);
	}
}

static void put_host(struct text *t)
{
	char name[128] = "";

	gethostname(name, sizeof name - 1);
	for (char *p = name; *p; p++)
		if (*p <= ' ' || *p > '~')
			*p = '-';
	text_str(t, name[0] ? name : "-");
}

/* 32473 is nobody's number (RFC 5612): we have none of our own. */
void syslog_head_put(struct text *t, const struct syslog_head *h)
{
	text_printf(t, "<%u>1 ", h->facility * 8 + (unsigned)h->severity);
	clock_rfc3339(t, h->wall_ms);
	text_byte(t, ' ');
	put_host(t);
	text_printf(t, " embergate %d %s [embergate@32473 id=\"", (int)getpid(), h->kind);
	put_value(t, h->id);
	text_str(t, "\" app=\"");
	put_value(t, h->app);
	text_str(t, "\"] ");
}

static struct bytes cut(struct bytes message, size_t max)
{
	if (message.len <= max)
		return message;
	while (max > 0 && ((unsigned char)message.at[max] & 0xc0) == 0x80) /* UTF-8 goes on here */
		max--;
	return bytes_sub(message, 0, max);
}

void syslog_frame_put(struct text *t, enum syslog_transport transport, size_t max, struct bytes message)
{
	message = cut(message, max);
	if (transport != SYSLOG_UDP)
		text_printf(t, "%zu ", message.len);
	text_put(t, message);
}
