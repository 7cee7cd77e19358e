/* logs_http.c -- what a line says about a request, under the names of CrowdSec's parsers nginx-logs, apache2-logs and
 * http-logs. Bytes stay as the log escaped them (`\x5C`), which CrowdSec's data files expect. */
#include "scenarios/logs_parts.h"

void log_http(struct facts *f, struct bytes log_type)
{
	f->at[FACT_SERVICE] = BYTES("http");
	f->at[FACT_LOG_TYPE] = log_type;
	f->at[FACT_STATIC] = BYTES("false"); /* until a target says more */
	f->at[FACT_IMPACT] = BYTES("true");
}

void log_http_status(struct facts *f, struct bytes digits)
{
	f->at[FACT_STATUS] = digits;
	if (bytes_eq(digits, BYTES("404")) || bytes_eq(digits, BYTES("403")) || bytes_eq(digits, BYTES("502")))
		f->at[FACT_IMPACT] = BYTES("false");
}

/* What has no '/' is no path: it has no parts, and no length of arguments. */
void log_http_target(struct facts *f, struct arena *a, struct bytes target)
{
	facts_target(f, a, target);
	if (bytes_index(f->at[FACT_REQUEST], '/') == SIZE_MAX) {
		f->at[FACT_HTTP_ARGS_LEN] = (struct bytes){ 0 };
		f->at[FACT_STATIC] = BYTES("false");
	}
}

/* "1.1", "2.0", "3". */
static bool is_version(struct bytes b)
{
	size_t dot = bytes_index(b, '.');

	return dot == SIZE_MAX ? log_is_number(b) : log_is_number(bytes_sub(b, 0, dot)) && log_is_number(bytes_from(b, dot + 1));
}

/* Cuts " HTTP/1.1" off the end. */
static bool cut_version(struct bytes *line, struct bytes *version)
{
	static const struct bytes mark = BYTES_INIT(" HTTP/");

	for (size_t back = 1; back <= 8 && back + mark.len <= line->len; back++) { /* a version is that short */
		size_t at = line->len - back;

		if (line->at[at - 1] != '/')
			continue;
		*version = bytes_from(*line, at);
		if (!is_version(*version) || !bytes_ends(bytes_sub(*line, 0, at), mark))
			return false;
		*line = bytes_sub(*line, 0, at - mark.len);
		return true;
	}
	return false;
}

bool log_http_short_request(struct facts *f, struct arena *a, struct bytes line)
{
	struct bytes verb;

	if (!log_take_to(&line, ' ', &verb) || !log_is_word(verb) || line.len == 0)
		return false;
	f->at[FACT_VERB] = verb;
	log_http_target(f, a, line);
	return true;
}

bool log_http_request(struct facts *f, struct arena *a, struct bytes line)
{
	struct bytes version, verb, rest = line;

	if (!cut_version(&rest, &version) || !log_take_to(&rest, ' ', &verb) || !log_is_word(verb))
		return false;
	f->at[FACT_VERB] = verb;
	f->at[FACT_HTTP_VERSION] = version;
	log_http_target(f, a, rest);
	return true;
}
