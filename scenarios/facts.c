/* facts.c -- the names of what is known, and what follows from a request target.
 *
 * The parts of a file name are those of CrowdSec's parser http-logs:
 * `^(dir: .*\/)((frag: [^\/].*?)(ext: \.[^.]*$|$))?` over the target without its query. */
#include "scenarios/facts.h"

/* One fact may have several names; its first row is its own. Rows are in the order of enum fact. */
static const struct fact_row {
	const char *name;
	enum fact fact;
	enum observe_point point;
} rows[] = {
	{ "Meta.source_ip", FACT_SOURCE_IP, AT_HEAD },
	{ "Parsed.remote_addr", FACT_SOURCE_IP, AT_HEAD },
	{ "Parsed.clientip", FACT_SOURCE_IP, AT_HEAD },
	{ "Meta.service", FACT_SERVICE, AT_HEAD },
	{ "Meta.log_type", FACT_LOG_TYPE, AT_HEAD },
	{ "Meta.sub_type", FACT_SUB_TYPE, AT_ANSWER },
	{ "Meta.timestamp", FACT_TIMESTAMP, AT_HEAD },
	{ "Meta.datasource_type", FACT_DATASOURCE_TYPE, AT_HEAD },
	{ "Meta.datasource_path", FACT_DATASOURCE_PATH, AT_HEAD },
	{ "Meta.username", FACT_USERNAME, AT_BODY },
	{ "Enriched.IsoCode", FACT_COUNTRY, AT_HEAD },
	{ "Meta.IsoCode", FACT_COUNTRY, AT_HEAD },
	{ "Enriched.ASNumber", FACT_AS_NUMBER, AT_HEAD },
	{ "Meta.ASNNumber", FACT_AS_NUMBER, AT_HEAD },
	{ "Enriched.ASNNumber", FACT_AS_NUMBER, AT_HEAD },
	{ "Enriched.ASNOrg", FACT_AS_NAME, AT_HEAD },
	{ "Meta.ASNOrg", FACT_AS_NAME, AT_HEAD },
	{ "Enriched.SourceRange", FACT_SOURCE_RANGE, AT_HEAD },
	{ "Meta.SourceRange", FACT_SOURCE_RANGE, AT_HEAD },
	{ "Meta.http_path", FACT_HTTP_PATH, AT_HEAD },
	{ "Parsed.request", FACT_REQUEST, AT_HEAD },
	{ "Parsed.http_args", FACT_HTTP_ARGS, AT_HEAD },
	{ "Meta.http_args_len", FACT_HTTP_ARGS_LEN, AT_HEAD },
	{ "Parsed.file_dir", FACT_FILE_DIR, AT_HEAD },
	{ "Parsed.file_name", FACT_FILE_NAME, AT_HEAD },
	{ "Parsed.file_frag", FACT_FILE_FRAG, AT_HEAD },
	{ "Parsed.file_ext", FACT_FILE_EXT, AT_HEAD },
	{ "Parsed.static_ressource", FACT_STATIC, AT_HEAD },
	{ "Meta.http_verb", FACT_VERB, AT_HEAD },
	{ "Parsed.verb", FACT_VERB, AT_HEAD },
	{ "Parsed.http_version", FACT_HTTP_VERSION, AT_HEAD },
	{ "Meta.target_fqdn", FACT_TARGET_FQDN, AT_HEAD },
	{ "Parsed.target_fqdn", FACT_TARGET_FQDN, AT_HEAD },
	{ "Meta.http_user_agent", FACT_USER_AGENT, AT_HEAD },
	{ "Parsed.http_user_agent", FACT_USER_AGENT, AT_HEAD },
	{ "Parsed.http_referer", FACT_REFERER, AT_HEAD },
	{ "Parsed.referrer", FACT_REFERER, AT_HEAD },
	{ "Parsed.rawrequest", FACT_RAW_REQUEST, AT_HEAD },
	{ "Meta.http_status", FACT_STATUS, AT_ANSWER },
	{ "Parsed.status", FACT_STATUS, AT_ANSWER },
	{ "Parsed.response", FACT_STATUS, AT_ANSWER },
	{ "Parsed.body_bytes_sent", FACT_BODY_BYTES, AT_END },
	{ "Parsed.bytes", FACT_BODY_BYTES, AT_END },
	{ "Parsed.impact_completion", FACT_IMPACT, AT_ANSWER },
	{ "Meta.rule_name", FACT_RULE_NAME, AT_HEAD },
	{ "Parsed.rule_name", FACT_RULE_NAME, AT_HEAD },
	{ "Parsed.action", FACT_ACTION, AT_HEAD },
	{ "Parsed.outofband_action", FACT_OUT_OF_BAND_ACTION, AT_HEAD },
	{ "Parsed.source", FACT_ORIGIN, AT_HEAD },
	{ "Appsec.HasOutBandMatches", FACT_HAS_OUT_OF_BAND, AT_HEAD },
	{ "Appsec.GetName", FACT_APPSEC_NAME, AT_HEAD },
	{ "Gate.app", FACT_APP, AT_HEAD },
	{ "Gate.network", FACT_NETWORK, AT_HEAD },
	{ "Gate.session", FACT_SESSION, AT_HEAD },
	{ "Gate.cookies", FACT_COOKIES, AT_HEAD },
	{ "Gate.fingerprint", FACT_FINGERPRINT, AT_HEAD },
	{ "Gate.ja4", FACT_JA4, AT_HEAD },
	{ "Meta.ja4", FACT_JA4, AT_HEAD },
	{ "Parsed.ja4", FACT_JA4, AT_HEAD },
	{ "Gate.navigation", FACT_NAVIGATION, AT_HEAD },
	{ "Gate.route", FACT_ROUTE, AT_HEAD },
	{ "Gate.bot", FACT_BOT, AT_HEAD },
	{ "Gate.bot_verified", FACT_BOT_VERIFIED, AT_HEAD },
	{ "Gate.pass", FACT_PASS, AT_HEAD },
	{ "Gate.malformed", FACT_MALFORMED, AT_HEAD },
	{ "Gate.head_ms", FACT_HEAD_MS, AT_HEAD },
	{ "Gate.user", FACT_USER, AT_BODY },
	{ "Gate.request_bytes", FACT_REQUEST_BYTES, AT_ANSWER },
	{ "Gate.login", FACT_LOGIN, AT_ANSWER },
	{ "Gate.answer_ms", FACT_ANSWER_MS, AT_ANSWER },
};

static const struct fact_row *row_of(enum fact fact)
{
	for (size_t i = 0; i < nelems(rows); i++)
		if (rows[i].fact == fact)
			return &rows[i];
	return &rows[0]; /* never: each has its row, as a test shows */
}

enum fact fact_find(struct bytes name)
{
	for (size_t i = 0; i < nelems(rows); i++)
		if (bytes_eq(name, bytes_of(rows[i].name)))
			return rows[i].fact;
	return FACT_COUNT;
}

enum observe_point fact_point(enum fact fact)
{
	return row_of(fact)->point;
}

const char *fact_name(enum fact fact)
{
	return row_of(fact)->name;
}

const char *fact_row_name(size_t i)
{
	return i < nelems(rows) ? rows[i].name : NULL;
}

/* ---- numbers ---- */

struct bytes fact_number(struct arena *a, uint64_t n)
{
	char digits[20];
	struct text t = text_over(digits, sizeof digits);

	text_u64(&t, n);
	return arena_copy(a, text_bytes(&t));
}

/* ---- what follows from a target ---- */

/* As CrowdSec's parser lists them. */
static bool is_static(struct bytes ext)
{
	static const char *const known[] = {
		".jpg", ".css", ".js", ".jpeg", ".png", ".svg", ".map", ".ico", ".otf", ".gif", ".mp3", ".mp4", ".woff",
		".woff2", ".ttf", ".eot", ".webp", ".wav", ".gz", ".brotli", ".bvr", ".ts", ".bmp", ".avif", ".mjs",
	};

	for (size_t i = 0; i < nelems(known); i++)
		if (bytes_eq_nocase(ext, bytes_of(known[i])))
			return true;
	return false;
}

static size_t last_of(struct bytes b, char c)
{
	const char *at = b.len ? memrchr(b.at, c, b.len) : NULL;

	return at ? (size_t)(at - b.at) : SIZE_MAX;
}

static void file_parts(struct facts *f, struct bytes path)
{
	size_t slash = last_of(path, '/'), dot;
	struct bytes name;

	if (slash == SIZE_MAX)
		return;
	f->at[FACT_FILE_DIR] = bytes_sub(path, 0, slash + 1);
	f->at[FACT_FILE_NAME] = name = bytes_from(path, slash + 1);
	dot = name.len ? last_of(bytes_from(name, 1), '.') : SIZE_MAX;
	f->at[FACT_FILE_FRAG] = dot == SIZE_MAX ? name : bytes_sub(name, 0, dot + 1);
	f->at[FACT_FILE_EXT] = dot == SIZE_MAX ? (struct bytes){ 0 } : bytes_from(name, dot + 1);
	f->at[FACT_STATIC] = is_static(f->at[FACT_FILE_EXT]) ? BYTES("true") : BYTES("false");
}

void facts_target(struct facts *f, struct arena *a, struct bytes target)
{
	size_t mark = last_of(target, '?');

	f->at[FACT_HTTP_PATH] = target;
	f->at[FACT_REQUEST] = mark == SIZE_MAX ? target : bytes_sub(target, 0, mark);
	f->at[FACT_HTTP_ARGS] = mark == SIZE_MAX ? (struct bytes){ 0 } : bytes_from(target, mark + 1);
	f->at[FACT_HTTP_ARGS_LEN] = f->at[FACT_HTTP_ARGS].len ? fact_number(a, f->at[FACT_HTTP_ARGS].len) : BYTES("0");
	file_parts(f, f->at[FACT_REQUEST]);
}

void facts_status(struct facts *f, struct arena *a, unsigned status)
{
	f->at[FACT_STATUS] = fact_number(a, status);
	f->at[FACT_IMPACT] = status == 404 || status == 403 || status == 502 ? BYTES("false") : BYTES("true");
}

/* ---- by name ---- */

bool facts_put(struct facts *f, struct arena *a, struct bytes name, struct bytes value)
{
	enum fact known = fact_find(name);
	struct fact_extra *e;

	if (known < FACT_COUNT) {
		f->at[known] = value;
		return true;
	}
	if (!(e = arena_get(a, sizeof *e)))
		return false;
	*e = (struct fact_extra){ f->extra, name, value };
	f->extra = e;
	return true;
}

struct bytes facts_get(const struct facts *f, struct bytes name)
{
	enum fact known = fact_find(name);

	if (known < FACT_COUNT)
		return f->at[known];
	for (const struct fact_extra *e = f->extra; e; e = e->next)
		if (bytes_eq(e->name, name))
			return e->value;
	return (struct bytes){ 0 };
}
