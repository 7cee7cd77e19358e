/* redact -- what is called a password is taken out of a query, of loose text, of a part of a multipart body, of an element,
 * whatever stands before it; in a query and in multipart even behind a secret that does not end. */
#include "admin/redact.h"
#include "tests/fuzz/must.h"

#define KEY "q7XwR2mZk9"
enum { IN_MAX = 16 << 10, OUT_MAX = 20 * IN_MAX };

static const struct { const char *type, *behind; bool loose; } forms[] = {
	{ "application/x-www-form-urlencoded", "&pass%77ord=" KEY "&a=b", false },
	{ "application/x-www-form-urlencoded", "&a=pass%2577ord%253D" KEY, false },
	{ "application/json", ",\"user\":{\"password\":\"" KEY "\"}}", true },
	{ "application/json", ",\"user\":{\"password\":[1,\"" KEY "\"]}}", true },
	{ "text/xml", "><a:password b='" KEY "'>" KEY "</a:password>", true },
	{ "text/plain", "\r\nset-cookie: a=b; c=" KEY, true },
	{ "multipart/form-data; boundary=--x", "--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" KEY "\r\n----x--", false },
};

static char in[IN_MAX + 256], out[OUT_MAX];

static struct text room(void)
{
	return text_over(out, sizeof out);
}

/* A secret that has not ended takes the beginning of ours for its own end, which tells loose text where it is. */
static bool is_open(struct bytes before)
{
	struct text t = text_over(in, sizeof in), shown = room();

	text_put(&t, before);
	text_str(&t, "x");
	redact_loose(&shown, NULL, text_bytes(&t), 0, SIZE_MAX);
	return bytes_find(text_bytes(&shown), redacted) != SIZE_MAX;
}

static void must_hide(struct bytes before, size_t form)
{
	struct text t = text_over(in, sizeof in), shown = room();

	text_put(&t, before);
	text_str(&t, forms[form].behind);
	redact_body(&shown, NULL, bytes_of(forms[form].type), text_bytes(&t));
	must(!t.full && !shown.full);
	must(bytes_find(text_bytes(&shown), BYTES(KEY)) == SIZE_MAX);
}

/* Nothing is made up, and nothing is lost but secrets. */
static void must_stand_in(struct bytes text)
{
	struct text t = room();

	redact_url(&t, NULL, text);
	must(!t.full);
	if (bytes_find(text_bytes(&t), redacted) == SIZE_MAX)
		must(bytes_eq(text_bytes(&t), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct text t;
	size_t from, to, form;

	if (size < 3 || size > IN_MAX || bytes_find(text, BYTES(KEY)) != SIZE_MAX)
		return 0;
	from = data[0] * 8u;
	to = from + data[1];
	text = bytes_from(text, 3);
	form = data[2] % nelems(forms);
	if (!forms[form].loose || !is_open(text))
		must_hide(text, form);
	must_stand_in(text);
	t = room();
	redact_loose(&t, NULL, text, from, to);
	must(!t.full);
	return 0;
}
