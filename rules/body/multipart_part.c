/* multipart_part.c -- what text means inside a part.
 *
 * In a head it is header lines, one logical line being as many physical ones as
 * are folded into it; the blank line ends them. In the data it is a field's
 * value, or a file of which only the size and the first bytes count. */
#include "rules/body/multipart_state.h"

static bool fail(struct multipart *m, enum body_fault fault, const char *why)
{
	return body_fail(&m->body, fault, multipart_offset(m), why);
}

/* --- a part's head --- */

static bool head_line_end(struct multipart *m)
{
	struct bytes line;

	if (m->line.len == 0)
		return true;
	line = buffer_keep(&m->body, &m->line);
	return line.at && part_header(&m->body, &m->part, line);
}

static bool head_text(struct multipart *m, struct bytes run)
{
	const struct body_limits *l = &m->body.setup.limits;
	bool fold = m->line_len == 0 && (run.at[0] == ' ' || run.at[0] == '\t');

	m->head_bytes += run.len;
	m->head_lines += m->line_len == 0;
	if (m->head_bytes > l->header_bytes || m->head_lines > l->header_lines)
		return fail(m, FAULT_HEADERS, "a part's head is too long");
	if (fold)
		part_odd(&m->body, &m->part, true, m->line.len ? ODD_HEADER_FOLDED : ODD_HEADER);
	if (m->line_len == 0 && !fold && !head_line_end(m))
		return false;
	m->line_len += run.len;
	return buffer_put(&m->body, &m->line, run, l->header_bytes, FAULT_HEADERS);
}

static bool head_end(struct multipart *m)
{
	m->place = DATA;
	m->data_at = multipart_offset(m) - m->matched - m->ntail;
	return head_line_end(m) && part_head_end(&m->body, &m->part, m->data_at);
}

static bool head_newline(struct multipart *m, struct bytes newline)
{
	bool blank = m->line_len == 0;

	multipart_line_ended(m, newline.len == 2);
	m->line_len = 0;
	return !blank || head_end(m);
}

/* --- its data --- */

static bool look_tell(struct multipart *m)
{
	struct bytes head = buffer_keep(&m->body, &m->data);

	m->looked = true;
	if (!head.at)
		return false;
	return !head.len ||
	       body_tell(&m->body, VALUE_FILE_LOOK, m->part.names.at[0], head, m->data_at);
}

static bool file_text(struct multipart *m, struct bytes run)
{
	size_t cap = m->body.setup.limits.look_bytes;

	if (m->looked)
		return true;
	run = bytes_sub(run, 0, cap - m->data.len);
	return buffer_put(&m->body, &m->data, run, cap, FAULT_VALUE) &&
	       (m->data.len < cap || look_tell(m));
}

static bool data_text(struct multipart *m, struct bytes run)
{
	m->size += run.len;
	return m->part.is_file ? file_text(m, run)
			       : buffer_put(&m->body, &m->data, run,
					    m->body.setup.limits.value_bytes, FAULT_VALUE);
}

static bool field_tell(struct multipart *m)
{
	const struct readings *names = &m->part.names;
	struct bytes value = buffer_keep(&m->body, &m->data);

	/* RFC 7578 4.6: a field that says how the others are encoded */
	if (bytes_eq(names->at[0], BYTES("_charset_")) && charset_flags(value))
		m->body.anomalies |= ODD_CHARSET;
	for (size_t i = 0; value.at && i < names->n; i++)
		if (!body_tell(&m->body, VALUE_ARG, names->at[i], value, m->data_at))
			return false;
	return value.at != NULL;
}

static bool file_tell(struct multipart *m)
{
	const struct body_setup *s = &m->body.setup;
	const struct readings *names = &m->part.names, *filenames = &m->part.filenames;
	struct body_file f = { .type = m->part.type, .at = m->data_at, .size = m->size };

	for (size_t i = 0; s->sink->file && i < names->n; i++)
		for (size_t k = 0; k < filenames->n; k++, f.again = true) {
			f.name = names->at[i];
			f.filename = filenames->at[k];
			if (!s->sink->file(s->owner, &f))
				return fail(m, FAULT_MEMORY, "the reader stopped");
		}
	return true;
}

static bool data_end(struct multipart *m)
{
	if (m->part.is_file)
		return (m->looked || look_tell(m)) && file_tell(m);
	return field_tell(m) && file_tell(m);
}

/* --- the whole --- */

/* A delimiter stands in a head: the line end before it may be the blank line. */
static bool head_cut(struct multipart *m)
{
	bool nothing = m->part.nlines == 0 && m->line.len == 0;

	if (nothing || m->nnewline == 0 || m->line_len)
		part_odd(&m->body, &m->part, true, ODD_PART);
	return nothing || head_end(m);
}

bool part_end(struct multipart *m)
{
	return (m->place != HEAD || head_cut(m)) && (m->place != DATA || data_end(m));
}

bool part_begin(struct multipart *m)
{
	if (m->nparts++ >= m->body.setup.limits.parts)
		return fail(m, FAULT_PARTS, "too many parts");
	m->place = HEAD;
	m->part = (struct part){ .type = { "", 0 } };
	m->size = m->head_bytes = m->head_lines = m->line_len = 0;
	m->looked = false;
	return true;
}

bool part_text(struct multipart *m, struct bytes run)
{
	return m->place == HEAD ? head_text(m, run) : data_text(m, run);
}

/* At the very end of the body a lone CR may be taken for one; it is text. */
bool part_newline(struct multipart *m, struct bytes newline)
{
	return m->place == HEAD && bytes_ends(newline, BYTES("\n")) ? head_newline(m, newline)
								    : part_text(m, newline);
}
