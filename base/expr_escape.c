/* expr_escape.c -- percent escapes, base64 and the arguments of a URI, as Go's net/url and encoding/base64 have them.
 *
 * CrowdSec's PathUnescape and QueryUnescape return a text in which one escape is broken as it came, and so do these: a
 * filter that reads through them can be passed with a "%" of one's own. Needs (expr_view_of) read the same way. */
#include "base/expr_functions.h"
#include "base/text.h"

static bool escapes_good(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] == '%' && (i + 2 >= b.len || byte_hex(b.at[i + 1]) < 0 || byte_hex(b.at[i + 2]) < 0))
			return false;
	return true;
}

static bool unescape(struct arena *a, struct bytes b, bool plus, struct bytes *out)
{
	size_t n = 0;
	char *at;

	*out = b;
	if ((bytes_index(b, '%') == SIZE_MAX && (!plus || bytes_index(b, '+') == SIZE_MAX)) || !escapes_good(b))
		return true;
	at = arena_raw(a, b.len);
	if (!at)
		return false;
	for (size_t i = 0; i < b.len; i++) {
		bool escape = b.at[i] == '%';

		at[n++] = escape                   ? (char)(byte_hex(b.at[i + 1]) << 4 | byte_hex(b.at[i + 2]))
			  : plus && b.at[i] == '+' ? ' '
						   : b.at[i];
		i += escape ? 2 : 0;
	}
	*out = (struct bytes){ at, n };
	return true;
}

bool expr_query_unescape(struct arena *a, struct bytes b, struct bytes *out)
{
	return unescape(a, b, true, out);
}

bool expr_path_unescape(struct arena *a, struct bytes b, struct bytes *out)
{
	return unescape(a, b, false, out);
}

static bool fn_unescape(struct expr_run *run, const struct expr_value *a, bool plus, struct expr_value *out)
{
	struct bytes b;

	if (!expr_charge(run, a->text.len / EXPR_BYTES_A_STEP))
		return false;
	return unescape(run->arena, a->text, plus, &b) ? expr_return_text(run, b, out) : expr_fail(run, "out of memory");
}

bool fn_path_unescape(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return fn_unescape(run, a->at, false, out);
}

bool fn_query_unescape(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return fn_unescape(run, a->at, true, out);
}

static bool escape(struct expr_run *run, struct bytes b, struct bytes plain, bool plus, struct expr_value *out)
{
	struct text t;

	if (!expr_text_room(run, b.len * 3, &t))
		return false;
	for (size_t i = 0; i < b.len; i++) {
		unsigned char c = (unsigned char)b.at[i];
		bool word = (byte_lower(b.at[i]) >= 'a' && byte_lower(b.at[i]) <= 'z') || (c >= '0' && c <= '9');

		if (word || bytes_index(plain, b.at[i]) != SIZE_MAX)
			text_byte(&t, b.at[i]);
		else if (plus && c == ' ')
			text_byte(&t, '+');
		else
			text_put(&t, (struct bytes){
					     (char[]){ '%', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15] }, 3 });
	}
	return expr_return_text(run, text_bytes(&t), out);
}

bool fn_path_escape(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return escape(run, a->at->text, BYTES("-_.~$&+=:@"), false, out);
}

bool fn_query_escape(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return escape(run, a->at->text, BYTES("-_.~"), true, out);
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* With its padding, as Go's StdEncoding wants it; line ends are passed over. */
bool fn_base64_decode(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	unsigned bits = 0, have = 0, digits = 0, padding = 0;
	struct text t;

	if (!expr_text_room(run, a->at->text.len, &t))
		return false;
	for (size_t i = 0; i < a->at->text.len; i++) {
		char c = a->at->text.at[i];
		int v = base64_digit(c);

		if (c == '\n' || c == '\r')
			continue;
		padding += c == '=';
		digits++;
		if (c == '=' ? padding > 2 : v < 0 || padding)
			return expr_fail(run, "no base64");
		if (c == '=')
			continue;
		bits = (bits << 6 | (unsigned)v) & 0xffffff;
		have += 6;
		if (have >= 8)
			text_byte(&t, (char)(bits >> (have -= 8)));
	}
	return digits % 4 == 0 ? expr_return_text(run, text_bytes(&t), out) : expr_fail(run, "no base64");
}

/* ---- ParseUri ---- */

struct argument {
	struct bytes name, value;
};

struct arguments {
	struct argument *at;
	size_t n;
};

/* All values of that name, nil when there is none. */
static bool arguments_get(struct expr_run *run, const void *self, struct bytes name, struct expr_value *out)
{
	const struct arguments *x = self;
	struct expr_value *at;
	size_t n = 0, put = 0;

	for (size_t i = 0; i < x->n; i++)
		n += bytes_eq(x->at[i].name, name);
	*out = (struct expr_value){ .kind = EXPR_NIL };
	if (!n)
		return expr_charge(run, x->n);
	at = expr_return_list(run, n, out);
	for (size_t i = 0; at && i < x->n; i++)
		if (bytes_eq(x->at[i].name, name))
			at[put++] = expr_text_value(x->at[i].value);
	return at && expr_charge(run, x->n);
}

static const struct expr_object arguments_object = { "arguments", arguments_get, NULL };

/* False: Go refuses the query, or memory is short (then the run has failed). */
static bool read_arguments(struct expr_run *run, struct bytes query, struct arguments *x)
{
	struct bytes pair, rest = query;
	size_t most = 1;

	for (size_t i = 0; i < query.len; i++)
		most += query.at[i] == '&';
	x->at = expr_charge(run, most + query.len / EXPR_BYTES_A_STEP) ? arena_get(run->arena, most * sizeof *x->at) : NULL;
	if (!x->at)
		return expr_fail(run, "out of memory");
	while (bytes_cut(&rest, '&', &pair)) {
		struct argument *a = &x->at[x->n];

		if (!pair.len)
			continue;
		if (bytes_index(pair, ';') != SIZE_MAX || !escapes_good(pair))
			return false;
		a->value = pair;
		bytes_cut(&a->value, '=', &a->name);
		if (!unescape(run->arena, a->name, true, &a->name) || !unescape(run->arena, a->value, true, &a->value))
			return expr_fail(run, "out of memory");
		x->n++;
	}
	return true;
}

bool fn_parse_uri(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct arguments *x = arena_get(run->arena, sizeof *x);
	struct bytes uri = bytes_sub(a->at->text, 0, bytes_index(a->at->text, '#'));
	size_t mark = bytes_index(uri, '?');

	if (!x)
		return expr_fail(run, "out of memory");
	if (mark != SIZE_MAX && !read_arguments(run, bytes_from(uri, mark + 1), x))
		x->n = 0;
	*out = (struct expr_value){ .kind = EXPR_OBJECT, .object = { &arguments_object, x } };
	return !run->failed;
}
