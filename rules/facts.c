/* facts.c -- one table. */
#include "rules/facts.h"
#include "base/text.h"
#include "rules/body/multipart.h"
#include "rules/reading.h"
#include "rules/run.h"

enum {
	STRICT = ODD_BOUNDARY_QUOTED | ODD_BOUNDARY_TWICE | ODD_BOUNDARY_INVALID | ODD_PREAMBLE | ODD_EPILOGUE |
		 ODD_HEADER_FOLDED | ODD_LF_LINES | ODD_MIXED_LINES | ODD_MISSING_SEMICOLON | ODD_QUOTING | ODD_PART | ODD_HEADER |
		 ODD_TYPE,
};

static struct bytes number(struct inspection *in, uint64_t n)
{
	struct text t = text_over(arena_raw(in->arena, 20), 20);

	if (t.at)
		text_u64(&t, n);
	return text_bytes(&t);
}

static struct bytes flag(bool is)
{
	return is ? BYTES("1") : BYTES("0");
}

static struct bytes nothing(struct inspection *in)
{
	(void)in;
	return BYTES("");
}

/* ---- of the head ---- */

static struct bytes remote_addr(struct inspection *in)
{
	struct text t = text_over(arena_raw(in->arena, 48), 48);

	if (t.at)
		ip_text(&t, &in->request->client);
	return text_bytes(&t);
}

static struct bytes server_name(struct inspection *in)
{
	return in->request->hostname;
}

static struct bytes server_port(struct inspection *in)
{
	struct bytes host = in->request->host, name = in->request->hostname;

	if (host.len > name.len + 1 && host.at[host.len - 1] != ']' && bytes_index(bytes_from(host, name.len), ':') != SIZE_MAX)
		return bytes_from(host, name.len + bytes_index(bytes_from(host, name.len), ':') + 1);
	return bytes_eq(in->request->scheme, BYTES("https")) ? BYTES("443") : BYTES("80");
}

static struct bytes unique_id(struct inspection *in)
{
	return in->request->id;
}

static struct bytes auth_type(struct inspection *in)
{
	struct bytes value = fields_value(&in->request->fields, FIELD_AUTHORIZATION), word;

	bytes_cut(&value, ' ', &word);
	return word;
}

static struct bytes modsec_build(struct inspection *in)
{
	(void)in;
	return BYTES("000300000");
}

static struct bytes reqbody_processor(struct inspection *in)
{
	return reading_processor(in);
}

/* ---- of the body ---- */

static struct bytes args_combined_size(struct inspection *in)
{
	static const enum zone zones[] = { ZONE_ARGS, ZONE_BODY_ARGS };
	uint64_t sum = 0;

	for (size_t z = 0; z < nelems(zones); z++) {
		const struct zone_values *v = &in->values.zones[zones[z]];

		for (size_t i = 0; i < v->n; i++)
			sum += v->at[i].name.len + v->at[i].text.len;
	}
	return number(in, sum);
}

static struct bytes files_combined_size(struct inspection *in)
{
	return number(in, reading_file_bytes(inspection_reading(in)));
}

static struct bytes request_body_length(struct inspection *in)
{
	return number(in, inspection_body_length(in));
}

static struct bytes reqbody_error_msg(struct inspection *in)
{
	struct bytes why = { "", 0 };
	struct reading *r = inspection_reading(in);

	return r && reading_outcome(r, &why) != READING_FINE ? why : BYTES("");
}

static struct bytes reqbody_error(struct inspection *in)
{
	return flag(reqbody_error_msg(in).len > 0);
}

static unsigned anomalies(struct inspection *in)
{
	return reading_anomalies(inspection_reading(in));
}

#define ANOMALY(name, bits)                            \
	static struct bytes name(struct inspection *in) \
	{                                              \
		return flag((anomalies(in) & (bits)) != 0); \
	}

ANOMALY(boundary_quoted, ODD_BOUNDARY_QUOTED)
ANOMALY(boundary_whitespace, ODD_TYPE)
ANOMALY(crlf_lf_lines, ODD_MIXED_LINES)
ANOMALY(data_after, ODD_EPILOGUE)
ANOMALY(data_before, ODD_PREAMBLE)
ANOMALY(header_folding, ODD_HEADER_FOLDED)
ANOMALY(invalid_part, ODD_PART | ODD_HEADER)
ANOMALY(invalid_quoting, ODD_QUOTING)
ANOMALY(lf_line, ODD_LF_LINES)
ANOMALY(missing_semicolon, ODD_MISSING_SEMICOLON)
ANOMALY(strict_error, STRICT)

/* ModSecurity 3's: 1 when the delimiters themselves are not right, 2 when only other lines begin with "--". */
static struct bytes unmatched_boundary(struct inspection *in)
{
	unsigned odd = anomalies(in);

	return odd & (ODD_UNMATCHED | ODD_NO_FINAL) ? BYTES("1") : odd & ODD_DASHES ? BYTES("2") : BYTES("0");
}

static struct bytes never(struct inspection *in)
{
	(void)in;
	return flag(false);
}

/* A structured body that is longer than the window is refused, so none is cut. */
#define inbound_data_error never

/* ---- of the answer ---- */

static struct bytes response_content_type(struct inspection *in)
{
	return fields_value(&in->response->fields, FIELD_CONTENT_TYPE);
}

static struct bytes response_content_length(struct inspection *in)
{
	return fields_value(&in->response->fields, FIELD_CONTENT_LENGTH);
}

static struct bytes response_protocol(struct inspection *in)
{
	return in->response->minor ? BYTES("HTTP/1.1") : BYTES("HTTP/1.0");
}

static struct bytes status_line(struct inspection *in)
{
	size_t cap = in->response->reason.len + 16;
	struct text t = text_over(arena_raw(in->arena, cap), cap);

	if (t.at)
		text_printf(&t, "HTTP/1.%u %u %.*s", in->response->minor, in->response->status, BYTES_ARG(in->response->reason));
	return text_bytes(&t);
}

static const struct fact {
	enum zone zone;
	const char *name;
	struct bytes (*of)(struct inspection *);
} facts[] = {
	{ ZONE_HEAD_FACTS,   "auth_type",                        auth_type },
	{ ZONE_HEAD_FACTS,   "modsec_build",                     modsec_build },
	{ ZONE_HEAD_FACTS,   "remote_addr",                      remote_addr },
	{ ZONE_HEAD_FACTS,   "remote_port",                      nothing },
	{ ZONE_HEAD_FACTS,   "remote_user",                      nothing },
	{ ZONE_HEAD_FACTS,   "reqbody_processor",                reqbody_processor },
	{ ZONE_HEAD_FACTS,   "server_addr",                      nothing },
	{ ZONE_HEAD_FACTS,   "server_name",                      server_name },
	{ ZONE_HEAD_FACTS,   "server_port",                      server_port },
	{ ZONE_HEAD_FACTS,   "sessionid",                        nothing },
	{ ZONE_HEAD_FACTS,   "unique_id",                        unique_id },
	{ ZONE_HEAD_FACTS,   "userid",                           nothing },
	{ ZONE_HEAD_FACTS,   "webappid",                         nothing },
	{ ZONE_BODY_FACTS,   "args_combined_size",               args_combined_size },
	{ ZONE_BODY_FACTS,   "files_combined_size",              files_combined_size },
	{ ZONE_BODY_FACTS,   "inbound_data_error",               inbound_data_error },
	{ ZONE_BODY_FACTS,   "multipart_boundary_quoted",        boundary_quoted },
	{ ZONE_BODY_FACTS,   "multipart_boundary_whitespace",    boundary_whitespace },
	{ ZONE_BODY_FACTS,   "multipart_crlf_lf_lines",          crlf_lf_lines },
	{ ZONE_BODY_FACTS,   "multipart_data_after",             data_after },
	{ ZONE_BODY_FACTS,   "multipart_data_before",            data_before },
	{ ZONE_BODY_FACTS,   "multipart_file_limit_exceeded",    never },
	{ ZONE_BODY_FACTS,   "multipart_header_folding",         header_folding },
	{ ZONE_BODY_FACTS,   "multipart_invalid_header_folding", never },
	{ ZONE_BODY_FACTS,   "multipart_invalid_part",           invalid_part },
	{ ZONE_BODY_FACTS,   "multipart_invalid_quoting",        invalid_quoting },
	{ ZONE_BODY_FACTS,   "multipart_lf_line",                lf_line },
	{ ZONE_BODY_FACTS,   "multipart_missing_semicolon",      missing_semicolon },
	{ ZONE_BODY_FACTS,   "multipart_strict_error",           strict_error },
	{ ZONE_BODY_FACTS,   "multipart_unmatched_boundary",     unmatched_boundary },
	{ ZONE_BODY_FACTS,   "reqbody_error",                    reqbody_error },
	{ ZONE_BODY_FACTS,   "reqbody_error_msg",                reqbody_error_msg },
	{ ZONE_BODY_FACTS,   "request_body_length",              request_body_length },
	{ ZONE_BODY_FACTS,   "urlencoded_error",                 never },
	{ ZONE_ANSWER_FACTS, "outbound_data_error",              never },
	{ ZONE_ANSWER_FACTS, "response_content_length",          response_content_length },
	{ ZONE_ANSWER_FACTS, "response_content_type",            response_content_type },
	{ ZONE_ANSWER_FACTS, "response_protocol",                response_protocol },
	{ ZONE_ANSWER_FACTS, "status_line",                      status_line },
};

_Static_assert(nelems(facts) <= FACTS_MAX, "plan.facts has a bit for each fact");

uint64_t fact_bit(enum zone z, struct bytes name)
{
	for (size_t i = 0; i < nelems(facts); i++)
		if (facts[i].zone == z && bytes_eq(name, bytes_of(facts[i].name)))
			return (uint64_t)1 << i;
	return 0;
}

void facts_add(struct inspection *in, enum zone z)
{
	in->values.zones[z].n = in->values.zones[z].scanned = 0;
	for (uint64_t due = in->rules->plan.facts; due; due &= due - 1) {
		const struct fact *f = &facts[__builtin_ctzll(due)];

		if (f->zone == z)
			values_add(&in->values, z, bytes_of(f->name), f->of(in));
	}
}
