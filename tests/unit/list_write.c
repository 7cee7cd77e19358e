/* list_write.c -- what is written says of every address what the decisions say, and other programs take it. */
#include "cti/list_write.h"
#include "tests/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOW = 1000000, HOUR = 3600000 };

#define ROW(sc, val, rem, hours) { .scope = (sc), .value = BYTES_INIT(val), .remedy = (rem), .until_ms = NOW + (hours) * HOUR, \
				   .reason = BYTES_INIT("a \"b\",\n'c'; {d}\\"), .origin = BYTES_INIT("cscli") }

static const struct decision rows[] = {
	ROW(SCOPE_IP, "192.0.2.1", REMEDY_DENY, 4),
	ROW(SCOPE_IP, "192.0.2.1", REMEDY_CHALLENGE, 8),
	ROW(SCOPE_RANGE, "198.51.100.0/24", REMEDY_DENY, 4),
	ROW(SCOPE_RANGE, "198.51.100.128/25", REMEDY_TARPIT, 9),
	ROW(SCOPE_IP, "198.51.100.77", REMEDY_ALLOW, 1),
	ROW(SCOPE_IP, "198.51.100.255", REMEDY_CHALLENGE, 1),
	ROW(SCOPE_RANGE, "203.0.113.0/28", REMEDY_ALLOW, 1),
	ROW(SCOPE_IP, "203.0.113.3", REMEDY_DENY, 1),
	ROW(SCOPE_IP, "255.255.255.255", REMEDY_DENY, 1),
	ROW(SCOPE_IP, "0.0.0.0", REMEDY_DENY, 1),
	ROW(SCOPE_IP, "2001:db8::77", REMEDY_DENY, 1), /* its /64 */
	ROW(SCOPE_RANGE, "2001:db8:1::/48", REMEDY_CAPTCHA, 1),
	ROW(SCOPE_COUNTRY, "FR", REMEDY_DENY, 2),
	ROW(SCOPE_AS, "64500", REMEDY_CAPTCHA, 2),
	ROW(SCOPE_IP, "192.0.2.200", REMEDY_DENY, 0), /* over */
	{ .scope = SCOPE_IP, .value = BYTES_INIT("192.0.2.201"), .remedy = REMEDY_DENY, .until_ms = NOW + HOUR, .simulated = true },
	{ .scope = SCOPE_IP, .value = BYTES_INIT("192.0.2.202"), .remedy = REMEDY_DENY, .until_ms = UINT64_MAX },
};

static const struct {
	const char *address;
	enum remedy_kind remedy; /* COUNT: nothing */
} asked[] = {
	{ "192.0.2.1", REMEDY_DENY },       { "192.0.2.2", REMEDY_COUNT },     { "198.51.100.0", REMEDY_DENY },
	{ "198.51.100.76", REMEDY_DENY },   { "198.51.100.77", REMEDY_ALLOW }, { "198.51.100.78", REMEDY_DENY },
	{ "198.51.100.128", REMEDY_DENY },  { "198.51.100.255", REMEDY_DENY }, { "198.51.101.0", REMEDY_COUNT },
	{ "203.0.113.3", REMEDY_ALLOW },    { "203.0.113.16", REMEDY_COUNT },  { "255.255.255.255", REMEDY_DENY },
	{ "0.0.0.0", REMEDY_DENY },         { "0.0.0.1", REMEDY_COUNT },       { "2001:db8::1", REMEDY_DENY },
	{ "2001:db8:0:1::", REMEDY_COUNT }, { "2001:db8:1:9::", REMEDY_CAPTCHA }, { "192.0.2.200", REMEDY_COUNT },
	{ "192.0.2.201", REMEDY_COUNT },    { "192.0.2.202", REMEDY_DENY },    { "::", REMEDY_COUNT },
};

static void each_row(void *from, bool (*take)(void *, const struct decision *), void *ctx)
{
	(void)from;
	for (size_t i = 0; i < nelems(rows); i++)
		if (!take(ctx, &rows[i]))
			return;
}

static const struct list_source source = { each_row, NULL };

static struct bytes written(enum list_form form)
{
	struct bytes out;
	struct err e;

	assert_true(list_write(form, &source, NOW, &out, &e));
	return out;
}

/* Which entry of a text of "block[ word]" lines has it; entries must not overlap. */
static enum remedy_kind said_of(struct bytes text, const char *address, const char *before_block, enum remedy_kind plain)
{
	struct bytes line, skip = bytes_of(before_block);
	enum remedy_kind found = REMEDY_COUNT;
	struct ip ip;

	assert_true(ip_parse(bytes_of(address), &ip));
	while (bytes_cut(&text, '\n', &line)) {
		struct ip_net net;
		enum remedy_kind r = plain;
		size_t space;

		if (!bytes_starts(line, skip))
			continue;
		line = bytes_from(line, skip.len);
		space = bytes_index(line, ' ');
		if (!ip_net_parse(bytes_sub(line, 0, space), &net) || !ip_in_net(&ip, &net))
			continue;
		if (plain == REMEDY_COUNT) {
			struct bytes word = bytes_from(line, space + 1);

			word = bytes_sub(word, 0, bytes_index(word, ';'));
			assert_true(remedy_from_word(word, &r));
		}
		if (found != REMEDY_COUNT)
			fail_msg("%s is there twice", address);
		found = r;
	}
	return found;
}

static bool is_blocked(enum remedy_kind r)
{
	return r == REMEDY_DENY || r == REMEDY_TARPIT;
}

static void sets_hold_what_is_refused_and_nothing_else(void **state)
{
	struct bytes plain = written(LIST_AS_PLAIN), ipset = written(LIST_AS_IPSET);

	(void)state;
	for (size_t i = 0; i < nelems(asked); i++) {
		const char *add = strchr(asked[i].address, ':') ? "add embergate6 " : "add embergate4 ";
		enum remedy_kind want = asked[i].remedy == REMEDY_COUNT || !is_blocked(asked[i].remedy) ? REMEDY_COUNT : REMEDY_DENY;

		if (said_of(plain, asked[i].address, "", REMEDY_DENY) != want)
			fail_msg("plain: %s", asked[i].address);
		if (said_of(ipset, asked[i].address, add, REMEDY_DENY) != want)
			fail_msg("ipset: %s", asked[i].address);
	}
	assert_true(bytes_find(ipset, BYTES("add embergate4 192.0.2.1 timeout 14400 -exist\n")) != SIZE_MAX);
	assert_true(bytes_find(ipset, BYTES("add embergate4 192.0.2.202 timeout 0 -exist\n")) != SIZE_MAX);
	free((void *)(uintptr_t)plain.at);
	free((void *)(uintptr_t)ipset.at);
}

static void maps_tell_the_remedy_of_each_address(void **state)
{
	struct bytes haproxy = written(LIST_AS_HAPROXY), nginx = written(LIST_AS_NGINX);

	(void)state;
	for (size_t i = 0; i < nelems(asked); i++) {
		enum remedy_kind a = said_of(haproxy, asked[i].address, "", REMEDY_COUNT);
		enum remedy_kind b = said_of(nginx, asked[i].address, "\t", REMEDY_COUNT);

		/* tarpit and deny in each other: the stricter, as for a request */
		if (a != asked[i].remedy || b != asked[i].remedy)
			fail_msg("%s: %d and %d", asked[i].address, a, b);
	}
	free((void *)(uintptr_t)haproxy.at);
	free((void *)(uintptr_t)nginx.at);
}

struct seen {
	size_t n;
	struct bytes reason;
};

static bool same_as_row(void *ctx, const struct list_record *k, struct err *err)
{
	struct seen *s = ctx;
	const struct decision *want;
	struct decision d;

	while (rows[s->n].until_ms <= NOW || rows[s->n].simulated)
		s->n++;
	want = &rows[s->n++];
	if (!list_record_decision(k, NOW, &d, err))
		fail_msg("%s", err->text);
	assert_bytes(d.value, want->value);
	assert_int_equal(d.scope, want->scope);
	assert_int_equal(d.remedy, want->remedy);
	if (want->until_ms != UINT64_MAX)
		assert_int_equal(d.until_ms, want->until_ms);
	assert_bytes(d.origin, want->origin);
	if (want->reason.len)
		assert_bytes(d.reason, s->reason);
	return true;
}

static void decisions_read_back_the_same(void **state)
{
	static const struct bytes reasons[] = { BYTES_INIT("a \"b\", 'c'; {d}\\"), BYTES_INIT("a \"b\",\n'c'; {d}\\") };
	static const enum list_form forms[] = { LIST_AS_CSV, LIST_AS_JSON };
	struct list_read_options o = { .decisions = true };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < nelems(forms); i++) {
		struct seen s = { .reason = reasons[i] };
		struct bytes text = written(forms[i]);
		struct list_reader *r = list_reader_new(&o, same_as_row, &s);

		if (!list_reader_put(r, text, &e) || !list_reader_end(r, &e))
			fail_msg("%s", e.text);
		assert_int_equal(s.n, nelems(rows));
		assert_int_equal(list_reader_skipped(r), 0);
		list_reader_free(r);
		free((void *)(uintptr_t)text.at);
	}
}

static void a_record_that_is_no_decision_is_told(void **state)
{
	static const struct {
		struct list_record k;
		const char *err;
	} all[] = {
		{ { .value = BYTES_INIT("FR"), .scope = BYTES_INIT("Country"), .type = BYTES_INIT("burn"), .line = 7 }, "line 7: unknown type 'burn'" },
		{ { .value = BYTES_INIT("FR"), .scope = BYTES_INIT("Country"), .duration = BYTES_INIT("soon") }, "'soon' is no duration" },
		{ { .value = BYTES_INIT("FR"), .scope = BYTES_INIT("Country"), .duration = BYTES_INIT("0s") }, "'0s' is no duration" },
		{ { .value = BYTES_INIT("1.1.1.1-1.1.1.3"), .is_block = true }, "is no address or block" },
	};
	struct decision d;
	struct err e;

	(void)state;
	for (size_t i = 0; i < nelems(all); i++) {
		assert_false(list_record_decision(&all[i].k, NOW, &d, &e));
		assert_non_null(strstr(e.text, all[i].err));
	}
}

/* ---- the programs that load them ---- */

static char dir[] = "/tmp/embergate-write-XXXXXX";

static void spill(const char *name, struct bytes text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_int_equal(fwrite(text.at, 1, text.len, f), text.len);
	fclose(f);
}

/* `command` has %1$s where the directory is to be; false: the program is not there. */
static bool loads(const char *program, const char *command)
{
	char line[1024], look[128];
	int rc;

	snprintf(look, sizeof look, "PATH=$PATH:/usr/sbin:/sbin command -v %s >/dev/null", program);
	if (system(look) != 0) {
		print_message("%s is not installed: not checked\n", program);
		return false;
	}
	snprintf(line, sizeof line, "cd %s && PATH=$PATH:/usr/sbin:/sbin timeout 30 %s >out 2>&1", dir, command);
	rc = system(line);
	if (rc != 0) {
		snprintf(line, sizeof line, "cat %s/out >&2", dir);
		if (system(line) != 0)
			print_message("and says nothing\n");
	}
	return rc == 0;
}

static bool is_there(const char *program)
{
	char look[128];

	snprintf(look, sizeof look, "PATH=$PATH:/usr/sbin:/sbin command -v %s >/dev/null", program);
	return system(look) == 0;
}

static void haproxy_nginx_and_nft_take_what_is_written(void **state)
{
	struct bytes haproxy = written(LIST_AS_HAPROXY), nginx = written(LIST_AS_NGINX), nft = written(LIST_AS_NFT);

	(void)state;
	spill("map", haproxy);
	spill("geo", nginx);
	spill("nft", nft);
	spill("haproxy.cfg", BYTES("defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nfrontend f\n bind 127.0.0.1:65533\n"
				   " http-request deny if { src,map_ip(map,none) -m str deny }\n"));
	spill("nginx.conf", BYTES("pid nginx.pid;\nerror_log stderr;\nevents {}\nhttp { access_log off; include geo;\n"
				  " server { listen 127.0.0.1:65534; if ($embergate = deny) { return 403; } } }\n"));
	assert_true(loads("haproxy", "haproxy -c -f haproxy.cfg") || !is_there("haproxy"));
	assert_true(loads("nginx", "nginx -t -p . -c nginx.conf") || !is_there("nginx"));
	/* A namespace of its own: the machine's rules stay as they are. Where that may not be, nothing is checked. */
	if (is_there("nft") && system("unshare -rn nft list ruleset >/dev/null 2>&1") == 0)
		assert_true(loads("nft", "unshare -rn sh -c 'nft -f nft && nft -f nft && nft list set inet embergate blocked4 | grep -q 198.51.100.0/26'"));
	else
		print_message("nft cannot be run here: its file is not checked\n");
	free((void *)(uintptr_t)haproxy.at);
	free((void *)(uintptr_t)nginx.at);
	free((void *)(uintptr_t)nft.at);
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_hold_what_is_refused_and_nothing_else),
		cmocka_unit_test(maps_tell_the_remedy_of_each_address),
		cmocka_unit_test(decisions_read_back_the_same),
		cmocka_unit_test(a_record_that_is_no_decision_is_told),
		cmocka_unit_test(haproxy_nginx_and_nft_take_what_is_written),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
