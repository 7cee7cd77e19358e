/* json.c -- the structure of a JSON text: containers, names, numbers, words.
 *
 * A state per byte where a piece may end, a stack of frames instead of
 * recursion. json_string.c reads what is between quotes. */
#include "rules/body/json_string.h"

static bool fail(struct json *j, const char *why)
{
	return body_fail(&j->body, FAULT_MALFORMED, 0, why);
}

bool json_name(struct json *j, struct bytes more)
{
	return buffer_put(&j->body, &j->path, more, j->body.setup.limits.name_bytes, FAULT_NAME);
}

static struct frame *top(struct json *j)
{
	return j->depth ? &j->frames[j->depth - 1] : NULL;
}

/* Names the element of an array that begins here; members have their keys. */
static bool name_element(struct json *j)
{
	bool word = j->body.setup.arrays == JSON_ARRAYS_WORD;
	struct frame *f = top(j);
	char digits[24];
	size_t i = sizeof digits, n;

	if (!f || !f->array)
		return true;
	n = f->index++;
	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	j->path.len = f->path_len;
	return json_name(j, word ? BYTES(".array_") : BYTES(".")) &&
	       json_name(j, (struct bytes){ digits + i, sizeof digits - i });
}

static struct bytes path(const struct json *j)
{
	return (struct bytes){ j->path.at, j->path.len };
}

bool json_tell(struct json *j, struct bytes text)
{
	j->state = j->depth ? IN_AFTER : IN_END;
	if (text.len > j->body.setup.limits.value_bytes)
		return body_too_long(&j->body, FAULT_VALUE);
	return body_tell_copy(&j->body, VALUE_ARG, path(j), text, j->value_at);
}

bool json_tell_collected(struct json *j)
{
	struct bytes text = buffer_keep(&j->body, &j->value);
	struct bytes name;

	j->state = j->depth ? IN_AFTER : IN_END;
	return text.at && body_keep(&j->body, path(j), &name) &&
	       body_tell(&j->body, VALUE_ARG, name, text, j->value_at);
}

static bool container_open(struct json *j, bool array)
{
	struct frame *grown;

	if (j->depth >= j->body.setup.limits.depth)
		return body_fail(&j->body, FAULT_DEPTH, 0, "nested too deeply");
	grown = arena_grow(j->body.arena, j->frames, &j->cap, j->depth + 1, sizeof *grown);
	if (!grown)
		return body_fail(&j->body, FAULT_MEMORY, 0, "no memory is left for this request");
	j->frames = grown;
	j->frames[j->depth++] = (struct frame){ j->path.len, 0, array };
	j->state = array ? IN_FIRST_ELEMENT : IN_FIRST_KEY;
	return true;
}

static bool container_close(struct json *j, bool array)
{
	if (!j->depth || top(j)->array != array)
		return fail(j, "a bracket that closes nothing");
	j->depth--;
	j->state = j->depth ? IN_AFTER : IN_END;
	return true;
}

/* RFC 8259 6, as a table: from a state by a class of byte to the next one. */
enum number_class { N_OTHER, N_ZERO, N_DIGIT, N_DOT, N_EXP, N_MINUS, N_PLUS, N_CLASSES };

static enum number_class number_class(char c)
{
	switch (c) {
	case '0': return N_ZERO;
	case '.': return N_DOT;
	case 'e': case 'E': return N_EXP;
	case '-': return N_MINUS;
	case '+': return N_PLUS;
	default: return c >= '1' && c <= '9' ? N_DIGIT : N_OTHER;
	}
}

static const uint8_t number_next[NUM_STATES][N_CLASSES] = {
	[NUM_START] = { [N_ZERO] = NUM_ZERO, [N_DIGIT] = NUM_INT, [N_MINUS] = NUM_MINUS },
	[NUM_MINUS] = { [N_ZERO] = NUM_ZERO, [N_DIGIT] = NUM_INT },
	[NUM_ZERO] = { [N_DOT] = NUM_DOT, [N_EXP] = NUM_E },
	[NUM_INT] = { [N_ZERO] = NUM_INT, [N_DIGIT] = NUM_INT, [N_DOT] = NUM_DOT, [N_EXP] = NUM_E },
	[NUM_DOT] = { [N_ZERO] = NUM_FRACTION, [N_DIGIT] = NUM_FRACTION },
	[NUM_FRACTION] = { [N_ZERO] = NUM_FRACTION, [N_DIGIT] = NUM_FRACTION, [N_EXP] = NUM_E },
	[NUM_E] = { [N_ZERO] = NUM_EXPONENT, [N_DIGIT] = NUM_EXPONENT, [N_MINUS] = NUM_E_SIGN,
		    [N_PLUS] = NUM_E_SIGN },
	[NUM_E_SIGN] = { [N_ZERO] = NUM_EXPONENT, [N_DIGIT] = NUM_EXPONENT },
	[NUM_EXPONENT] = { [N_ZERO] = NUM_EXPONENT, [N_DIGIT] = NUM_EXPONENT },
};

static bool number_whole(enum number_state s)
{
	return s == NUM_ZERO || s == NUM_INT || s == NUM_FRACTION || s == NUM_EXPONENT;
}

static bool number_end(struct json *j, struct bytes run)
{
	if (j->value.len + run.len > j->body.setup.limits.value_bytes)
		return body_too_long(&j->body, FAULT_VALUE);
	if (!number_whole(j->number))
		return fail(j, "neither a value nor a whole number");
	return j->value.len == 0 ? json_tell(j, run)
				 : json_collect(j, run) && json_tell_collected(j);
}

static bool number(struct json *j)
{
	const char *from = j->at;
	enum number_state next;

	for (; j->at < j->end; j->at++) {
		next = number_next[j->number][number_class(*j->at)];
		if (!next)
			return number_end(j, (struct bytes){ from, (size_t)(j->at - from) });
		j->number = next;
	}
	return json_collect(j, (struct bytes){ from, (size_t)(j->at - from) });
}

static bool word(struct json *j)
{
	while (j->at < j->end && j->word[j->nword]) {
		if (*j->at != j->word[j->nword])
			return fail(j, "neither a value nor true, false or null");
		j->at++;
		j->nword++;
	}
	return j->word[j->nword] || json_tell(j, (struct bytes){ j->word, j->nword });
}

static bool word_begin(struct json *j, const char *w)
{
	j->word = w;
	j->nword = 0;
	j->state = IN_WORD;
	return word(j);
}

static bool number_begin(struct json *j)
{
	j->number = NUM_START;
	j->state = IN_NUMBER;
	return number(j);
}

static bool string_begin(struct json *j, bool key)
{
	j->at++;
	j->key = key;
	j->state = IN_STRING;
	return json_string(j);
}

static bool container_begin(struct json *j, bool array)
{
	j->at++;
	return container_open(j, array);
}

/* The cursor is at the first byte of a value. */
static bool value(struct json *j)
{
	if (!name_element(j))
		return false;
	j->value_at = j->body.taken + (uint64_t)(j->at - j->start);
	switch (*j->at) {
	case '"': return string_begin(j, false);
	case '{': return container_begin(j, false);
	case '[': return container_begin(j, true);
	case 't': return word_begin(j, "true");
	case 'f': return word_begin(j, "false");
	case 'n': return word_begin(j, "null");
	default: return number_begin(j); /* or fails there */
	}
}

static bool first_element(struct json *j)
{
	if (*j->at != ']')
		return value(j);
	j->at++;
	return container_close(j, true);
}

static bool key(struct json *j)
{
	if (*j->at != '"')
		return fail(j, "a member without a quoted name");
	j->path.len = top(j)->path_len;
	return json_name(j, BYTES(".")) && string_begin(j, true);
}

static bool first_key(struct json *j)
{
	if (*j->at != '}')
		return key(j);
	j->at++;
	return container_close(j, false);
}

static bool colon(struct json *j)
{
	if (*j->at++ != ':')
		return fail(j, "no colon after a name");
	j->state = IN_VALUE;
	return true;
}

static bool after(struct json *j)
{
	switch (*j->at++) {
	case ',':
		j->state = top(j)->array ? IN_VALUE : IN_KEY;
		return true;
	case ']':
		return container_close(j, true);
	case '}':
		return container_close(j, false);
	default:
		return fail(j, "neither a comma nor a closing bracket after a value");
	}
}

static bool end_only(struct json *j)
{
	return fail(j, "text after the value");
}

/* U+FEFF is skipped where it stands first; half of one is an error. */
static bool mark(struct json *j)
{
	static const char bom[] = "\xef\xbb\xbf";

	while (j->at < j->end && j->nmark < 3 && *j->at == bom[j->nmark]) {
		j->at++;
		j->nmark++;
	}
	if (j->at == j->end && j->nmark < 3)
		return true;
	j->state = IN_VALUE;
	return j->nmark % 3 == 0 || fail(j, "half of a byte order mark");
}

/* Between these tokens blanks may stand. */
static bool (*const token_steps[])(struct json *) = {
	[IN_VALUE] = value,       [IN_FIRST_ELEMENT] = first_element,
	[IN_FIRST_KEY] = first_key, [IN_KEY] = key,
	[IN_COLON] = colon,       [IN_AFTER] = after,
	[IN_END] = end_only,
};

/* Inside these they may not, or mean something. */
static bool (*const inner_steps[])(struct json *) = {
	[IN_MARK] = mark,       [IN_NUMBER] = number,       [IN_WORD] = word,
	[IN_STRING] = json_string, [IN_ESCAPE] = json_escape, [IN_HEX] = json_hex,
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool step(struct json *j)
{
	if (j->state == IN_MARK || j->state >= IN_NUMBER)
		return inner_steps[j->state](j);
	while (j->at < j->end && is_blank(*j->at))
		j->at++;
	return j->at == j->end || token_steps[j->state](j);
}

static bool open(struct body *b)
{
	return json_name((struct json *)b, BYTES("json"));
}

static bool push(struct body *b, struct bytes piece)
{
	struct json *j = (struct json *)b;

	j->at = j->start = piece.at;
	j->end = piece.at + piece.len;
	while (j->at < j->end)
		if (!step(j)) {
			b->fault_at = b->taken + (uint64_t)(j->at - j->start);
			return false;
		}
	return true;
}

static bool end(struct body *b)
{
	struct json *j = (struct json *)b;
	bool ok = j->state == IN_NUMBER ? number_end(j, (struct bytes){ "", 0 }) : true;

	if (ok && j->state != IN_END)
		ok = fail(j, "it ends too early");
	if (!ok)
		b->fault_at = b->taken;
	return ok;
}

const struct body_parser body_json = { "json", sizeof(struct json), open, push, end };
