/* page_form.c -- which form of an answer a client reads (RFC 9110 12.5.1).
 *
 * Browsers name text/html. Programs name a JSON type, or give themselves away
 * by what they send. Whoever takes anything gets plain text. */
#include "proxy/page_parts.h"

/* "q=0.8" in thousandths; 1000 without one or with nonsense. */
static unsigned quality(struct bytes parameters)
{
	struct bytes one;

	while (bytes_cut(&parameters, ';', &one)) {
		unsigned q = 0, digit = 1000;

		one = bytes_trim(one);
		if (!bytes_starts_nocase(one, BYTES("q=")) || one.len < 3)
			continue;
		for (size_t i = 2; i < one.len && i < 7; i++)
			if (one.at[i] >= '0' && one.at[i] <= '9') {
				q += (unsigned)(one.at[i] - '0') * digit;
				digit /= 10;
			}
		return q > 1000 ? 1000 : q;
	}
	return 1000;
}

static bool is_html(struct bytes type)
{
	return bytes_eq_nocase(type, BYTES("text/html")) || bytes_eq_nocase(type, BYTES("application/xhtml+xml"));
}

static bool is_json(struct bytes type)
{
	size_t plus = type.len > 5 ? type.len - 5 : 0;

	return bytes_eq_nocase(type, BYTES("application/json")) ||
	       bytes_eq_nocase(bytes_from(type, plus), BYTES("+json"));
}

/* Of the two that are named, the one liked better; of equals the first. */
static enum page_form named_in(struct bytes accept)
{
	enum page_form best = PAGE_PLAIN;
	unsigned best_q = 0;
	struct bytes range;

	while (bytes_cut(&accept, ',', &range)) {
		size_t semicolon = bytes_index(range, ';');
		struct bytes type = bytes_trim(bytes_sub(range, 0, semicolon));
		enum page_form form = is_html(type) ? PAGE_HTML : is_json(type) ? PAGE_PROBLEM : PAGE_PLAIN;
		unsigned q;

		if (form == PAGE_PLAIN)
			continue;
		q = quality(semicolon == SIZE_MAX ? (struct bytes){ 0 } : bytes_from(range, semicolon + 1));
		if (q > best_q) {
			best = form;
			best_q = q;
		}
	}
	return best;
}

/* A script in a page, or a client of an API. */
static bool is_program(const struct request *r)
{
	const struct field *mode = fields_named(&r->fields, BYTES("Sec-Fetch-Mode"));
	struct bytes type = fields_value(&r->fields, FIELD_CONTENT_TYPE);

	return fields_named(&r->fields, BYTES("X-Requested-With")) ||
	       (mode && !bytes_eq(mode->value, BYTES("navigate"))) ||
	       is_json(bytes_trim(bytes_sub(type, 0, bytes_index(type, ';'))));
}

enum page_form page_form_for(const struct request *r)
{
	enum page_form form;

	if (!r)
		return PAGE_PLAIN;
	form = named_in(fields_value(&r->fields, FIELD_ACCEPT));
	return form == PAGE_PLAIN && is_program(r) ? PAGE_PROBLEM : form;
}
