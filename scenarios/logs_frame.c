/* logs_frame.c -- what carries a line on its way: syslog's header, or a container's.
 *
 *     <13>Sep 15 16:13:46 host nginx[2869]: LINE              RFC 3164; also without "<13>", as in a file
 *     2024-03-29T19:50:27.1+01:00 host nginx[2869]: LINE      rsyslog's files
 *     <13>1 2024-03-29T19:50:27Z host nginx 2869 - - LINE     RFC 5424
 *     2024-03-29T19:50:27.000000001Z stdout F LINE            Kubernetes' CRI
 *     {"log":"LINE\n","stream":"stdout","time":"2024-..."}    Docker
 *     {"__REALTIME_TIMESTAMP":"1711741827962000","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"LINE"}   journalctl -o json
 *
 * A line that begins like none of them is taken as it is. The frame's time counts where the line has none. */
#include "scenarios/logs_parts.h"

/* ---- syslog ---- */

/* "nginx[2869]: " or "nginx: ". */
static bool take_tag(struct bytes *rest, struct bytes *program)
{
	struct bytes at = *rest, tag;
	size_t pid;

	if (!log_take_to(&at, ':', &tag) || tag.len == 0 || bytes_index(tag, ' ') != SIZE_MAX)
		return false;
	log_take(&at, BYTES(" "));
	pid = bytes_index(tag, '[');
	*program = bytes_sub(tag, 0, pid);
	*rest = at;
	return true;
}

static bool take_host_and_tag(struct bytes rest, struct log_frame *frame)
{
	if (!log_take_to(&rest, ' ', &frame->machine) || !take_tag(&rest, &frame->program))
		return false;
	frame->message = rest;
	return true;
}

static bool rfc3164(struct bytes line, struct log_frame *frame)
{
	enum { DATE = sizeof "Sep 15 16:13:46" - 1 };
	size_t date = DATE;

	if (line.len < DATE + 1)
		return false;
	if (line.at[DATE - 1] == ' ') /* "Sep 5 16:13:46": some write no second blank */
		date--;
	if (line.at[date] != ' ' || !log_time_syslog(bytes_sub(line, 0, date), &frame->time))
		return false;
	return take_host_and_tag(bytes_from(line, date + 1), frame);
}

/* "-" or "[id name="value"]..."; a ']' in a value is escaped. */
static bool take_structured(struct bytes *rest)
{
	size_t i = 0;

	if (log_take(rest, BYTES("-")))
		return true;
	while (i < rest->len && rest->at[i] == '[') {
		while (i < rest->len && rest->at[i] != ']')
			i += rest->at[i] == '\\' ? 2 : 1;
		i++;
	}
	if (i == 0 || i > rest->len)
		return false;
	*rest = bytes_from(*rest, i);
	return true;
}

static bool rfc5424(struct bytes line, struct log_frame *frame)
{
	struct bytes date, skip;

	if (!log_take(&line, BYTES("1 ")) || !log_take_to(&line, ' ', &date) || !log_time_iso(date, &frame->time) ||
	    !log_take_to(&line, ' ', &frame->machine) || !log_take_to(&line, ' ', &frame->program) || !log_take_to(&line, ' ', &skip) ||
	    !log_take_to(&line, ' ', &skip) || !take_structured(&line))
		return false;
	log_take(&line, BYTES(" "));
	log_take(&line, BYTES("\xEF\xBB\xBF"));
	frame->message = line;
	return true;
}

static bool with_priority(struct bytes line, struct log_frame *frame)
{
	struct bytes priority;

	if (!log_take(&line, BYTES("<")) || !log_take_to(&line, '>', &priority) || !log_is_number(priority) || priority.len > 3)
		return false;
	return rfc5424(line, frame) || rfc3164(line, frame);
}

/* ---- what begins with a date ---- */

static bool iso_dated(struct bytes line, struct log_frame *frame)
{
	struct bytes date, flag;

	if (line.len < 11 || line.at[10] != 'T' || !log_take_to(&line, ' ', &date) || !log_time_iso(date, &frame->time))
		return false;
	if (!log_take(&line, BYTES("stdout ")) && !log_take(&line, BYTES("stderr ")))
		return take_host_and_tag(line, frame);
	frame->program = frame->machine = (struct bytes){ 0 };
	if (!log_take_to(&line, ' ', &flag)) /* F: a whole line; P: a part of one */
		return false;
	frame->message = line;
	return true;
}

/* Docker writes the three in this order. */
static bool docker(struct arena *a, struct bytes line, struct log_frame *frame)
{
	struct bytes log, time;
	size_t at;

	if (!log_take(&line, BYTES("{\"log\":")) || !log_take_quoted(&line, &log) ||
	    (at = bytes_find(line, BYTES("\"time\":"))) == SIZE_MAX)
		return false;
	line = bytes_from(line, at + 7);
	frame->program = (struct bytes){ 0 };
	return log_take_quoted(&line, &time) && log_time_iso(time, &frame->time) && log_json_text(a, log, &frame->message);
}

/* Past a name in quotation marks and its colon. Those inside strings are escaped, so no value can look like a name. */
static bool json_name(struct bytes *rest, struct bytes name)
{
	size_t at;

	while ((at = bytes_find(*rest, name)) != SIZE_MAX) {
		*rest = bytes_from(*rest, at + name.len);
		log_take(rest, BYTES(" "));
		if (log_take(rest, BYTES(":"))) {
			log_take(rest, BYTES(" "));
			return true;
		}
	}
	return false;
}

/* A string's inside, or that of a list. */
static bool json_field(struct bytes line, struct bytes name, struct bytes *value)
{
	return json_name(&line, name) && (log_take_quoted(&line, value) || (log_take(&line, BYTES("[")) && log_take_to(&line, ']', value)));
}

/* A message with bytes that are no UTF-8 is written as their numbers. */
static bool numbers_text(struct arena *a, struct bytes list, struct bytes *out)
{
	char *room = arena_raw(a, list.len / 2 + 1), *p = room;
	struct bytes part;
	uint64_t n;

	while (room && bytes_cut(&list, ',', &part)) {
		if (!bytes_u64(bytes_trim(part), &n) || n > 255)
			return false;
		*p++ = (char)n;
	}
	*out = (struct bytes){ room, room ? (size_t)(p - room) : 0 };
	return room != NULL;
}

bool log_journal_cursor(struct bytes entry, struct bytes *cursor)
{
	return json_field(entry, BYTES("\"__CURSOR\""), cursor);
}

static bool journald(struct arena *a, struct bytes line, struct log_frame *frame)
{
	struct bytes time, message;

	if (!json_field(line, BYTES("\"__REALTIME_TIMESTAMP\""), &time) || !log_time_unix(time, &frame->time) ||
	    !json_field(line, BYTES("\"MESSAGE\""), &message))
		return false;
	if (!json_field(line, BYTES("\"SYSLOG_IDENTIFIER\""), &frame->program) &&
	    !json_field(line, BYTES("\"_COMM\""), &frame->program))
		frame->program = (struct bytes){ 0 };
	return message.at[-1] == '[' ? numbers_text(a, message, &frame->message) : log_json_text(a, message, &frame->message);
}

bool log_unframe(struct arena *a, struct bytes line, struct log_frame *frame)
{
	char first = line.len ? line.at[0] : 0;

	if (first == '{')
		return docker(a, line, frame) || journald(a, line, frame);
	if (first == '<')
		return with_priority(line, frame);
	if (first >= 'A' && first <= 'S')
		return rfc3164(line, frame);
	return first >= '1' && first <= '2' && line.len > 4 && line.at[4] == '-' && iso_dated(line, frame);
}

/* The end of a line that was read with it. */
static struct bytes without_end(struct bytes line)
{
	while (line.len && (line.at[line.len - 1] == '\n' || line.at[line.len - 1] == '\r'))
		line.len--;
	return line;
}

enum log_read log_framed(struct arena *a, struct bytes line, struct facts *f, log_line_reader *read)
{
	struct log_frame frame = { 0 };
	enum log_read got;

	line = without_end(line);
	if (!log_unframe(a, line, &frame))
		return read(a, line, f);
	got = read(a, without_end(frame.message), f);
	if (got == LOG_READ && frame.machine.len)
		facts_put(f, a, BYTES("Meta.machine"), frame.machine);
	if (got == LOG_READ && f->at[FACT_TIMESTAMP].len == 0)
		log_time_set(f, a, &frame.time);
	return got;
}
