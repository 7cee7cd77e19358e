/* bots_dns.c -- names of addresses, and addresses of names.
 *
 * The thread is base/fetch_dns's: what it is asked to look up is "ADDRESS#ROW", and
 * the look-up writes what it finds into the table itself. */
#include "proxy/bots_dns.h"
#include "base/clock.h"
#include "base/fetch_dns.h"
#include "base/hash.h"
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>

enum { WAYS = 4 };

struct known {
	struct ip ip;
	uint32_t row;       /* 1 + that of the table; 0: free */
	enum bot_proof proof;
	uint64_t until_ms;  /* monotonic */
};

struct bots_dns {
	struct bots_resolver resolver;
	struct dns *dns;
	pthread_mutex_t lock;
	struct known known[BOTS_DNS_KEPT];
};

/* ---- the system's resolver ---- */

static struct sockaddr_in6 socket_address(const struct ip *ip)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };

	memcpy(&a.sin6_addr, ip->b, sizeof ip->b);
	return a;
}

static enum bots_dns_found system_name(void *ctx, const struct ip *ip, char out[BOTS_DNS_NAME])
{
	struct sockaddr_in6 six = socket_address(ip);
	struct sockaddr_in four = { .sin_family = AF_INET };
	bool is4 = ip_is4(ip);
	int r;

	(void)ctx;
	memcpy(&four.sin_addr, ip->b + 12, 4);
	r = getnameinfo(is4 ? (const struct sockaddr *)&four : (const struct sockaddr *)&six, is4 ? sizeof four : sizeof six, out,
			BOTS_DNS_NAME, NULL, 0, NI_NAMEREQD);
	return r == 0 ? BOTS_DNS_YES : r == EAI_NONAME ? BOTS_DNS_NO : BOTS_DNS_TROUBLE;
}

static enum bots_dns_found system_has(void *ctx, const char *name, const struct ip *ip)
{
	struct addrinfo want = { .ai_socktype = SOCK_STREAM, .ai_family = ip_is4(ip) ? AF_INET : AF_INET6 }, *all = NULL;
	int r = getaddrinfo(name, NULL, &want, &all);
	enum bots_dns_found found = r == 0 || r == EAI_NONAME ? BOTS_DNS_NO : BOTS_DNS_TROUBLE;

	(void)ctx;
	if (r != 0)
		return found;
	for (struct addrinfo *i = all; i; i = i->ai_next) {
		struct ip one;
		uint16_t port;

		if (ip_from_sockaddr(i->ai_addr, &one, &port) && ip_eq(&one, ip))
			found = BOTS_DNS_YES;
	}
	freeaddrinfo(all);
	return found;
}

/* ---- one question ---- */

static bool ends_well(const struct bot *bot, struct bytes name)
{
	if (name.len && name.at[name.len - 1] == '.')
		name.len--;
	for (size_t i = 0; i < BOT_SUFFIXES && bot->suffixes[i]; i++) {
		struct bytes suffix = bytes_of(bot->suffixes[i]);

		if (name.len > suffix.len && bytes_eq_nocase(bytes_from(name, name.len - suffix.len), suffix))
			return true;
	}
	return false;
}

enum bot_proof bots_dns_ask(const struct bots_resolver *r, const struct bot *bot, const struct ip *ip)
{
	static const enum bot_proof means[] = { [BOTS_DNS_NO] = BOT_FALSE, [BOTS_DNS_YES] = BOT_TRUE,
						[BOTS_DNS_TROUBLE] = BOT_UNPROVEN };
	char name[BOTS_DNS_NAME] = "";
	enum bots_dns_found found = r->name(r->ctx, ip, name);

	if (found != BOTS_DNS_YES)
		return means[found];
	return ends_well(bot, bytes_of(name)) ? means[r->has(r->ctx, name, ip)] : BOT_FALSE;
}

/* ---- the table ---- */

static uint64_t life_ms(enum bot_proof proof)
{
	return proof == BOT_TRUE ? BOTS_DNS_TRUE_MS : proof == BOT_FALSE ? BOTS_DNS_FALSE_MS : BOTS_DNS_UNKNOWN_MS;
}

/* With the lock held: its place, or the one to be given up for it. */
static struct known *place_of(struct bots_dns *d, uint32_t row, const struct ip *ip)
{
	uint64_t h = hash_bytes((struct bytes){ (const char *)ip->b, sizeof ip->b }) + row * 0x9e3779b97f4a7c15u;
	struct known *set = &d->known[(h ^ h >> 32) % (BOTS_DNS_KEPT / WAYS) * WAYS], *oldest = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].row == row && ip_eq(&set[i].ip, ip))
			return &set[i];
		if (set[i].until_ms < oldest->until_ms)
			oldest = &set[i];
	}
	return oldest;
}

static void keep(struct bots_dns *d, uint32_t row, const struct ip *ip, enum bot_proof proof, uint64_t ms)
{
	*place_of(d, row, ip) = (struct known){ *ip, row, proof, clock_mono_ms() + ms };
}

/* ---- asking ---- */

/* "66.249.66.1#22", as bots_dns_proof() wrote it. */
static void look_up(void *arg, const char *question, struct dns_answer *out)
{
	struct bots_dns *d = arg;
	struct bytes address, rest = bytes_of(question);
	uint64_t row;
	struct ip ip;
	enum bot_proof proof;

	*out = (struct dns_answer){ 0 };
	if (!bytes_cut(&rest, '#', &address) || !ip_parse(address, &ip) || !bytes_u64(rest, &row) || row >= bots_count)
		return;
	proof = bots_dns_ask(&d->resolver, &bots_table[row], &ip);
	pthread_mutex_lock(&d->lock);
	keep(d, (uint32_t)row + 1, &ip, proof, life_ms(proof));
	pthread_mutex_unlock(&d->lock);
}

static void on_answer(void *ctx, const struct dns_answer *answer)
{
	(void)ctx;
	(void)answer;
}

static void ask(struct bots_dns *d, struct loop *loop, uint32_t row, const struct ip *ip)
{
	char question[80];
	struct text t = text_over(question, sizeof question);
	struct dns_answer at_once;
	struct dns_ask *asked;

	ip_text(&t, ip);
	text_printf(&t, "#%u", row - 1);
	dns_find(d->dns, loop, text_bytes(&t), &at_once, &asked, on_answer, NULL);
}

enum bot_proof bots_dns_proof(struct bots_dns *d, struct loop *loop, const struct bot *bot, const struct ip *ip)
{
	uint32_t row = (uint32_t)(bot - bots_table) + 1;
	enum bot_proof proof = BOT_UNPROVEN;
	const struct known *k;
	bool is_known;

	if (!bot->suffixes[0])
		return BOT_UNPROVEN;
	pthread_mutex_lock(&d->lock);
	k = place_of(d, row, ip);
	is_known = k->row == row && ip_eq(&k->ip, ip) && k->until_ms > clock_mono_ms();
	if (is_known)
		proof = k->proof;
	else
		keep(d, row, ip, BOT_UNPROVEN, BOTS_DNS_ASKED_MS);
	pthread_mutex_unlock(&d->lock);
	if (!is_known)
		ask(d, loop, row, ip);
	return proof;
}

/* ---- life ---- */

struct bots_dns *bots_dns_new(const struct bots_resolver *r)
{
	static const struct bots_resolver of_the_system = { system_name, system_has, NULL };
	struct bots_dns *d = calloc(1, sizeof *d);

	if (!d || !(d->dns = dns_new(look_up, d))) {
		free(d);
		return NULL;
	}
	d->resolver = r ? *r : of_the_system;
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

void bots_dns_free(struct bots_dns *d)
{
	if (!d)
		return;
	dns_free(d->dns);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
