/* event_text -- any event gives, in every format, one line that fits, holds no
 * control character and no configured secret; the ECS one is valid JSON, and so is what the API shows of it. */
#include "admin/event_json.h"
#include "admin/event_text.h"
#include <stdlib.h>

/* --- a strict reader of JSON (RFC 8259) --------------------------------- */

static bool value(struct bytes *in, unsigned depth);

static bool eat(struct bytes *in, char c)
{
	if (in->len == 0 || in->at[0] != c)
		return false;
	*in = bytes_from(*in, 1);
	return true;
}

static bool eat_word(struct bytes *in, struct bytes word)
{
	if (!bytes_starts(*in, word))
		return false;
	*in = bytes_from(*in, word.len);
	return true;
}

static bool escape(struct bytes *in)
{
	if (in->len == 0)
		return false;
	if (!eat(in, 'u')) {
		char c = in->at[0];

		*in = bytes_from(*in, 1);
		return c && strchr("\"\\/bfnrt", c);
	}
	for (int i = 0; i < 4; i++, *in = bytes_from(*in, 1))
		if (in->len == 0 || !strchr("0123456789abcdefABCDEF", in->at[0]) || !in->at[0])
			return false;
	return true;
}

static bool string(struct bytes *in)
{
	if (!eat(in, '"'))
		return false;
	while (in->len && in->at[0] != '"') {
		if ((unsigned char)in->at[0] < 0x20)
			return false;
		if (eat(in, '\\') ? !escape(in) : !(*in = bytes_from(*in, 1), true))
			return false;
	}
	return eat(in, '"');
}

static bool number(struct bytes *in)
{
	size_t n = 0;

	eat(in, '-');
	while (n < in->len && in->at[n] >= '0' && in->at[n] <= '9')
		n++;
	if (n == 0 || (n > 1 && in->at[0] == '0'))
		return false;
	*in = bytes_from(*in, n);
	return true;
}

static bool list(struct bytes *in, char end, bool keys, unsigned depth)
{
	if (eat(in, end))
		return true;
	do
		if ((keys && !(string(in) && eat(in, ':'))) || !value(in, depth + 1))
			return false;
	while (eat(in, ','));
	return eat(in, end);
}

static bool value(struct bytes *in, unsigned depth)
{
	if (depth > 8 || in->len == 0)
		return false;
	if (eat(in, '{'))
		return list(in, '}', true, depth);
	if (eat(in, '['))
		return list(in, ']', false, depth);
	if (in->at[0] == '"')
		return string(in);
	return eat_word(in, BYTES("true")) || eat_word(in, BYTES("false")) || eat_word(in, BYTES("null")) || number(in);
}

/* --- an event out of bytes ------------------------------------------------ */

static struct bytes take(struct bytes *in)
{
	size_t n = in->len ? (unsigned char)in->at[0] * 16u : 0; /* up to 4 KiB */
	struct bytes part = bytes_sub(*in, 1, 1 + n);

	*in = bytes_from(*in, 1 + part.len);
	return part;
}

static unsigned take_byte(struct bytes *in)
{
	unsigned n = in->len ? (unsigned char)in->at[0] : 0;

	*in = bytes_from(*in, 1);
	return n;
}

enum { HITS = RECORD_HITS + 4 };

static size_t take_hits(struct bytes *in, struct hit *hits, const struct rule_info *rule)
{
	size_t n = take_byte(in) % (HITS + 1);

	for (size_t i = 0; i < n; i++)
		hits[i] = (struct hit){ rule, take(in), take(in), take_byte(in) * 8, take_byte(in),
					(int)take_byte(in) - 20, take(in), take(in), NULL, 0 };
	return n;
}

enum { OVERFLOWS = RECORD_OVERFLOWS + 2, SEEN = 12 };

static size_t take_overflows(struct bytes *in, struct event_overflow *over, struct event_seen *seen)
{
	size_t n = take_byte(in) % (OVERFLOWS + 1);

	for (size_t i = 0; n && i < SEEN; i++)
		seen[i] = (struct event_seen){ take_byte(in), take(in), take(in), take(in) };
	for (size_t i = 0; i < n; i++)
		over[i] = (struct event_overflow){ take(in), take_byte(in), take(in), take(in), take_byte(in) % REMEDY_COUNT,
						   take_byte(in), take_byte(in) & 1, seen, take_byte(in) % (SEEN + 1) };
	return n;
}

static void take_held(struct bytes *in, struct decision *held)
{
	*held = (struct decision){ .id = take_byte(in), .scope = take_byte(in) % SCOPE_COUNT, .value = take(in),
				   .remedy = take_byte(in) % REMEDY_COUNT, .reason = take(in), .origin = take(in) };
}

static void check(const struct event *e, enum event_format format)
{
	static char buf[EVENT_LINE_MAX];
	const struct event_style style = { .format = format };
	struct text t = text_over(buf, sizeof buf);
	struct bytes line;

	event_text(&t, e, &style);
	line = text_bytes(&t);
	if (t.full || line.len == 0)
		abort();
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.at[i] < 0x20 || line.at[i] == 0x7f)
			abort();
	if (format == EVENT_ECS && (!value(&line, 0) || line.len))
		abort();
}

/* As the archive keeps it, and joins it again. */
static void check_json(const struct event *e)
{
	static struct record r;
	struct json_out row = json_out(EVENT_ROW_MAX), rest = json_out(EVENT_REST_MAX), whole = json_out(EVENT_ROW_MAX + EVENT_REST_MAX);
	size_t bytes;
	struct record *copy;
	struct bytes in;

	record_of(&r, e, NULL);
	record_request(&r, e, NULL);
	copy = record_copy(&r, &bytes);
	if (!copy)
		return;
	event_json_row(&row, copy);
	event_json_rest(&rest, copy);
	if (row.failed || rest.failed)
		abort();
	event_json_join(&whole, json_out_bytes(&row), json_out_bytes(&rest));
	out_end(&whole);
	in = json_out_bytes(&whole);
	if (whole.failed || !value(&in, 0) || in.len)
		abort();
	json_out_free(&row);
	json_out_free(&rest);
	json_out_free(&whole);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	static const struct rule_info rule = { "id", "message \"with\" | = \\ marks", "category", "f", 1, SEVERITY_ERROR };
	struct hit hits[HITS];
	struct field fields[] = { { .id = FIELD_USER_AGENT }, { .id = FIELD_REFERER } };
	struct request q = { .fields = { fields, nelems(fields), nelems(fields) } };
	struct event_overflow over[OVERFLOWS];
	struct event_seen seen[SEEN];
	struct decision held;
	struct event e = { .request = &q, .hits = hits, .overflows = over, .held = &held };

	e.status = take_byte(&in) * 4;
	e.source = take_byte(&in) % SOURCE_COUNT;
	e.action = take_byte(&in) % REMEDY_COUNT;
	e.would = take_byte(&in) % REMEDY_COUNT;
	memset(e.client.b, (int)take_byte(&in), sizeof e.client.b);
	e.nhits = take_hits(&in, hits, &rule);
	for (struct bytes *f[] = { &q.path, &q.query, &q.method, &q.hostname, &fields[0].value, &fields[1].value,
				   &e.id, &e.app, &e.reason, &e.upstream, &e.client_from, &e.tls_version }, **p = f;
	     p < f + nelems(f); p++)
		**p = take(&in);
	e.noverflows = take_overflows(&in, over, seen); /* last: what was found before still says the same */
	take_held(&in, &held);
	for (int f = 0; f < EVENT_FORMATS; f++)
		check(&e, (enum event_format)f);
	for (struct bytes *f[] = { &e.country, &e.as, &e.as_name, &e.ja4, &e.bot, &e.body, &fields[0].name, &fields[1].name }, **p = f;
	     p < f + nelems(f); p++)
		**p = take(&in);
	e.has_body = true;
	e.level = take_byte(&in);
	e.limits = take_byte(&in);
	check_json(&e);
	return 0;
}
