/* modsec_oracle -- what ModSecurity's own library says of requests.
 *
 *   modsec_oracle FILE.conf... < records
 *
 * The rules are loaded in the order given. A record is parsed by whoever wrote
 * it, as an HTTP server would have: lines "KEY LENGTH\n", LENGTH bytes, "\n".
 *
 *   client  address        method, uri, version ("1.1")
 *   field   a line "Name: value", as often as needed
 *   body    of the request
 *   status  of the answer, in decimal    answer-field, answer-body
 *   end     empty; the record is complete
 *
 * For each record one line: the ids of the rules that were logged, in order,
 * separated by blanks. A rule with nolog is silent here as everywhere. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

enum { KEY_MAX = 32, VALUE_MAX = 64 << 20, FIELDS_MAX = 512, IDS_MAX = 4096 };

struct slice {
	char *at;
	size_t len;
};

struct record {
	struct slice client, method, uri, version, status;
	struct slice body, answer_body;
	struct slice fields[FIELDS_MAX], answer_fields[FIELDS_MAX];
	size_t nfields, nanswer_fields;
};

struct ids {
	unsigned long at[IDS_MAX];
	size_t n;
};

static void die(const char *what, const char *more)
{
	fprintf(stderr, "modsec_oracle: %s %s\n", what, more);
	exit(2);
}

/* --- records --------------------------------------------------------------- */

static struct slice read_value(size_t len)
{
	struct slice s = { malloc(len + 1), len };

	if (!s.at)
		die("out of memory", "");
	if (fread(s.at, 1, len, stdin) != len || getchar() != '\n')
		die("a record is cut:", strerror(errno));
	s.at[len] = '\0';
	return s;
}

static void put(struct slice *into, struct slice value)
{
	free(into->at);
	*into = value;
}

static void add(struct slice *list, size_t *n, struct slice value)
{
	if (*n == FIELDS_MAX)
		die("too many fields", "");
	list[(*n)++] = value;
}

static void take(struct record *r, const char *key, struct slice value)
{
	struct {
		const char *key;
		struct slice *into;
	} single[] = {
		{"client",       &r->client     },
                { "method",      &r->method     },
                { "uri",         &r->uri        },
		{ "version",     &r->version    },
                { "status",      &r->status     },
                { "body",        &r->body       },
		{ "answer-body", &r->answer_body},
	};

	for (size_t i = 0; i < sizeof single / sizeof *single; i++)
		if (strcmp(key, single[i].key) == 0) {
			put(single[i].into, value);
			return;
		}
	if (strcmp(key, "field") == 0)
		add(r->fields, &r->nfields, value);
	else if (strcmp(key, "answer-field") == 0)
		add(r->answer_fields, &r->nanswer_fields, value);
	else
		die("unknown key", key);
}

/* False: there are no more. */
static bool record_read(struct record *r)
{
	char key[KEY_MAX + 1];
	unsigned long len;

	*r = (struct record){ 0 };
	while (scanf("%32[a-z-] %lu", key, &len) == 2) {
		struct slice value;

		if (getchar() != '\n' || len > VALUE_MAX)
			die("no such value of", key);
		value = read_value(len);
		if (strcmp(key, "end") == 0) {
			free(value.at);
			return true;
		}
		take(r, key, value);
	}
	if (!feof(stdin))
		die("no record begins here", "");
	return false;
}

static void record_free(struct record *r)
{
	for (size_t i = 0; i < r->nfields; i++)
		free(r->fields[i].at);
	for (size_t i = 0; i < r->nanswer_fields; i++)
		free(r->answer_fields[i].at);
	free(r->client.at);
	free(r->method.at);
	free(r->uri.at);
	free(r->version.at);
	free(r->status.at);
	free(r->body.at);
	free(r->answer_body.at);
}

/* --- a transaction --------------------------------------------------------- */

static const char *text(struct slice s, const char *otherwise)
{
	return s.at ? s.at : otherwise;
}

/* `line` is text; the first [id "942100"] in it is the rule's, the request's own words come later.
 */
static void on_log(void *data, const void *line)
{
	const char *at = strstr(line, "[id \"");
	struct ids *ids = data;

	if (at && ids->n < IDS_MAX)
		ids->at[ids->n++] = strtoul(at + 5, NULL, 10);
}

static void add_fields(Transaction *t, const struct slice *fields, size_t n,
		       int (*one)(Transaction *, const unsigned char *, size_t,
				  const unsigned char *, size_t))
{
	for (size_t i = 0; i < n; i++) {
		const char *at = fields[i].at, *colon = memchr(at, ':', fields[i].len), *value;

		if (!colon)
			continue;
		for (value = colon + 1; *value == ' ' || *value == '\t'; value++)
			;
		one(t, (const unsigned char *)at, (size_t)(colon - at),
		    (const unsigned char *)value, fields[i].len - (size_t)(value - at));
	}
}

static void answer(Transaction *t, const struct record *r)
{
	add_fields(t, r->answer_fields, r->nanswer_fields, msc_add_n_response_header);
	msc_process_response_headers(t, (int)strtol(text(r->status, "200"), NULL, 10), "HTTP 1.1");
	if (r->answer_body.len)
		msc_append_response_body(t, (const unsigned char *)r->answer_body.at,
					 r->answer_body.len);
	msc_process_response_body(t);
}

static void judge(ModSecurity *modsec, RulesSet *rules, const struct record *r)
{
	struct ids ids = { .n = 0 };
	Transaction *t = msc_new_transaction(modsec, rules, &ids);

	if (!t)
		die("out of memory", "");
	msc_process_connection(t, text(r->client, "127.0.0.1"), 50000, "127.0.0.1", 80);
	msc_process_uri(t, text(r->uri, "/"), text(r->method, "GET"), text(r->version, "1.1"));
	add_fields(t, r->fields, r->nfields, msc_add_n_request_header);
	msc_process_request_headers(t);
	if (r->body.len)
		msc_append_request_body(t, (const unsigned char *)r->body.at, r->body.len);
	msc_process_request_body(t);
	answer(t, r);
	msc_process_logging(t);
	msc_transaction_cleanup(t);
	for (size_t i = 0; i < ids.n; i++)
		printf("%s%lu", i ? " " : "", ids.at[i]);
	putchar('\n');
	fflush(stdout);
}

int main(int argc, char **argv)
{
	ModSecurity *modsec = msc_init();
	RulesSet *rules = msc_create_rules_set();
	const char *error = "";
	struct record r;

	if (argc < 2 || !modsec || !rules)
		die("usage: modsec_oracle FILE.conf... < records", "");
	msc_set_log_cb(modsec, on_log);
	for (int i = 1; i < argc; i++)
		if (msc_rules_add_file(rules, argv[i], &error) < 0)
			die(argv[i], error ? error : "");
	while (record_read(&r)) {
		judge(modsec, rules, &r);
		record_free(&r);
	}
	record_free(&r);
	msc_rules_cleanup(rules);
	msc_cleanup(modsec);
	return 0;
}
