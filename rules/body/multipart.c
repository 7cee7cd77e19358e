/* multipart.c -- parts, cut at delimiter lines.
 *
 * The text is taken apart into runs of bytes, line ends and delimiters. A line
 * end and what could become a delimiter behind it are withheld until the next
 * bytes tell; then they are a delimiter, or text after all. What a run, a line
 * end or a delimiter means depends on where we are: before the first part, in
 * a part's head, in its data, behind the last. */
#include "rules/body/multipart_state.h"

static size_t withheld(const struct multipart *m)
{
	return m->nnewline + m->matched + m->ntail;
}

void multipart_line_ended(struct multipart *m, bool crlf)
{
	m->crlf |= crlf;
	m->lf |= !crlf;
	if (m->lf)
		m->body.anomalies |= ODD_LF_LINES | (m->crlf ? ODD_MIXED_LINES : 0);
}

/* The delimiter and its tail are whole; the cursor is behind them. */
static bool delimiter_end(struct multipart *m, bool last)
{
	uint64_t began = multipart_offset(m) - withheld(m);

	if (m->nnewline)
		multipart_line_ended(m, m->nnewline == 2);
	if (m->ntail && (m->tail[0] == ' ' || m->tail[0] == '\t'))
		m->body.anomalies |= ODD_DELIMITER_PADDED;
	if (!part_end(m))
		return false;
	m->part_at = began;
	m->nnewline = m->matched = m->ntail = 0;
	m->scan = LINE_START;
	if (!last)
		return part_begin(m);
	m->place = EPILOGUE;
	return true;
}

static bool text(struct multipart *m, struct bytes run)
{
	if (run.len == 0)
		return true;
	if (m->place != PREAMBLE)
		return part_text(m, run);
	m->body.anomalies |= ODD_PREAMBLE;
	return true;
}

static bool newline(struct multipart *m)
{
	struct bytes nl = { m->newline, m->nnewline };

	m->nnewline = 0;
	return nl.len && m->place == HEAD ? part_newline(m, nl) : text(m, nl);
}

/* What was withheld is text after all. */
static bool release(struct multipart *m)
{
	struct bytes seen = bytes_sub(m->delimiter, 0, m->matched);
	struct bytes tail = { m->tail, m->ntail };

	if (!newline(m) || !text(m, seen) || !text(m, tail))
		return false;
	m->matched = m->ntail = 0;
	m->scan = IN_LINE;
	return true;
}

static bool line_start(struct multipart *m)
{
	while (m->at < m->end && m->matched < m->delimiter.len) {
		if (*m->at != m->delimiter.at[m->matched]) {
			m->body.anomalies |= m->matched >= 2 ? ODD_DASHES : 0;
			return release(m);
		}
		m->at++;
		m->matched++;
	}
	if (m->matched == m->delimiter.len)
		m->scan = TAIL;
	return true;
}

static void line_end(struct multipart *m, bool crlf)
{
	memcpy(m->newline, crlf ? "\r\n" : "\n", crlf ? 2 : 1);
	m->nnewline = crlf ? 2 : 1;
	m->scan = LINE_START;
}

static bool in_line(struct multipart *m)
{
	struct bytes rest = { m->at, (size_t)(m->end - m->at) };
	size_t lf = bytes_index(rest, '\n');
	struct bytes run = bytes_sub(rest, 0, lf);
	bool cr = run.len && run.at[run.len - 1] == '\r';

	m->at += lf == SIZE_MAX ? rest.len : lf + 1;
	run.len -= cr;
	if (lf != SIZE_MAX) {
		line_end(m, cr);
	} else if (cr) {
		m->newline[0] = '\r';
		m->nnewline = 1;
		m->scan = AFTER_CR;
	}
	return text(m, run);
}

static bool after_cr(struct multipart *m)
{
	if (*m->at != '\n') {
		m->nnewline = 0;
		m->scan = IN_LINE;
		return text(m, BYTES("\r"));
	}
	m->at++;
	line_end(m, true);
	return true;
}

/* "--", or blanks and a line end. Anything else: the line only begins like a
 * delimiter, which some readers take for one. */
static bool tail(struct multipart *m)
{
	char c = *m->at, before = m->ntail ? m->tail[m->ntail - 1] : '\0';
	bool dash = c == '-' && (m->ntail == 0 || (m->ntail == 1 && before == '-'));
	bool blank = (c == ' ' || c == '\t') && before != '-' && before != '\r';
	bool cr = c == '\r' && before != '-' && before != '\r';
	bool lf = c == '\n' && before != '-';

	if (!(dash || blank || cr || lf) || m->ntail == TAIL_MAX) {
		m->body.anomalies |= ODD_UNMATCHED;
		return release(m);
	}
	m->at++;
	m->tail[m->ntail++] = c;
	if (lf)
		multipart_line_ended(m, before == '\r');
	return lf || (m->ntail == 2 && dash) ? delimiter_end(m, dash) : true;
}

/* Behind the last delimiter blanks and one line end may stand; nothing else. */
static bool epilogue(struct multipart *m)
{
	for (; m->at < m->end; m->at++) {
		char c = *m->at;
		bool blank = m->closing == '\0' && (c == ' ' || c == '\t');
		bool line_end = m->closing != '\n' && (c == '\n' || (c == '\r' && !m->closing));

		if (line_end)
			m->closing = c;
		else if (!blank)
			m->body.anomalies |= ODD_EPILOGUE;
	}
	return true;
}

static bool (*const scans[])(struct multipart *) = {
	[LINE_START] = line_start, [IN_LINE] = in_line, [AFTER_CR] = after_cr, [TAIL] = tail,
};

static void settle(struct multipart *m, uint64_t taken)
{
	bool streams = m->place == PREAMBLE || m->place == EPILOGUE ||
		       (m->place == DATA && m->part.is_file && m->looked);

	m->body.settled = streams ? taken - withheld(m) : m->part_at;
	m->body.in_field = m->place == DATA && !m->part.is_file;
}

static bool open(struct body *b)
{
	struct multipart *m = (struct multipart *)b;
	const struct content_type *t = b->setup.type;
	char *at;

	if (!t || t->boundary.len == 0 || t->boundary.len > BOUNDARY_MAX)
		return body_fail(b, FAULT_MALFORMED, 0, "no usable boundary in Content-Type");
	b->anomalies |= t->flags & TYPE_BOUNDARY_QUOTED ? ODD_BOUNDARY_QUOTED : 0;
	b->anomalies |= t->flags & TYPE_BOUNDARY_TWICE ? ODD_BOUNDARY_TWICE : 0;
	b->anomalies |= t->flags & TYPE_BOUNDARY_INVALID ? ODD_BOUNDARY_INVALID : 0;
	b->anomalies |= t->flags & TYPE_BAD_QUOTING ? ODD_BOUNDARY_INVALID : 0;
	b->anomalies |= t->flags & TYPE_MALFORMED ? ODD_TYPE : 0;
	at = arena_raw(b->arena, t->boundary.len + 2);
	if (!at)
		return body_fail(b, FAULT_MEMORY, 0, "no memory is left for this request");
	memcpy(at, "--", 2);
	memcpy(at + 2, t->boundary.at, t->boundary.len);
	m->delimiter = (struct bytes){ at, t->boundary.len + 2 };
	return true;
}

static bool push(struct body *b, struct bytes piece)
{
	struct multipart *m = (struct multipart *)b;

	m->at = m->start = piece.at;
	m->end = piece.at + piece.len;
	while (m->at < m->end)
		if (!(m->place == EPILOGUE ? epilogue(m) : scans[m->scan](m)))
			return false;
	settle(m, b->taken + piece.len);
	return true;
}

/* Without a last delimiter what there is counts as far as it goes. */
static bool end(struct body *b)
{
	struct multipart *m = (struct multipart *)b;

	m->at = m->start = m->end = "";
	if (m->place == EPILOGUE)
		return true;
	b->anomalies |= ODD_NO_FINAL;
	if (m->scan == TAIL && !delimiter_end(m, true))
		return false;
	if (m->place != EPILOGUE && !release(m))
		return false;
	if (m->place == PREAMBLE)
		return body_fail(b, FAULT_MALFORMED, b->taken, "no delimiter line");
	if (m->place == HEAD)
		return body_fail(b, FAULT_MALFORMED, b->taken, "it ends in a part's head");
	m->body.in_field = false;
	return m->place == EPILOGUE || part_end(m);
}

const struct body_parser body_multipart = { "multipart", sizeof(struct multipart), open, push,
					    end };

static const char *const anomaly_names[] = {
	"boundary quoted", "boundary twice", "boundary invalid", "data before", "data after",
	"header folded", "LF lines", "mixed lines", "missing semicolon", "quoting", "part invalid",
	"header invalid", "name twice", "filename*", "no final delimiter", "unmatched delimiter",
	"delimiter padded", "transfer encoding", "part charset", "backslash in name", "line of dashes",
	"Content-Type malformed",
};

const char *multipart_anomaly_name(enum multipart_anomaly bit)
{
	return anomaly_names[__builtin_ctz(bit)];
}
