/* api_replay_read.c -- from JSON to a request that could have come, and to an exception that could be written. */
#include "admin/api/api_replay.h"
#include "admin/propose.h"

static const struct api_field header_fields[] = {
	{ "name", API_TEXT, .max = 256, .help = "a token" },
	{ "value", API_TEXT, .max = 16384, .help = "without line ends" },
};
static const struct api_shape header_shape = API_SHAPE("HeaderField", header_fields);

static const struct api_field request_fields[] = {
	{ "app", API_TEXT, .help = "whose rules are asked" },
	{ "method", API_TEXT, .max = 64, .help = "GET, POST, ..." },
	{ "target", API_TEXT, .max = 16384, .help = "path and query, as on the wire" },
	{ "headers", API_OBJECT, .list = true, .of = &header_shape, .help = "without Host the app's is taken; Content-Length is the body's" },
	{ "body", API_TEXT, .optional = true, .max = REPLAY_BODY_MAX, .help = "as it is" },
	{ "client", API_TEXT, .optional = true, .max = 64, .help = "address that it comes from; 192.0.2.1" },
	{ "ja4", API_TEXT, .optional = true, .max = 36, .help = "its TLS fingerprint, for `rules` of the app; without TLS there is none" },
	{ "rule", API_TEXT, .optional = true, .max = REPLAY_RULE_MAX, .help = "SecLang or YAML, tried as one of the app's own files" },
};
const struct api_shape api_request_shape = API_SHAPE("RuleTestRequest", request_fields);

static const struct api_field exception_fields[] = {
	{ "path", API_TEXT, .optional = true, .help = "a pattern; absent: every path" },
	{ "methods", API_TEXT, .list = true, .optional = true, .help = "absent: every method" },
	{ "rules", API_TEXT, .list = true, .optional = true, .help = "ids, or ranges of them" },
	{ "categories", API_TEXT, .list = true, .optional = true, .help = "sqli, xss, ..." },
	{ "tags", API_TEXT, .list = true, .optional = true, .help = "of SecLang" },
	{ "args", API_TEXT, .list = true, .optional = true, .help = "names of arguments" },
	{ "cookies", API_TEXT, .list = true, .optional = true, .help = "names of cookies" },
	{ "headers", API_TEXT, .list = true, .optional = true, .help = "names of fields" },
	{ "parts", API_TEXT, .list = true, .optional = true, .help = "body, args, cookies, headers, files, path, query, answer" },
	{ "skip", API_TEXT, .list = true, .optional = true, .help = "the short form; alone" },
	{ "reason", API_TEXT, .optional = true, .help = "why; means nothing here" },
	{ "until", API_TEXT, .optional = true, .max = 40, .help = "means nothing here" },
};
const struct api_shape api_exception_shape = API_SHAPE("ExceptionTried", exception_fields);

/* ---- a request ---- */

/* RFC 9110 5.6.2 */
static bool is_token(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] <= ' ' || b.at[i] > '~' || strchr("()<>@,;:\\\"/[]?={}", b.at[i]))
			return false;
	return b.len > 0;
}

/* What would end the line that it stands in. */
static bool has_line_end(struct bytes b)
{
	return bytes_index(b, '\r') != SIZE_MAX || bytes_index(b, '\n') != SIZE_MAX;
}

static bool read_field(const struct json *v, struct field *out, struct err *e)
{
	json_text(v, "name", &out->name);
	json_text(v, "value", &out->value);
	out->value = bytes_trim(out->value);
	if (!is_token(out->name))
		return err_set(e, SIDE_CLIENT, 422, "headers: '%.*s' is no name of a field", (int)(out->name.len < 64 ? out->name.len : 64),
			       out->name.at);
	return !has_line_end(out->value) || err_set(e, SIDE_CLIENT, 422, "headers: a value with a line end");
}

static bool read_fields(struct arena *a, const struct json *list, struct replay_request *out, struct err *e)
{
	size_t n = json_length(list, "");
	struct field *at = arena_get(a, (n + 1) * sizeof *at);

	if (n > REPLAY_FIELDS)
		return err_set(e, SIDE_CLIENT, 422, "headers: more than %d", REPLAY_FIELDS);
	if (!at)
		return err_set(e, SIDE_SELF, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (!read_field(json_item(list, i), &at[i], e))
			return false;
	out->fields = at;
	out->nfields = n;
	return true;
}

bool replay_read_request(struct arena *a, const struct json *v, struct replay_request *out, struct err *e)
{
	struct bytes client = BYTES("192.0.2.1");

	*out = (struct replay_request){ 0 };
	json_text(v, "method", &out->method);
	json_text(v, "target", &out->target);
	json_text(v, "body", &out->body);
	json_text(v, "client", &client);
	json_text(v, "ja4", &out->ja4);
	if (!is_token(out->method))
		return err_set(e, SIDE_CLIENT, 422, "method: a token is wanted");
	if (!out->target.len || has_line_end(out->target) || bytes_index(out->target, ' ') != SIZE_MAX)
		return err_set(e, SIDE_CLIENT, 422, "target: a path is wanted, without blanks and line ends");
	if (!ip_parse(client, &out->client))
		return err_set(e, SIDE_CLIENT, 422, "client: an address is wanted");
	return read_fields(a, json_at(v, "headers"), out, e);
}

/* ---- an exception ---- */

static bool read_words(struct arena *a, const struct json *v, const char *key, struct exclusion_words *out, struct err *e)
{
	const struct json *list = json_at(v, key);
	size_t n = list ? json_length(list, "") : 0;
	struct bytes *at = n ? arena_get(a, n * sizeof *at) : NULL;

	*out = (struct exclusion_words){ at, n };
	if (n && !at)
		return err_set(e, SIDE_SELF, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (!json_text(json_item(list, i), "", &at[i]))
			return err_set(e, SIDE_CLIENT, 422, "%s: texts are wanted", key);
	return true;
}

static bool read_parts(struct arena *a, const struct json *v, uint32_t *out, struct err *e)
{
	struct exclusion_words words;

	if (!read_words(a, v, "parts", &words, e))
		return false;
	for (size_t i = 0; i < words.n; i++) {
		size_t k = 0;

		while (k < EXCLUDE_PARTS && !bytes_eq(words.at[i], bytes_of(propose_part_word((enum exclusion_part)k))))
			k++;
		if (k == EXCLUDE_PARTS)
			return err_set(e, SIDE_CLIENT, 422, "parts: '%.*s' is none", (int)(words.at[i].len < 64 ? words.at[i].len : 64), words.at[i].at);
		*out |= 1u << k;
	}
	return true;
}

bool replay_read_exception(struct arena *a, const struct json *v, struct replay_exception *out, struct err *e)
{
	*out = (struct replay_exception){ 0 };
	json_text(v, "path", &out->path);
	if (!read_words(a, v, "methods", &out->methods, e) || !read_parts(a, v, &out->what.parts, e))
		return false;
	for (size_t i = 0; i < EXCLUDE_KEYS; i++)
		if (!read_words(a, v, propose_word((enum exclusion_key)i), &out->what.words[i], e))
			return false;
	return true;
}

bool replay_read_exceptions(struct arena *a, const struct json *list, struct replay_job *j, struct err *e)
{
	size_t n = list ? json_length(list, "") : 0;
	struct replay_exception *at = arena_get(a, (n + 1) * sizeof *at);

	if (n > REPLAY_EXCEPTIONS)
		return err_set(e, SIDE_CLIENT, 422, "exceptions: more than %d", REPLAY_EXCEPTIONS);
	if (!at)
		return err_set(e, SIDE_SELF, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (!replay_read_exception(a, json_item(list, i), &at[i], e))
			return err_at(e, "exceptions[%zu]", i);
	j->exceptions = at;
	j->nexceptions = n;
	return true;
}
