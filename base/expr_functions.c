/* expr_functions.c -- the functions of expressions: the table, and those of numbers, lists, addresses and files.
 *
 * Those with a small first letter are expr-lang's, the others CrowdSec's (crowdsec-docs: expr/). Upper and Lower are ASCII:
 * other bytes stay as they are. What is refused says why when an expression is compiled. */
#include "base/expr_functions.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/text.h"
#include <math.h>

static expr_fn fn_len, fn_type, fn_abs, fn_ceil, fn_floor, fn_round, fn_int, fn_float, fn_max, fn_min, fn_first, fn_last,
	fn_take, fn_reverse, fn_get, fn_concat, fn_duration, fn_json_extract, fn_json_unescape, fn_file, fn_regexp_in_file,
	fn_lookup_file, fn_ip_in_range, fn_is_ipv4, fn_is_ipv6, fn_is_ip, fn_ip_to_range, fn_distance, fn_time_now, fn_atof,
	fn_key_exists;

static const struct expr_function functions[] = {
	{ "len", "a", fn_len, true, "bytes of a text, items of a list" },
	{ "type", "a", fn_type, true, "the kind of a value: nil, bool, int, float, string, array, map" },
	{ "abs", "n", fn_abs, true, "without its sign" },
	{ "ceil", "n", fn_ceil, true, "the next integer above, as a float" },
	{ "floor", "n", fn_floor, true, "the next integer below, as a float" },
	{ "round", "n", fn_round, true, "the nearest integer, as a float" },
	{ "int", "a", fn_int, true, "a whole number of a decimal text or a float; fails for other texts" },
	{ "float", "a", fn_float, true, "a float of a text or a number" },
	{ "string", "a", fn_string, true, "as Go prints it" },
	{ "max", "a*", fn_max, true, "the largest of numbers and lists of them" },
	{ "min", "a*", fn_min, true, "the smallest" },
	{ "first", "l", fn_first, true, "nil when the list is empty" },
	{ "last", "l", fn_last, true, "nil when the list is empty" },
	{ "take", "li", fn_take, true, "the first n items" },
	{ "reverse", "l", fn_reverse, true, "the last item first" },
	{ "get", "aa", fn_get, false, "a member or an item, or nil" },
	{ "concat", "l*", fn_concat, true, "one list of all" },
	{ "duration", "s", fn_duration, true, "nanoseconds of Go's \"1h30m\"" },
	{ "trim", "s?s", fn_trim, true, "without blanks, or the bytes given, at both ends" },
	{ "trimPrefix", "s?s", fn_trim_prefix, true, "without this (a blank) in front" },
	{ "trimSuffix", "s?s", fn_trim_suffix, true, "without this (a blank) at the end" },
	{ "upper", "s", fn_upper, true, "ASCII letters in upper case" },
	{ "lower", "s", fn_lower, true, "ASCII letters in lower case" },
	{ "split", "ss?i", fn_split, true, "the parts between separators, at most n" },
	{ "replace", "sss?i", fn_replace, true, "text, old, new, how often" },
	{ "repeat", "si", fn_repeat, true, "the text n times" },
	{ "join", "l?s", fn_join, true, "the texts of a list with a separator between" },
	{ "indexOf", "ss", fn_index_of, true, "the first place in bytes, or -1" },
	{ "lastIndexOf", "ss", fn_last_index_of, true, "the last place in bytes, or -1" },
	{ "hasPrefix", "ss", fn_has_prefix, true, "as startsWith" },
	{ "hasSuffix", "ss", fn_has_suffix, true, "as endsWith" },
	{ "basename", "s", fn_basename, true, "what follows the last slash" },

	{ "Upper", "s", fn_upper, true, "ASCII letters in upper case" },
	{ "Lower", "s", fn_lower, true, "ASCII letters in lower case" },
	{ "TrimSpace", "s", fn_trim, true, "without blanks at both ends" },
	{ "Trim", "ss", fn_trim, true, "without the bytes given at both ends" },
	{ "TrimLeft", "ss", fn_trim_left, true, "without the bytes given in front" },
	{ "TrimRight", "ss", fn_trim_right, true, "without the bytes given at the end" },
	{ "TrimPrefix", "ss", fn_trim_prefix, true, "without this in front" },
	{ "TrimSuffix", "ss", fn_trim_suffix, true, "without this at the end" },
	{ "Split", "ss", fn_split, true, "the parts between separators" },
	{ "SplitN", "ssi", fn_split, true, "the same, at most n" },
	{ "Replace", "sssi", fn_replace, true, "text, old, new, how often (-1: always)" },
	{ "ReplaceAll", "sss", fn_replace, true, "text, old, new" },
	{ "Fields", "s", fn_fields, true, "the words between blanks" },
	{ "Sprintf", "sa*", fn_sprintf, true, "%s, %d, %v and %% only" },
	{ "ToString", "a", fn_to_string, true, "a text as it is, anything else empty" },
	{ "ParseUri", "s", fn_parse_uri, false, "the query's arguments: name -> list of values" },
	{ "PathEscape", "s", fn_path_escape, true, "percent escapes for a path" },
	{ "PathUnescape", "s", fn_path_unescape, true, "without them; a text with a broken one as it is" },
	{ "QueryEscape", "s", fn_query_escape, true, "percent escapes for a query" },
	{ "QueryUnescape", "s", fn_query_unescape, true, "without them, + a blank; a text with a broken one as it is" },
	{ "Base64Decode", "s", fn_base64_decode, true, "fails for what is not base64" },
	{ "JsonExtract", "ss", fn_json_extract, true, "the value at a path such as a.b[0], as written; empty when it is not there" },
	{ "JsonExtractUnescape", "ss", fn_json_unescape, true, "the same without escapes" },
	{ "File", "s", fn_file, true, "the lines of a file" },
	{ "RegexpInFile", "ss", fn_regexp_in_file, true, "does any expression of the file match the text?" },
	{ "LookupFile", "ss", fn_lookup_file, true, "the tag of the file's entry that fits the text; else empty" },
	{ "IpInRange", "ss", fn_ip_in_range, true, "is the address in the block?" },
	{ "IsIPV4", "s", fn_is_ipv4, true, "" },
	{ "IsIPV6", "s", fn_is_ipv6, true, "" },
	{ "IsIP", "s", fn_is_ip, true, "" },
	{ "IpToRange", "ss", fn_ip_to_range, true, "the block of that many bits that an address is in" },
	{ "Match", "ss", fn_match, true, "pattern with * and ?, text" },
	{ "Distance", "ssss", fn_distance, true, "kilometres between two places: latitude, longitude, twice" },
	{ "TimeNow", "", fn_time_now, false, "UTC, RFC 3339" },
	{ "Atof", "s", fn_atof, true, "a float, 0 when it is none" },
	{ "Get", "li", fn_get, true, "an item, or the empty text" },
	{ "KeyExists", "so", fn_key_exists, false, "has the object such a member?" },

	{ "LookupHost", "s", NULL, false, "it would ask the DNS while a request waits" },
	{ "XMLGetAttributeValue", "sss", NULL, false, "there is no XML here" },
	{ "XMLGetNodeValue", "ss", NULL, false, "there is no XML here" },
	{ "now", "?s", NULL, false, "there are no times here; TimeNow() gives a text" },
	{ "date", "s", NULL, false, "there are no times here" },
	{ "fromJSON", "s", NULL, false, "there are no maps here; JsonExtract() takes values out of JSON" },
	{ "toJSON", "a", NULL, false, "there are no maps here" },
	{ "groupBy", "la", NULL, false, "there are no maps here" },
	{ "sortBy", "la", NULL, false, "lists are not sorted here" },
	{ "reduce", "la", NULL, false, "sum() and count() are" },
};

/* Those that run a closure for each item; by enum expr_loop. */
static const struct { const char *name, *help; } loops[] = {
	[LOOP_ANY] = { "any", "is it true of some item?" },
	[LOOP_ALL] = { "all", "of every one?" },
	[LOOP_NONE] = { "none", "of not one?" },
	[LOOP_ONE] = { "one", "of exactly one?" },
	[LOOP_FILTER] = { "filter", "the items that it is true of" },
	[LOOP_MAP] = { "map", "what it makes of each item" },
	[LOOP_COUNT] = { "count", "how many it is true of; without a closure, how many are true" },
	[LOOP_SUM] = { "sum", "the sum of what it makes; without a closure, of the items" },
	[LOOP_FIND] = { "find", "the first item that it is true of, or nil" },
	[LOOP_FIND_INDEX] = { "findIndex", "the place of that, or nil" },
};

int expr_loop_find(struct bytes name)
{
	for (size_t i = 0; i < nelems(loops); i++)
		if (bytes_eq(name, bytes_of(loops[i].name)))
			return (int)i;
	return -1;
}

const struct expr_function *expr_function_row(size_t i)
{
	return i < nelems(functions) ? &functions[i] : NULL;
}

const struct expr_function *expr_function_find(struct bytes name)
{
	for (size_t i = 0; i < nelems(functions); i++)
		if (bytes_eq(name, bytes_of(functions[i].name)))
			return &functions[i];
	return NULL;
}

void expr_function_takes(const struct expr_function *f, size_t *min, size_t *max)
{
	const char *optional = strchr(f->takes, '?'), *any = strchr(f->takes, '*');
	size_t n = strlen(f->takes);

	*max = any ? SIZE_MAX : n - (optional != NULL);
	*min = optional ? (size_t)(optional - f->takes) : any ? n - 1 : n;
	if (any && n > 2)
		*min = n - 2; /* a format and nothing to put in */
}

static bool is_kind(char letter, enum expr_kind k)
{
	switch (letter) {
	case 's': return k == EXPR_TEXT;
	case 'i': return k == EXPR_INT;
	case 'n': return k == EXPR_INT || k == EXPR_FLOAT;
	case 'l': return k == EXPR_LIST;
	case 'o': return k == EXPR_OBJECT;
	default: return true;
	}
}

bool expr_function_call(struct expr_run *run, const struct expr_data *data, const struct expr_function *f,
			const struct expr_value *args, size_t n, struct expr_value *out)
{
	const struct expr_args a = { args, n, data };
	const char *letter = f->takes;
	struct expr_value made = { .kind = EXPR_NIL };

	for (size_t i = 0; i < n; i++) {
		letter += *letter == '?';
		if (!is_kind(*letter, args[i].kind))
			return expr_failf(run, "%s() does not take %s as argument %zu", f->name,
					  expr_kind_name(args[i].kind), i + 1);
		letter += letter[1] != '*';
	}
	if (!f->run(run, &a, &made))
		return expr_failf(run, "%s() failed", f->name); /* unless it said more */
	*out = made;
	return true;
}

/* ---- what functions return ---- */

bool expr_return_text(struct expr_run *run, struct bytes b, struct expr_value *out)
{
	if (!b.at && b.len == 0)
		b.at = "";
	*out = expr_text_value(b);
	return b.at || expr_fail(run, "out of memory");
}

struct expr_value *expr_return_list(struct expr_run *run, size_t n, struct expr_value *out)
{
	struct expr_value *at = expr_charge(run, n) ? arena_get(run->arena, (n + 1) * sizeof *at) : NULL;

	if (!at)
		expr_fail(run, "out of memory");
	*out = (struct expr_value){ .kind = EXPR_LIST, .list = { at, n } };
	return at;
}

bool expr_text_room(struct expr_run *run, size_t cap, struct text *t)
{
	char *at = expr_charge(run, cap / EXPR_BYTES_A_STEP) ? arena_raw(run->arena, cap + 1) : NULL;

	*t = text_over(at, cap);
	return at || expr_fail(run, "out of memory");
}

/* ---- numbers ---- */

static bool fn_len(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	if (a->at->kind != EXPR_TEXT && a->at->kind != EXPR_LIST)
		return expr_failf(run, "%s has no length", expr_kind_name(a->at->kind));
	*out = expr_int_value((int64_t)(a->at->kind == EXPR_TEXT ? a->at->text.len : a->at->list.n));
	return true;
}

static bool fn_type(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return expr_return_text(run, a->at->kind == EXPR_OBJECT ? BYTES("map") : bytes_of(expr_kind_name(a->at->kind)),
				out);
}

static bool fn_abs(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	*out = *a->at;
	return (a->at->kind == EXPR_INT ? a->at->number >= 0 : a->at->real >= 0) || expr_op_minus(run, out);
}

static double real_of(const struct expr_value *a)
{
	return a->kind == EXPR_INT ? (double)a->number : a->real;
}

static bool fn_ceil(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	(void)run;
	*out = expr_float_value(ceil(real_of(a->at)));
	return true;
}

static bool fn_floor(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	(void)run;
	*out = expr_float_value(floor(real_of(a->at)));
	return true;
}

static bool fn_round(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	(void)run;
	*out = expr_float_value(round(real_of(a->at)));
	return true;
}

/* Go's strconv.Atoi: a sign and decimal digits. */
static bool parse_int(struct bytes b, int64_t *out)
{
	bool minus = b.len && b.at[0] == '-';
	uint64_t n;

	if (!bytes_u64(bytes_from(b, b.len && (minus || b.at[0] == '+')), &n) || n > (uint64_t)INT64_MAX + minus)
		return false;
	*out = (int64_t)(minus ? 0 - n : n);
	return true;
}

static bool fn_int(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	*out = *a->at;
	if (a->at->kind == EXPR_INT)
		return true;
	out->kind = EXPR_INT;
	if (a->at->kind == EXPR_FLOAT && a->at->real > -9.2e18 && a->at->real < 9.2e18) {
		out->number = (int64_t)a->at->real;
		return true;
	}
	return (a->at->kind == EXPR_TEXT && parse_int(a->at->text, &out->number)) ||
	       expr_fail(run, "int() of what is no integer");
}

static bool parse_float(struct bytes b, double *out)
{
	char plain[400], *end;

	if (!b.len || b.len >= sizeof plain || b.at[0] <= ' ' || bytes_index(b, '(') != SIZE_MAX ||
	    bytes_index(b, '\0') != SIZE_MAX)
		return false;
	memcpy(plain, b.at, b.len);
	plain[b.len] = '\0';
	*out = strtod(plain, &end);
	return !*end;
}

static bool fn_float(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	double d;

	if (a->at->kind == EXPR_TEXT ? !parse_float(a->at->text, &d) : a->at->kind != EXPR_INT && a->at->kind != EXPR_FLOAT)
		return expr_fail(run, "float() of what is no number");
	*out = expr_float_value(a->at->kind == EXPR_TEXT ? d : real_of(a->at));
	return true;
}

static bool fn_atof(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	double d = 0;

	(void)run;
	*out = expr_float_value(parse_float(a->at->text, &d) ? d : 0);
	return true;
}

/* `out` is nil at first. Lists are looked into, but no deeper. */
static bool extreme(struct expr_run *run, enum expr_op better, const struct expr_value *a, size_t n, bool deep,
		    struct expr_value *out)
{
	struct expr_value yes;

	if (!expr_charge(run, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (a[i].kind == EXPR_LIST && deep) {
			if (!extreme(run, better, a[i].list.at, a[i].list.n, false, out))
				return false;
			continue;
		}
		if (a[i].kind != EXPR_INT && a[i].kind != EXPR_FLOAT)
			return expr_failf(run, "no number: %s", expr_kind_name(a[i].kind));
		if (out->kind == EXPR_NIL || (expr_op(run, better, &a[i], out, &yes) && yes.truth))
			*out = a[i];
	}
	return true;
}

static bool fn_max(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return extreme(run, OP_GT, a->at, a->n, true, out);
}

static bool fn_min(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return extreme(run, OP_LT, a->at, a->n, true, out);
}

/* One number with its unit, "1.5h"; *rest moves behind it. */
static bool duration_part(struct bytes *rest, double *ns)
{
	static const struct { const char *name; double ns; } units[] = {
		{ "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "m", 6e10 }, { "h", 3.6e12 },
	};
	size_t digits = 0;
	double d;

	while (digits < rest->len && (rest->at[digits] == '.' || (rest->at[digits] >= '0' && rest->at[digits] <= '9')))
		digits++;
	if (!parse_float(bytes_sub(*rest, 0, digits), &d))
		return false;
	*rest = bytes_from(*rest, digits);
	for (size_t i = 0; i < nelems(units); i++)
		if (bytes_starts(*rest, bytes_of(units[i].name)) &&
		    !(bytes_starts(*rest, BYTES("ms")) && units[i].ns > 1e6)) {
			*rest = bytes_from(*rest, strlen(units[i].name));
			*ns += d * units[i].ns;
			return true;
		}
	return false;
}

static bool fn_duration(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct bytes rest =
		bytes_from(a->at->text, a->at->text.len && (a->at->text.at[0] == '-' || a->at->text.at[0] == '+'));
	bool zero = bytes_eq(rest, BYTES("0")), ok = rest.len > 0;
	double ns = 0;

	while (!zero && ok && rest.len)
		ok = duration_part(&rest, &ns);
	if (!ok || ns > 9.2e18)
		return expr_fail(run, "no duration such as \"1h30m\"");
	*out = expr_int_value((int64_t)(a->at->text.at[0] == '-' ? -ns : ns));
	return true;
}

/* ---- lists ---- */

static bool fn_first(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	(void)run;
	if (a->at->list.n)
		*out = a->at->list.at[0];
	return true;
}

static bool fn_last(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	(void)run;
	if (a->at->list.n)
		*out = a->at->list.at[a->at->list.n - 1];
	return true;
}

static bool fn_take(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	if (a->at[1].number < 0)
		return expr_fail(run, "take() of less than nothing");
	*out = a->at[0];
	if ((uint64_t)a->at[1].number < a->at->list.n)
		out->list.n = (size_t)a->at[1].number;
	return true;
}

static bool fn_reverse(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct expr_value *at = expr_return_list(run, a->at->list.n, out);

	for (size_t i = 0; at && i < a->at->list.n; i++)
		at[i] = a->at->list.at[a->at->list.n - 1 - i];
	return at != NULL;
}

static bool fn_concat(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct expr_value *at;
	size_t total = 0, put = 0;

	for (size_t i = 0; i < a->n; i++)
		total += a->at[i].list.n;
	at = expr_return_list(run, total, out);
	for (size_t i = 0; at && i < a->n; put += a->at[i].list.n, i++)
		if (a->at[i].list.n)
			memcpy(at + put, a->at[i].list.at, a->at[i].list.n * sizeof *at);
	return at != NULL;
}

/* CrowdSec's Get() has the empty text for what is not there, and takes lists only; expr-lang's has nil. */
static bool fn_get(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	const char *before = run->failed;

	if (expr_op_index(run, &a->at[0], &a->at[1], out))
		return true;
	*out = (struct expr_value){ .kind = EXPR_NIL };
	run->failed = before;
	return true;
}

/* ---- JSON and files ---- */

static bool fn_json_extract(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct bytes raw = BYTES("");
	bool is_text;

	if (!expr_charge(run, a->at->text.len / EXPR_BYTES_A_STEP))
		return false;
	if (!expr_json_find(a->at[0].text, a->at[1].text, &raw, &is_text))
		raw = BYTES("");
	return expr_return_text(run, raw, out);
}

static bool fn_json_unescape(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct bytes raw = BYTES("");
	bool is_text = false;

	if (!expr_charge(run, a->at->text.len / EXPR_BYTES_A_STEP))
		return false;
	if (!expr_json_find(a->at[0].text, a->at[1].text, &raw, &is_text) || !is_text)
		return expr_return_text(run, BYTES(""), out);
	raw = expr_json_unescape(run->arena, raw);
	return raw.at ? expr_return_text(run, raw, out) : expr_fail(run, "out of memory");
}

static const struct expr_file *file_of(struct expr_run *run, const struct expr_data *data, struct bytes name,
				       enum expr_data_type type)
{
	static const char *const types[] = { "string", "regexp", "map" };
	const struct expr_file *f = data ? expr_data_find(data, name, type) : NULL;

	if (!f)
		expr_failf(run, "there is no file '%.*s' of type %s", (int)(name.len > 80 ? 80 : name.len), name.at,
			   types[type]);
	return f;
}

static bool fn_file(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	const struct expr_file *f = file_of(run, a->data, a->at->text, EXPR_DATA_STRING);

	if (!f)
		return false;
	out->kind = EXPR_LIST;
	out->list.at = expr_file_lines(f, &out->list.n);
	return true;
}

static bool fn_regexp_in_file(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	const struct expr_file *f = file_of(run, a->data, a->at[1].text, EXPR_DATA_REGEXP);

	*out = expr_bool_value(false);
	return f && expr_file_match(run, f, a->at[0].text, &out->truth);
}

static bool fn_lookup_file(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	const struct expr_file *f = file_of(run, a->data, a->at[1].text, EXPR_DATA_MAP);
	struct bytes tag;

	return f && expr_file_look_up(run, f, a->at[0].text, &tag) && expr_return_text(run, tag, out);
}

/* ---- addresses, places, time ---- */

static bool fn_ip_in_range(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct ip ip;
	struct ip_net net;

	(void)run;
	*out = expr_bool_value(ip_parse(a->at[0].text, &ip) && bytes_index(a->at[1].text, '/') != SIZE_MAX &&
			       ip_net_parse(a->at[1].text, &net) && ip_in_net(&ip, &net));
	return true;
}

static bool fn_is_ipv4(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct ip ip;

	(void)run;
	*out = expr_bool_value(ip_parse(a->at->text, &ip) && ip_is4(&ip));
	return true;
}

static bool fn_is_ipv6(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct ip ip;

	(void)run;
	*out = expr_bool_value(ip_parse(a->at->text, &ip) && !ip_is4(&ip));
	return true;
}

static bool fn_is_ip(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct ip ip;

	(void)run;
	*out = expr_bool_value(ip_parse(a->at->text, &ip));
	return true;
}

static bool fn_ip_to_range(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	struct bytes mask = bytes_from(a->at[1].text, bytes_starts(a->at[1].text, BYTES("/")));
	struct ip_net net;
	struct text t;
	uint64_t bits;
	struct ip ip;

	if (!bytes_u64(mask, &bits) || !ip_parse(a->at[0].text, &ip) || bits > (ip_is4(&ip) ? 32 : 128))
		return expr_return_text(run, BYTES(""), out);
	if (!expr_text_room(run, 100, &t))
		return false;
	text_printf(&t, "%.*s/%u", BYTES_ARG(a->at[0].text), (unsigned)bits);
	if (t.full || !ip_net_parse(text_bytes(&t), &net))
		return expr_return_text(run, BYTES(""), out);
	t.len = 0;
	ip_text(&t, &net.base);
	text_printf(&t, "/%u", (unsigned)bits);
	return expr_return_text(run, text_bytes(&t), out);
}

/* Haversine; 0 where either place is 0,0, which databases have for "unknown". */
static bool fn_distance(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	const double degree = 3.14159265358979323846 / 180, radius_km = 6371;
	double d[4], lat, lon, h;

	for (int i = 0; i < 4; i++)
		if (!parse_float(a->at[i].text, &d[i]))
			return expr_fail(run, "Distance() of what is no number");
	if ((d[0] == 0 && d[1] == 0) || (d[2] == 0 && d[3] == 0)) {
		*out = expr_float_value(0);
		return true;
	}
	lat = sin((d[2] - d[0]) * degree / 2);
	lon = sin((d[3] - d[1]) * degree / 2);
	h = lat * lat + cos(d[0] * degree) * cos(d[2] * degree) * lon * lon;
	*out = expr_float_value(2 * radius_km * asin(sqrt(h > 1 ? 1 : h)));
	return true;
}

static bool fn_time_now(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	time_t now = time(NULL);
	struct text t;
	struct tm tm;

	(void)a;
	if (!expr_text_room(run, 40, &t) || !gmtime_r(&now, &tm))
		return false;
	t.len = strftime(t.at, t.cap, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return expr_return_text(run, text_bytes(&t), out);
}

static bool fn_key_exists(struct expr_run *run, const struct expr_args *a, struct expr_value *out)
{
	return expr_op(run, OP_IN, &a->at[0], &a->at[1], out);
}
