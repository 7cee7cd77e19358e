/* multipart_head.c -- the header lines of a part.
 *
 * What counts is which name and which file name a server would see. Where two
 * readings are possible (a parameter twice, a backslash, filename*) all are
 * kept and the part is flagged. And where one reader may see a file and another
 * a field, it is both: its data is inspected as a field's. */
#include "rules/body/multipart_state.h"

/* A part with one of these is perhaps not the file that it seems to be. */
enum {
	AMBIGUOUS = ODD_HEADER_FOLDED | ODD_MISSING_SEMICOLON | ODD_QUOTING | ODD_PART |
		    ODD_HEADER | ODD_NAME_TWICE,
};

void part_odd(struct body *b, struct part *part, bool odd, unsigned bits)
{
	part->odd |= odd ? bits : 0;
	b->anomalies |= part->odd;
}

static bool no_memory(struct body *b)
{
	return body_fail(b, FAULT_MEMORY, b->taken, "no memory is left for this request");
}

static void reading_add(struct readings *r, struct bytes reading)
{
	for (size_t i = 0; i < r->n; i++)
		if (bytes_eq(r->at[i], reading))
			return;
	if (r->n < READINGS)
		r->at[r->n++] = reading;
}

/* RFC 8187: charset'language'percent-encoded; without quotes all is text. */
static bool extended(struct body *b, struct bytes raw, struct bytes *out)
{
	size_t first = bytes_index(raw, '\'');
	struct bytes text = first == SIZE_MAX ? raw : bytes_from(raw, first + 1);
	size_t second = first == SIZE_MAX ? SIZE_MAX : bytes_index(text, '\'');
	char *to;
	size_t n = 0;

	text = second == SIZE_MAX ? raw : bytes_from(text, second + 1);
	to = arena_raw(b->arena, text.len + 1);
	if (!to)
		return no_memory(b);
	for (size_t i = 0; i < text.len; i++) {
		int high = text.at[i] == '%' && i + 2 < text.len ? byte_hex(text.at[i + 1]) : -1;
		int low = high < 0 ? -1 : byte_hex(text.at[i + 2]);

		to[n++] = low < 0 ? text.at[i] : (char)(high << 4 | low);
		i += low < 0 ? 0 : 2;
	}
	*out = (struct bytes){ to, n };
	return true;
}

static bool is_odd_token(struct bytes v)
{
	return bytes_starts(v, BYTES("'")) || bytes_index(v, '"') != SIZE_MAX;
}

/* A name or filename parameter. Some libraries send filename and filename*
 * together; twice of the same kind no honest one does. */
static bool take_name(struct body *b, struct part *part, struct readings *r, const struct param *p)
{
	struct bytes decoded;

	part_odd(b, part, p->star ? r->star : r->plain, ODD_NAME_TWICE);
	part_odd(b, part, p->star, ODD_FILENAME_STAR);
	part_odd(b, part, !bytes_eq(p->value, p->raw), ODD_ESCAPE);
	part_odd(b, part, p->quoted ? bytes_find(p->raw, BYTES("\\\"")) != SIZE_MAX
				    : is_odd_token(p->value), ODD_QUOTING);
	r->star |= p->star;
	r->plain |= !p->star;
	if (p->star) {
		if (!extended(b, p->value, &decoded))
			return false;
		reading_add(r, decoded);
		return true;
	}
	reading_add(r, p->value);
	reading_add(r, p->raw);
	return true;
}

static bool take_disposition(struct body *b, struct part *part, struct bytes value)
{
	size_t semicolon = bytes_index(value, ';');
	struct bytes kind = bytes_trim(bytes_sub(value, 0, semicolon));
	struct bytes rest = bytes_from(value, semicolon);
	struct param p;

	part_odd(b, part, part->disposed, ODD_NAME_TWICE);
	part->disposed = true;
	part_odd(b, part, !bytes_eq_nocase(kind, BYTES("form-data")), ODD_PART);
	while (param_cut(b->arena, &rest, &p)) {
		size_t star = bytes_index(p.name, '*'); /* filename*0, as RFC 2231 continues one */

		p.star |= star != SIZE_MAX;
		p.name = bytes_sub(p.name, 0, star);
		part_odd(b, part, p.bad, ODD_QUOTING);
		part_odd(b, part, p.no_semicolon, ODD_MISSING_SEMICOLON);
		if ((bytes_eq_nocase(p.name, BYTES("filename")) &&
		     !take_name(b, part, &part->filenames, &p)) ||
		    (bytes_eq_nocase(p.name, BYTES("name")) &&
		     !take_name(b, part, &part->names, &p)))
			return false;
	}
	return p.value.at || no_memory(b);
}

static bool take_type(struct body *b, struct part *part, struct bytes value)
{
	struct content_type t;

	part_odd(b, part, part->typed, ODD_NAME_TWICE);
	part->typed = true;
	part->type = value;
	if (!content_type_parse(b->arena, value, &t))
		return no_memory(b);
	part_odd(b, part, t.flags & (TYPE_CHARSET_WIDE | TYPE_CHARSET_TWICE), ODD_CHARSET);
	part_odd(b, part, bytes_starts(t.media, BYTES("multipart/")), ODD_PART); /* RFC 7578 4.3 */
	return true;
}

static bool is_identity(struct bytes coding)
{
	return bytes_eq_nocase(coding, BYTES("7bit")) || bytes_eq_nocase(coding, BYTES("8bit")) ||
	       bytes_eq_nocase(coding, BYTES("binary"));
}

static bool has_control(struct bytes line)
{
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.at[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

bool part_header(struct body *b, struct part *part, struct bytes line)
{
	struct bytes *grown = arena_grow(b->arena, part->lines, &part->cap, part->nlines + 1,
					 sizeof *grown);
	size_t colon = bytes_index(line, ':');
	struct bytes name = bytes_sub(line, 0, colon);
	struct bytes value = bytes_trim(bytes_from(line, colon == SIZE_MAX ? line.len : colon + 1));

	if (!grown)
		return no_memory(b);
	part->lines = grown;
	part->lines[part->nlines++] = line;
	part_odd(b, part, colon == SIZE_MAX || colon == 0 || has_control(line) ||
		     bytes_trim(name).len != name.len, ODD_HEADER);
	name = bytes_trim(name);
	if (bytes_eq_nocase(name, BYTES("content-disposition")))
		return take_disposition(b, part, value);
	if (bytes_eq_nocase(name, BYTES("content-type")))
		return take_type(b, part, value);
	if (bytes_eq_nocase(name, BYTES("content-transfer-encoding")))
		part_odd(b, part, !is_identity(value), ODD_ENCODING);
	return true;
}

static bool tell_file_names(struct body *b, const struct part *part, uint64_t at)
{
	const struct readings *names = &part->names, *files = &part->filenames;

	for (size_t i = 0; i < names->n; i++)
		for (size_t k = 0; k < files->n; k++)
			if (!body_tell(b, VALUE_FILE_NAME, names->at[i], files->at[k], at))
				return false;
	return true;
}

bool part_head_end(struct body *b, struct part *part, uint64_t at)
{
	part_odd(b, part, part->names.n == 0 || !part->disposed, ODD_PART);
	if (part->names.n == 0)
		reading_add(&part->names, (struct bytes){ "", 0 });
	part->is_file = part->filenames.plain && !(part->odd & AMBIGUOUS);
	for (size_t i = 0; i < part->nlines; i++)
		if (!body_tell(b, VALUE_PART_HEADER, part->names.at[0], part->lines[i], at))
			return false;
	return tell_file_names(b, part, at);
}
