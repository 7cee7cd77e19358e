/* seclang_names.c -- SecLang's variables -> targets: one table. */
#include "base/matcher.h"
#include "base/schema_type.h"
#include "rules/seclang_load.h"

#define NONE ZONE_COUNT

static const struct variable {
	const char *name;
	enum zone zone, also; /* two zones make up ARGS */
	const char *fact;     /* of a zone of facts: its name there; NULL: the variable takes a selector */
	const char *refused;  /* why it is not here */
} variables[] = {
	{ "ARGS", ZONE_ARGS, ZONE_BODY_ARGS, NULL, NULL },
	{ "ARGS_COMBINED_SIZE", ZONE_BODY_FACTS, NONE, "args_combined_size", NULL },
	{ "ARGS_GET", ZONE_ARGS, NONE, NULL, NULL },
	{ "ARGS_GET_NAMES", ZONE_ARGS_NAMES, NONE, NULL, NULL },
	{ "ARGS_NAMES", ZONE_ARGS_NAMES, ZONE_BODY_ARGS_NAMES, NULL, NULL },
	{ "ARGS_POST", ZONE_BODY_ARGS, NONE, NULL, NULL },
	{ "ARGS_POST_NAMES", ZONE_BODY_ARGS_NAMES, NONE, NULL, NULL },
	{ "AUTH_TYPE", ZONE_HEAD_FACTS, NONE, "auth_type", NULL },
	{ "DURATION", ZONE_MOMENT, NONE, "duration", NULL },
	{ "ENV", NONE, NONE, NULL, "a gate has no environment of a request" },
	{ "FILES", ZONE_FILES, NONE, NULL, NULL },
	{ "FILES_COMBINED_SIZE", ZONE_BODY_FACTS, NONE, "files_combined_size", NULL },
	{ "FILES_NAMES", ZONE_FILES_NAMES, NONE, NULL, NULL },
	{ "FILES_SIZES", ZONE_FILES_SIZES, NONE, NULL, NULL },
	{ "FILES_TMPNAMES", NONE, NONE, NULL, "files are not stored" },
	{ "FILES_TMP_CONTENT", NONE, NONE, NULL, "files are not stored" },
	{ "FULL_REQUEST", NONE, NONE, NULL, "the request is not kept in one piece; its parts are REQUEST_LINE, REQUEST_HEADERS, REQUEST_BODY" },
	{ "FULL_REQUEST_LENGTH", NONE, NONE, NULL, "the request is not kept in one piece" },
	{ "GEO", ZONE_VARS, NONE, NULL, NULL },
	{ "GLOBAL", ZONE_VARS, NONE, NULL, NULL },
	{ "HIGHEST_SEVERITY", ZONE_MOMENT, NONE, "highest_severity", NULL },
	{ "INBOUND_DATA_ERROR", ZONE_BODY_FACTS, NONE, "inbound_data_error", NULL },
	{ "IP", ZONE_VARS, NONE, NULL, NULL },
	{ "MATCHED_VAR", ZONE_MATCHED, NONE, "matched_var", NULL },
	{ "MATCHED_VARS", ZONE_MATCHED, NONE, "matched_vars", NULL },
	{ "MATCHED_VARS_NAMES", ZONE_MATCHED, NONE, "matched_vars_names", NULL },
	{ "MATCHED_VAR_NAME", ZONE_MATCHED, NONE, "matched_var_name", NULL },
	{ "MODSEC_BUILD", ZONE_HEAD_FACTS, NONE, "modsec_build", NULL },
	{ "MULTIPART_BOUNDARY_QUOTED", ZONE_BODY_FACTS, NONE, "multipart_boundary_quoted", NULL },
	{ "MULTIPART_BOUNDARY_WHITESPACE", ZONE_BODY_FACTS, NONE, "multipart_boundary_whitespace", NULL },
	{ "MULTIPART_CRLF_LF_LINES", ZONE_BODY_FACTS, NONE, "multipart_crlf_lf_lines", NULL },
	{ "MULTIPART_DATA_AFTER", ZONE_BODY_FACTS, NONE, "multipart_data_after", NULL },
	{ "MULTIPART_DATA_BEFORE", ZONE_BODY_FACTS, NONE, "multipart_data_before", NULL },
	{ "MULTIPART_FILENAME", ZONE_FILES, NONE, NULL, NULL },
	{ "MULTIPART_FILE_LIMIT_EXCEEDED", ZONE_BODY_FACTS, NONE, "multipart_file_limit_exceeded", NULL },
	{ "MULTIPART_HEADER_FOLDING", ZONE_BODY_FACTS, NONE, "multipart_header_folding", NULL },
	{ "MULTIPART_INVALID_HEADER_FOLDING", ZONE_BODY_FACTS, NONE, "multipart_invalid_header_folding", NULL },
	{ "MULTIPART_INVALID_PART", ZONE_BODY_FACTS, NONE, "multipart_invalid_part", NULL },
	{ "MULTIPART_INVALID_QUOTING", ZONE_BODY_FACTS, NONE, "multipart_invalid_quoting", NULL },
	{ "MULTIPART_LF_LINE", ZONE_BODY_FACTS, NONE, "multipart_lf_line", NULL },
	{ "MULTIPART_MISSING_SEMICOLON", ZONE_BODY_FACTS, NONE, "multipart_missing_semicolon", NULL },
	{ "MULTIPART_NAME", ZONE_FILES_NAMES, NONE, NULL, NULL },
	{ "MULTIPART_PART_HEADERS", ZONE_PART_HEADERS, NONE, NULL, NULL },
	{ "MULTIPART_SEMICOLON_MISSING", ZONE_BODY_FACTS, NONE, "multipart_missing_semicolon", NULL },
	{ "MULTIPART_STRICT_ERROR", ZONE_BODY_FACTS, NONE, "multipart_strict_error", NULL },
	{ "MULTIPART_UNMATCHED_BOUNDARY", ZONE_BODY_FACTS, NONE, "multipart_unmatched_boundary", NULL },
	{ "OUTBOUND_DATA_ERROR", ZONE_ANSWER_FACTS, NONE, "outbound_data_error", NULL },
	{ "PATH_INFO", ZONE_PATH, NONE, NULL, NULL },
	{ "QUERY_STRING", ZONE_QUERY, NONE, NULL, NULL },
	{ "REMOTE_ADDR", ZONE_HEAD_FACTS, NONE, "remote_addr", NULL },
	{ "REMOTE_HOST", ZONE_HEAD_FACTS, NONE, "remote_addr", NULL },
	{ "REMOTE_PORT", ZONE_HEAD_FACTS, NONE, "remote_port", NULL },
	{ "REMOTE_USER", ZONE_HEAD_FACTS, NONE, "remote_user", NULL },
	{ "REQBODY_ERROR", ZONE_BODY_FACTS, NONE, "reqbody_error", NULL },
	{ "REQBODY_ERROR_MSG", ZONE_BODY_FACTS, NONE, "reqbody_error_msg", NULL },
	{ "REQBODY_PROCESSOR", ZONE_HEAD_FACTS, NONE, "reqbody_processor", NULL },
	{ "REQBODY_PROCESSOR_ERROR", ZONE_BODY_FACTS, NONE, "reqbody_error", NULL },
	{ "REQBODY_PROCESSOR_ERROR_MSG", ZONE_BODY_FACTS, NONE, "reqbody_error_msg", NULL },
	{ "REQUEST_BASENAME", ZONE_BASENAME, NONE, NULL, NULL },
	{ "REQUEST_BODY", ZONE_FORM_BODY, NONE, NULL, NULL },
	{ "REQUEST_BODY_LENGTH", ZONE_BODY_FACTS, NONE, "request_body_length", NULL },
	{ "REQUEST_COOKIES", ZONE_COOKIES, NONE, NULL, NULL },
	{ "REQUEST_COOKIES_NAMES", ZONE_COOKIES_NAMES, NONE, NULL, NULL },
	{ "REQUEST_FILENAME", ZONE_PATH, NONE, NULL, NULL },
	{ "REQUEST_HEADERS", ZONE_HEADERS, NONE, NULL, NULL },
	{ "REQUEST_HEADERS_NAMES", ZONE_HEADERS_NAMES, NONE, NULL, NULL },
	{ "REQUEST_LINE", ZONE_LINE, NONE, NULL, NULL },
	{ "REQUEST_METHOD", ZONE_METHOD, NONE, NULL, NULL },
	{ "REQUEST_PROTOCOL", ZONE_PROTOCOL, NONE, NULL, NULL },
	{ "REQUEST_URI", ZONE_PATH_QUERY, NONE, NULL, NULL },
	{ "REQUEST_URI_RAW", ZONE_URI_FULL, NONE, NULL, NULL },
	{ "RESOURCE", ZONE_VARS, NONE, NULL, NULL },
	{ "RESPONSE_BODY", ZONE_ANSWER_BODY, NONE, NULL, NULL },
	{ "RESPONSE_CONTENT_LENGTH", ZONE_ANSWER_FACTS, NONE, "response_content_length", NULL },
	{ "RESPONSE_CONTENT_TYPE", ZONE_ANSWER_FACTS, NONE, "response_content_type", NULL },
	{ "RESPONSE_HEADERS", ZONE_ANSWER_HEADERS, NONE, NULL, NULL },
	{ "RESPONSE_HEADERS_NAMES", ZONE_ANSWER_HEADERS_NAMES, NONE, NULL, NULL },
	{ "RESPONSE_PROTOCOL", ZONE_ANSWER_FACTS, NONE, "response_protocol", NULL },
	{ "RESPONSE_STATUS", ZONE_STATUS, NONE, NULL, NULL },
	{ "RULE", ZONE_MOMENT, NONE, NULL, NULL },
	{ "SCRIPT_BASENAME", NONE, NONE, NULL, "a gate runs no scripts" },
	{ "SCRIPT_FILENAME", NONE, NONE, NULL, "a gate runs no scripts" },
	{ "SERVER_ADDR", ZONE_HEAD_FACTS, NONE, "server_addr", NULL },
	{ "SERVER_NAME", ZONE_HEAD_FACTS, NONE, "server_name", NULL },
	{ "SERVER_PORT", ZONE_HEAD_FACTS, NONE, "server_port", NULL },
	{ "SESSION", ZONE_VARS, NONE, NULL, NULL },
	{ "SESSIONID", ZONE_HEAD_FACTS, NONE, "sessionid", NULL },
	{ "STATUS_LINE", ZONE_ANSWER_FACTS, NONE, "status_line", NULL },
	{ "TIME", ZONE_MOMENT, NONE, "time", NULL },
	{ "TIME_DAY", ZONE_MOMENT, NONE, "time_day", NULL },
	{ "TIME_EPOCH", ZONE_MOMENT, NONE, "time_epoch", NULL },
	{ "TIME_HOUR", ZONE_MOMENT, NONE, "time_hour", NULL },
	{ "TIME_MIN", ZONE_MOMENT, NONE, "time_min", NULL },
	{ "TIME_MON", ZONE_MOMENT, NONE, "time_mon", NULL },
	{ "TIME_SEC", ZONE_MOMENT, NONE, "time_sec", NULL },
	{ "TIME_WDAY", ZONE_MOMENT, NONE, "time_wday", NULL },
	{ "TIME_YEAR", ZONE_MOMENT, NONE, "time_year", NULL },
	{ "TX", ZONE_VARS, NONE, NULL, NULL },
	{ "UNIQUE_ID", ZONE_HEAD_FACTS, NONE, "unique_id", NULL },
	{ "URLENCODED_ERROR", ZONE_BODY_FACTS, NONE, "urlencoded_error", NULL },
	{ "USER", ZONE_VARS, NONE, NULL, NULL },
	{ "USERAGENT_IP", ZONE_HEAD_FACTS, NONE, "remote_addr", NULL },
	{ "USERID", ZONE_HEAD_FACTS, NONE, "userid", NULL },
	{ "WEBAPPID", ZONE_HEAD_FACTS, NONE, "webappid", NULL },
	{ "XML", ZONE_XML_TEXT, NONE, NULL, NULL },
};

static const struct {
	const char *name;
	enum collection collection;
} collections[] = {
	{ "TX", COLLECTION_TX },           { "IP", COLLECTION_IP },     { "GLOBAL", COLLECTION_GLOBAL },
	{ "SESSION", COLLECTION_SESSION }, { "USER", COLLECTION_USER }, { "RESOURCE", COLLECTION_RESOURCE },
	{ "GEO", COLLECTION_GEO },
};

bool seclang_collection(struct bytes name, enum collection *out)
{
	for (size_t i = 0; i < nelems(collections); i++)
		if (bytes_eq_nocase(name, bytes_of(collections[i].name))) {
			*out = collections[i].collection;
			return true;
		}
	return false;
}

static const struct variable *variable_find(struct bytes name)
{
	for (size_t i = 0; i < nelems(variables); i++)
		if (bytes_eq_nocase(name, bytes_of(variables[i].name)))
			return &variables[i];
	return NULL;
}

static bool unknown(struct seclang *s, struct bytes name)
{
	const char *all[nelems(variables)], *near;

	for (size_t i = 0; i < nelems(variables); i++)
		all[i] = variables[i].name;
	near = schema_nearest(name, all, nelems(variables));
	return seclang_fail(s, "unknown variable '%.*s'%s%s%s", BYTES_ARG(bytes_sub(name, 0, 60)), near ? ", did you mean '" : "",
			    near ? near : "", near ? "'?" : "");
}

static bool lower(struct seclang *s, struct bytes text, struct bytes *out)
{
	*out = arena_copy(s->ir->arena, text);
	for (size_t i = 0; out->at && i < text.len; i++)
		((char *)out->at)[i] = byte_lower(text.at[i]);
	return out->at || seclang_short_of_memory(s);
}

static bool xml(struct seclang *s, const struct seclang_variable *v, struct target *t)
{
	bool attributes = bytes_eq(v->selector, BYTES("//@*"));

	t->zone = attributes ? ZONE_XML_ATTRIBUTES : ZONE_XML_TEXT;
	if (attributes || !v->selector.at || bytes_eq(v->selector, BYTES("/*")) || bytes_eq(v->selector, BYTES("//*")))
		return true;
	return seclang_fail(s, "XML:%.*s: of XPath only /* (all text) and //@* (all attributes) are understood",
			    BYTES_ARG(bytes_sub(v->selector, 0, 60)));
}

static bool selector(struct seclang *s, const struct seclang_variable *v, struct target *t)
{
	struct err why = { 0 };

	if (t->zone == ZONE_VARS && !seclang_collection(v->name, &t->collection))
		return unknown(s, v->name);
	if (!v->selector.at)
		return true;
	if (v->regex) {
		t->regex = ir_regex(s->ir, v->selector, PATTERN_CASELESS, &why);
		t->pattern = arena_copy(s->ir->arena, v->selector);
		if (!t->pattern.at)
			return seclang_short_of_memory(s);
		return t->regex || seclang_fail(s, "%.*s:/%.*s/: %s", BYTES_ARG(v->name), BYTES_ARG(bytes_sub(v->selector, 0, 60)), why.text);
	}
	if (t->zone == ZONE_VARS && !ir_slot(s->ir, t->collection, v->selector, &t->slot))
		return seclang_short_of_memory(s);
	return lower(s, v->selector, &t->name);
}

/* What RULE:... can be of the rule in hand; variables.c has them under these names. */
static const char *const rule_facts[] = { "rule.id", "rule.msg", "rule.severity" };

static bool rule_is(const struct seclang_variable *v, const struct regex *regex, const char *fact)
{
	struct bytes name = bytes_from(bytes_of(fact), strlen("rule."));
	size_t from, to;

	return regex ? regex_find(regex, name, &from, &to) == REGEX_YES : bytes_eq_nocase(v->selector, name);
}

/* An expression may mean several: each is a target like the one at out[*n]. */
static bool rule_targets(struct seclang *s, const struct seclang_variable *v, struct target *out, size_t *n)
{
	const struct target like = out[*n];
	size_t before = *n;
	struct regex *regex = NULL;
	struct err why = { 0 };

	if (v->regex && !(regex = ir_regex(s->ir, v->selector, PATTERN_CASELESS, &why)))
		return seclang_fail(s, "RULE:/%.*s/: %s", BYTES_ARG(bytes_sub(v->selector, 0, 60)), why.text);
	for (size_t i = 0; i < nelems(rule_facts); i++)
		if (rule_is(v, regex, rule_facts[i])) {
			out[*n] = like;
			out[(*n)++].name = bytes_of(rule_facts[i]);
		}
	return *n > before || seclang_fail(s, "RULE needs one of :id, :msg, :severity");
}

static bool target(struct seclang *s, const struct seclang_variable *v, const struct variable *is, struct target *t)
{
	*t = (struct target){ .zone = is->zone, .word = is->name, .slot = UINT32_MAX, .except = v->except, .count = v->count };
	if (is->fact)
		t->name = bytes_of(is->fact);
	if (is->fact || (is->zone == ZONE_XML_TEXT && xml(s, v, t)))
		return true;
	if (is->zone == ZONE_XML_TEXT)
		return false;
	return is->zone == ZONE_MOMENT || selector(s, v, t);
}

/* Adds one, or as many as it means: ARGS two, RULE:/.../ three at most. */
static bool targets_of(struct seclang *s, const struct seclang_variable *v, struct target *out, size_t *n)
{
	const struct variable *is = variable_find(v->name);

	if (!is)
		return unknown(s, v->name);
	if (is->refused)
		return seclang_fail(s, "%s: %s", is->name, is->refused);
	if (!target(s, v, is, &out[*n]))
		return false;
	if (is->zone == ZONE_MOMENT && !is->fact)
		return rule_targets(s, v, out, n);
	if (is->also != NONE) {
		out[*n + 1] = out[*n];
		out[*n + 1].zone = is->also;
		out[*n].more = true;
		++*n;
	}
	++*n;
	return true;
}

bool seclang_targets(struct seclang *s, struct bytes text, struct target **out, size_t *n)
{
	struct seclang_variable *v;
	struct err why = { 0 };
	size_t nv = 0;

	if (!seclang_variables(s->ir->arena, text, &v, &nv, &why))
		return seclang_fail(s, "%s", why.text);
	*out = arena_get(s->ir->arena, (nelems(rule_facts) * nv + 1) * sizeof **out);
	*n = 0;
	if (!*out)
		return seclang_short_of_memory(s);
	for (size_t i = 0; i < nv; i++)
		if (!targets_of(s, &v[i], *out, n))
			return false;
	return true;
}
