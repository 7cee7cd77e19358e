/* ctl_test.c -- `embergate ctl test URL`: ten harmless requests, as a visitor and as an attacker would send them.
 *
 * An answer is the gate's own when its body names the request's id, as its pages do; the application never knows it.
 * Visitors come first: who attacks may be held after it. */
#include "admin/ctl.h"
#include "base/fetch.h"
#include "base/fetch_url.h"
#include "base/tls.h"
#include <getopt.h>

static const char details[] =
	"Each probe is printed with its answer. Status 1 when an attack passes or a visitor does not.\n"
	"  --at IP     ask this address, wherever the URL's name leads\n"
	"  --insecure  do not verify the certificate\n"
	"The gate sees attacks: from another machine than its own, your address may be held afterwards;\n"
	"`ctl decisions delete ADDRESS` lifts that.\n";

enum probe_kind { PROBE_VISITOR, PROBE_ATTACK };

static const struct probe {
	enum probe_kind kind;
	const char *what, *target, *type, *body;
} probes[] = {
	{ PROBE_VISITOR, "the front page", "/", NULL, NULL },
	{ PROBE_VISITOR, "a search in plain words", "/?q=select+a+book+from+the+list", NULL, NULL },
	{ PROBE_VISITOR, "a name with an apostrophe", "/?name=O%27Reilly", NULL, NULL },
	{ PROBE_ATTACK, "a file of version control", "/.git/config", NULL, NULL },
	{ PROBE_ATTACK, "a file of secrets", "/.env", NULL, NULL },
	{ PROBE_ATTACK, "a path out of the site", "/?file=../../../../etc/passwd", NULL, NULL },
	{ PROBE_ATTACK, "SQL in a parameter", "/?id=1%27+UNION+SELECT+password+FROM+users--+-", NULL, NULL },
	{ PROBE_ATTACK, "a script in a parameter", "/?q=%3Cscript%3Ealert(1)%3C/script%3E", NULL, NULL },
	{ PROBE_ATTACK, "a lookup for Log4j", "/?x=$%7Bjndi:ldap://embergate.invalid/a%7D", NULL, NULL },
	{ PROBE_ATTACK, "a shell command in a form", "/", "application/x-www-form-urlencoded", "q=%3Bcat+%2Fetc%2Fpasswd" },
};

enum { ANSWER_MAX = 1 << 20, DEADLINE_MS = 10000 };

struct testing {
	struct loop *loop;
	struct fetcher *fetcher;
	struct tls_context *tls;
	struct bytes base; /* the URL without what follows the host */
	size_t next;
	unsigned wrong, through, unreached; /* through: attacks that passed */
	FILE *out;
	bool colour, json;
};

/* ---- telling ---- */

static bool is_of_gate(const struct fetch_answer *a)
{
	for (size_t i = 0; i < a->fields->n; i++)
		if (bytes_eq_nocase(a->fields->at[i].name, BYTES("x-request-id")))
			return a->fields->at[i].value.len && bytes_find(a->body, a->fields->at[i].value) != SIZE_MAX;
	return false;
}

/* What happened to it, and whether that is right. */
static const char *judge(const struct probe *p, const struct fetch_answer *a, bool *right)
{
	bool ours = is_of_gate(a), refused = ours && a->status < 500 && a->status != 404 && a->status != 421;

	*right = p->kind == PROBE_ATTACK ? refused : !ours;
	if (ours && !refused)
		return a->status < 500 ? "no application has this name" : "the application does not answer";
	if (ours && bytes_find(a->body, BYTES("/.embergate/")) != SIZE_MAX)
		return "challenged";
	if (ours)
		return a->status == 429 ? "held back" : "stopped";
	return "passed";
}

static void tell(struct testing *t, const struct probe *p, unsigned status, const char *outcome, bool right)
{
	const char *colour = !t->colour ? "" : right ? "\033[32m" : "\033[31m", *plain = t->colour ? "\033[0m" : "";

	if (!t->out)
		return;
	if (t->json) {
		fprintf(t->out, "%s{\"probe\":\"%s\",\"attack\":%s,\"target\":\"%s\",\"status\":%u,\"outcome\":\"%s\",\"right\":%s}",
			p == probes ? "[" : ",\n", p->what, p->kind == PROBE_ATTACK ? "true" : "false", p->target, status, outcome,
			right ? "true" : "false");
		return;
	}
	fprintf(t->out, "%s%-5s%s  %-8s %-27s %3u  %s\n", colour, right ? "good" : "WRONG", plain,
		p->kind == PROBE_ATTACK ? "attack" : "visitor", p->what, status, outcome);
}

/* ---- asking, one after the other ---- */

static void ask_next(struct testing *t);

static void answered(void *owner, const struct fetch_answer *a, const struct err *failed)
{
	struct testing *t = owner;
	const struct probe *p = &probes[t->next++];
	const char *outcome = failed ? failed->text : NULL;
	bool right = false;

	if (a)
		outcome = judge(p, a, &right);
	else
		t->unreached++;
	t->wrong += !right;
	t->through += a && !right && p->kind == PROBE_ATTACK;
	tell(t, p, a ? a->status : 0, outcome, right);
	ask_next(t);
}

static void ask_next(struct testing *t)
{
	static const struct field browser[] = {
		{ BYTES_INIT("User-Agent"), BYTES_INIT("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), FIELD_OTHER, false },
		{ BYTES_INIT("Accept"), BYTES_INIT("text/html,*/*;q=0.8"), FIELD_OTHER, false },
		{ BYTES_INIT("Accept-Language"), BYTES_INIT("en"), FIELD_OTHER, false },
	};
	char url[FETCH_URL_MAX];
	struct text to = text_over(url, sizeof url);
	const struct probe *p = &probes[t->next];
	struct fetch_request r = { .fields = browser, .nfields = nelems(browser), .deadline_ms = DEADLINE_MS, .body_max = ANSWER_MAX,
				   .tls = t->tls };

	if (t->next == nelems(probes) || t->unreached) {
		loop_stop(t->loop);
		return;
	}
	text_put(&to, t->base);
	text_str(&to, p->target);
	r.url = text_bytes(&to);
	if (p->body) {
		r.content_type = bytes_of(p->type);
		r.body = bytes_of(p->body);
	}
	if (!fetch_whole(t->fetcher, t->loop, &r, answered, t)) {
		t->unreached++;
		loop_stop(t->loop);
	}
}

/* ---- the command ---- */

static void lookup_at(void *arg, const char *host, struct dns_answer *out)
{
	(void)host;
	*out = (struct dns_answer){ .n = 1 };
	out->at[0] = *(const struct ip *)arg;
}

/* "https://shop.example/cart" -> "https://shop.example" */
static bool cut_base(const char *url, struct bytes *base)
{
	struct bytes all = bytes_of(url), rest;
	size_t scheme = bytes_find(all, BYTES("://"));
	struct err err;

	if (!fetch_url_check(all, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return false;
	}
	rest = bytes_from(all, scheme + 3);
	*base = bytes_sub(all, 0, scheme + 3 + strcspn(rest.at, "/?#"));
	return base->len < FETCH_URL_MAX / 2;
}

struct test_options { const char *at; bool insecure; };

static bool take_options(struct test_options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "at", required_argument, NULL, 'a' }, { "insecure", no_argument, NULL, 'k' }, { 0 },
	};
	int option;

	optind = 0; /* glibc: begin anew */
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'a')
			o->at = optarg;
		else if (option == 'k')
			o->insecure = true;
		else
			return false;
	return argc - optind == 1;
}

static enum ctl_outcome run(struct testing *t)
{
	ask_next(t);
	loop_run(t->loop);
	if (t->out && t->json)
		fputs("]\n", t->out);
	if (t->unreached)
		return CTL_UNREACHABLE;
	if (t->through && t->out && !t->json)
		fputs("In mode detect attacks pass and are only written down; `ctl status` tells the mode.\n", t->out);
	return t->wrong ? CTL_FAILED : CTL_OK;
}

static enum ctl_outcome complain(const char *text)
{
	fprintf(stderr, "%s\n", text);
	return CTL_FAILED;
}

static enum ctl_outcome test_main(const struct ctl_client *c, int argc, char **argv)
{
	struct testing t = { .out = ctl_client_quiet(c) ? NULL : stdout, .colour = ctl_in_colour(stdout), .json = ctl_client_json(c) };
	struct test_options o = { 0 };
	struct ip at;
	struct err err = { 0 };
	enum ctl_outcome outcome = CTL_USAGE;

	if (!take_options(&o, argc, argv)) {
		ctl_print_usage(stderr, ctl_verb_named(bytes_of(argv[0])));
		return CTL_USAGE;
	}
	if (o.at && !ip_parse(bytes_of(o.at), &at)) {
		fprintf(stderr, "'%s' is no address\n", o.at);
		return CTL_USAGE;
	}
	if (!cut_base(argv[optind], &t.base))
		return CTL_USAGE;
	t.loop = loop_new();
	t.fetcher = fetcher_new(NULL, o.at ? lookup_at : NULL, &at, &err);
	t.tls = o.insecure ? tls_client_new(false, NULL, &err) : NULL;
	outcome = t.loop && t.fetcher && (!o.insecure || t.tls) ? run(&t) : complain(err.text[0] ? err.text : "out of memory");
	fetcher_free(t.fetcher);
	tls_context_free(t.tls);
	if (t.loop)
		loop_free(t.loop);
	return outcome;
}

const struct ctl_local ctl_test = { "test", test_main, details };
