/* expr_texts.c -- functions of texts. Texts are bytes; letters are ASCII's. */
#include "base/expr_functions.h"
#include "base/text.h"
#include <math.h>

enum { REPEAT_MAX = 1 << 20 /* bytes */, SHOWN_MAX = 4096 };
#define BLANKS BYTES(" \t\n\v\f\r")

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* A text in which nothing is to change is not copied. */
static bool turn(struct arena *a, struct bytes b, bool (*wrong)(char), struct bytes *out)
{
	size_t i = 0;
	char *at;

	while (i < b.len && !wrong(b.at[i]))
		i++;
	*out = b;
	if (i == b.len)
		return true;
	at = arena_raw(a, b.len);
	if (!at)
		return false;
	memcpy(at, b.at, b.len);
	for (; i < b.len; i++)
		if (wrong(at[i]))
			at[i] ^= 0x20;
	out->at = at;
	return true;
}

bool expr_upper(struct arena *a, struct bytes b, struct bytes *out)
{
	return turn(a, b, is_lower, out);
}

bool expr_lower(struct arena *a, struct bytes b, struct bytes *out)
{
	return turn(a, b, is_upper, out);
}

bool fn_upper(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct bytes b;

	if (!expr_charge(run, a->at->text.len / EXPR_BYTES_A_STEP))
		return false;
	return expr_upper(run->arena, a->at->text, &b) ? expr_return_text(run, b, out) : expr_fail(run, "out of memory");
}

bool fn_lower(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct bytes b;

	if (!expr_charge(run, a->at->text.len / EXPR_BYTES_A_STEP))
		return false;
	return expr_lower(run->arena, a->at->text, &b) ? expr_return_text(run, b, out) : expr_fail(run, "out of memory");
}

static struct bytes trim(struct bytes b, struct bytes set, bool left, bool right)
{
	while (left && b.len && bytes_index(set, b.at[0]) != SIZE_MAX)
		b = bytes_from(b, 1);
	while (right && b.len && bytes_index(set, b.at[b.len - 1]) != SIZE_MAX)
		b.len--;
	return b;
}

bool fn_trim(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return expr_return_text(run, trim(a->at->text, a->n > 1 ? a->at[1].text : BLANKS, true, true), out);
}

bool fn_trim_left(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return expr_return_text(run, trim(a->at->text, a->at[1].text, true, false), out);
}

bool fn_trim_right(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return expr_return_text(run, trim(a->at->text, a->at[1].text, false, true), out);
}

bool fn_trim_prefix(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct bytes what = a->n > 1 ? a->at[1].text : BYTES(" ");

	return expr_return_text(run, bytes_from(a->at->text, bytes_starts(a->at->text, what) ? what.len : 0), out);
}

bool fn_trim_suffix(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct bytes what = a->n > 1 ? a->at[1].text : BYTES(" ");

	return expr_return_text(
		run, bytes_sub(a->at->text, 0, a->at->text.len - (bytes_ends(a->at->text, what) ? what.len : 0)), out);
}

/* Cuts the first part off; without a separator it is a character of UTF-8. */
static struct bytes part(struct bytes *rest, struct bytes separator)
{
	size_t n = separator.len ? bytes_find(*rest, separator) : 1;
	struct bytes b;

	while (!separator.len && n < rest->len && (rest->at[n] & 0xc0) == 0x80)
		n++;
	b = bytes_sub(*rest, 0, n);
	*rest = bytes_from(*rest, n == SIZE_MAX ? rest->len : n + separator.len);
	return b;
}

bool fn_split(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	size_t most = a->n > 2 && a->at[2].number >= 0 ? (size_t)a->at[2].number : SIZE_MAX, parts = 0;
	struct bytes rest = a->at[0].text, separator = a->at[1].text;
	bool open = separator.len > 0;
	struct expr_value *at;

	for (struct bytes b = rest; b.len && parts < most; parts++) {
		open = separator.len && bytes_find(b, separator) != SIZE_MAX; /* what follows is a part, be it empty */
		part(&b, separator);
	}
	parts += open && parts < most;
	at = expr_return_list(run, parts, out);
	for (size_t i = 0; at && i < parts; i++)
		at[i] = expr_text_value(i + 1 == most ? rest : part(&rest, separator));
	return at != NULL;
}

bool fn_fields(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	size_t words = 0, to;
	struct expr_value *at;
	bool before = false;

	for (size_t i = 0; i < a->at->text.len; i++) {
		bool now = bytes_index(BLANKS, a->at->text.at[i]) == SIZE_MAX;

		words += now && !before;
		before = now;
	}
	at = expr_return_list(run, words, out);
	for (size_t i = 0, k = 0; at && k < words; i = to, k++) {
		while (bytes_index(BLANKS, a->at->text.at[i]) != SIZE_MAX)
			i++;
		for (to = i; to < a->at->text.len && bytes_index(BLANKS, a->at->text.at[to]) == SIZE_MAX;)
			to++;
		at[k] = expr_text_value(bytes_sub(a->at->text, i, to));
	}
	return at != NULL;
}

bool fn_replace(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	int64_t most = a->n > 3 ? a->at[3].number : -1;
	struct bytes rest = a->at[0].text, old = a->at[1].text;
	size_t times = 0, at;
	struct text t;

	if (!old.len)
		return expr_fail(run, "nothing is to be replaced");
	for (struct bytes b = rest; (most < 0 || (int64_t)times < most) && (at = bytes_find(b, old)) != SIZE_MAX; times++)
		b = bytes_from(b, at + old.len);
	if (!expr_charge(run, times) || !expr_text_room(run, rest.len + times * a->at[2].text.len, &t))
		return false;
	for (; times; times--) {
		at = bytes_find(rest, old);
		text_put(&t, bytes_sub(rest, 0, at));
		text_put(&t, a->at[2].text);
		rest = bytes_from(rest, at + old.len);
	}
	text_put(&t, rest);
	return expr_return_text(run, text_bytes(&t), out);
}

bool fn_repeat(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	uint64_t times = a->at[1].number < 0 ? 0 : (uint64_t)a->at[1].number;
	struct text t;

	if (times > REPEAT_MAX || times * a->at->text.len > REPEAT_MAX)
		return expr_failf(run, "repeat() of more than %d bytes", REPEAT_MAX);
	if (!expr_charge(run, times) || !expr_text_room(run, times * a->at->text.len, &t))
		return false;
	for (; times; times--)
		text_put(&t, a->at->text);
	return expr_return_text(run, text_bytes(&t), out);
}

bool fn_join(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct bytes between = a->n > 1 ? a->at[1].text : BYTES("");
	size_t total = 0;
	struct text t;

	for (size_t i = 0; i < a->at->list.n; i++) {
		if (a->at->list.at[i].kind != EXPR_TEXT)
			return expr_fail(run, "join() of what is no text");
		total += a->at->list.at[i].text.len + between.len;
	}
	if (!expr_charge(run, a->at->list.n) || !expr_text_room(run, total, &t))
		return false;
	for (size_t i = 0; i < a->at->list.n; i++) {
		if (i)
			text_put(&t, between);
		text_put(&t, a->at->list.at[i].text);
	}
	return expr_return_text(run, text_bytes(&t), out);
}

bool fn_index_of(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	size_t at = bytes_find(a->at[0].text, a->at[1].text);

	(void)run;
	*out = expr_int_value(at == SIZE_MAX ? -1 : (int64_t)at);
	return true;
}

bool fn_last_index_of(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	*out = expr_int_value(-1);
	if (a->at[1].text.len > a->at[0].text.len || !expr_charge(run, a->at[0].text.len / EXPR_BYTES_A_STEP))
		return !run->failed;
	for (size_t i = a->at[0].text.len - a->at[1].text.len + 1; i-- > 0;)
		if (bytes_starts(bytes_from(a->at[0].text, i), a->at[1].text)) {
			*out = expr_int_value((int64_t)i);
			break;
		}
	return true;
}

bool fn_has_prefix(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return expr_op(run, OP_STARTS, &a->at[0], &a->at[1], out);
}

bool fn_has_suffix(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return expr_op(run, OP_ENDS, &a->at[0], &a->at[1], out);
}

bool fn_basename(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct bytes b = a->at->text;
	size_t from;

	while (b.len > 1 && b.at[b.len - 1] == '/')
		b.len--;
	for (from = b.len; from > 0 && b.at[from - 1] != '/';)
		from--;
	if (b.len == 1)
		from = 0; /* "/" */
	return expr_return_text(run, b.len ? bytes_from(b, from) : BYTES("."), out);
}

/* The fewest digits that read back the same; an exponent where Go has one. */
static void print_float(struct text *t, double d)
{
	char digits[40];
	int precision = 0, exponent;
	const char *e;

	if (isnan(d) || isinf(d)) {
		text_str(t, isnan(d) ? "NaN" : d > 0 ? "+Inf" : "-Inf");
		return;
	}
	do
		snprintf(digits, sizeof digits, "%.*e", precision, d);
	while (strtod(digits, NULL) != d && ++precision < 17);
	e = strchr(digits, 'e');
	exponent = e ? (int)strtol(e + 1, NULL, 10) : 0;
	if (exponent < -4 || exponent >= 21)
		text_str(t, digits);
	else
		text_printf(t, "%.*f", precision > exponent ? precision - exponent : 0, d);
}

static void print_one(struct text *t, const struct expr_value *v)
{
	switch (v->kind) {
	case EXPR_NIL: text_str(t, "<nil>"); break;
	case EXPR_BOOL: text_str(t, v->truth ? "true" : "false"); break;
	case EXPR_INT: text_printf(t, "%lld", (long long)v->number); break;
	case EXPR_FLOAT: print_float(t, v->real); break;
	case EXPR_TEXT: text_put(t, v->text); break;
	case EXPR_LIST: text_str(t, "[...]"); break;
	case EXPR_OBJECT: text_str(t, v->object.is->name); break;
	}
}

/* A list in a list is not looked into. */
void expr_print(struct text *t, const struct expr_value *v)
{
	if (v->kind != EXPR_LIST) {
		print_one(t, v);
		return;
	}
	text_byte(t, '[');
	for (size_t i = 0; i < v->list.n && !t->full; i++) {
		if (i)
			text_byte(t, ' ');
		print_one(t, &v->list.at[i]);
	}
	text_byte(t, ']');
}

bool fn_string(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct text t;

	if (a->at->kind == EXPR_TEXT) {
		*out = *a->at;
		return true;
	}
	if (!expr_text_room(run, a->at->kind == EXPR_LIST ? SHOWN_MAX : 400, &t))
		return false;
	expr_print(&t, a->at);
	return t.full ? expr_fail(run, "string() of what is too long") : expr_return_text(run, text_bytes(&t), out);
}

bool fn_to_string(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return expr_return_text(run, a->at->kind == EXPR_TEXT ? a->at->text : BYTES(""), out);
}

/* One directive; false: it is not for this value, or there is none. */
static bool print_directive(struct text *t, char letter, const struct expr_value *v)
{
	if (!v || (letter == 'd' && v->kind != EXPR_INT) || (letter == 's' && v->kind != EXPR_TEXT) ||
	    !strchr("sdv", letter))
		return false;
	expr_print(t, v);
	return true;
}

bool fn_sprintf(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	size_t room = a->at->text.len, used = 1;
	struct text t;

	for (size_t i = 1; i < a->n; i++)
		room += a->at[i].kind == EXPR_TEXT ? a->at[i].text.len : a->at[i].kind == EXPR_LIST ? SHOWN_MAX : 400;
	if (!expr_text_room(run, room, &t))
		return false;
	for (size_t i = 0; i < a->at->text.len; i++) {
		char c = a->at->text.at[i], letter = i + 1 < a->at->text.len ? a->at->text.at[i + 1] : '\0';

		if (c == '%' && letter != '%' &&
		    (!letter || !print_directive(&t, letter, used < a->n ? &a->at[used] : NULL)))
			return expr_fail(run, "Sprintf() knows %s, %d, %v and %% for a value of that kind each");
		used += c == '%' && letter != '%';
		if (c != '%' || letter == '%')
			text_byte(&t, c);
		i += c == '%';
	}
	if (used != a->n || t.full)
		return expr_fail(run, "Sprintf() with more values than its format takes");
	return expr_return_text(run, text_bytes(&t), out);
}

/* A pattern with * and ? against the whole: the last star takes one byte more whenever the rest does not fit. */
bool fn_match(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct bytes p = a->at[0].text, s = a->at[1].text;
	size_t i = 0, k = 0, star = SIZE_MAX, from = 0;

	if (!expr_charge(run, (p.len * s.len) / EXPR_BYTES_A_STEP))
		return false;
	while (k < s.len)
		if (i < p.len && p.at[i] == '*') {
			star = i++;
			from = k;
		} else if (i < p.len && (p.at[i] == '?' || p.at[i] == s.at[k])) {
			i++;
			k++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			k = ++from;
		} else {
			break;
		}
	while (i < p.len && p.at[i] == '*')
		i++;
	*out = expr_bool_value(k == s.len && i == p.len);
	return true;
}
