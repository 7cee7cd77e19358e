/* netset.c -- a set of blocks answers as a list of them does, whatever is put in and taken out, and whoever reads meanwhile. */
#include "cti/netset.h"
#include "tests/test.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LIST = 1500, ROUNDS = 20000 };

struct random { uint64_t state; };

static uint64_t draw(struct random *r)
{
	r->state += 0x9e3779b97f4a7c15u;
	uint64_t z = (r->state ^ r->state >> 30) * 0xbf58476d1ce4e5b9u;

	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static struct ip_net net_of(const char *text)
{
	struct ip_net net;

	assert_true(ip_net_parse(bytes_of(text), &net));
	return net;
}

static unsigned find(const struct netset *s, const char *address)
{
	struct ip ip;

	assert_true(ip_parse(bytes_of(address), &ip));
	return netset_find(s, &ip);
}

/* Few different bytes, so that blocks lie in each other. */
static struct ip some_ip(struct random *r)
{
	struct ip ip;

	for (int i = 0; i < 16; i++)
		ip.b[i] = (uint8_t)(draw(r) % 3 * 0x7f);
	if (draw(r) % 2) {
		memset(ip.b, 0, 10);
		memset(ip.b + 10, 0xff, 2);
	} else {
		ip.b[0] = 0x20;
	}
	return ip;
}

static struct ip_net some_net(struct random *r)
{
	struct ip_net net = { .base = some_ip(r) };
	bool four = ip_is4(&net.base);
	unsigned bits = (unsigned)(draw(r) % (four ? 33 : 129));

	net.bits = (uint8_t)(four ? 96 + bits : bits);
	if (draw(r) % 3 == 0)
		net.bits = 128;
	for (unsigned i = 0; i < 128; i++)
		if (i >= net.bits)
			net.base.b[i / 8] &= (uint8_t)~(0x80u >> i % 8);
	return net;
}

struct naive {
	struct ip_net net;
	unsigned value;
};

static struct naive *find_naive(struct naive *list, size_t n, const struct ip_net *net)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].net.bits == net->bits && ip_eq(&list[i].net.base, &net->base))
			return &list[i];
	return NULL;
}

/* A block of IPv6 covers no IPv4. */
static unsigned ask_naive(const struct naive *list, size_t n, const struct ip *ip)
{
	const struct naive *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (ip_in_net(ip, &list[i].net) && (!ip_is4(ip) || list[i].net.bits >= 96) && (!best || list[i].net.bits > best->net.bits))
			best = &list[i];
	return best ? best->value : 0;
}

static void change(struct netset *s, struct naive *list, size_t *n, struct random *r)
{
	struct ip_net net = some_net(r);
	struct naive *there = find_naive(list, *n, &net);
	unsigned value = 1 + (unsigned)(draw(r) % NETSET_VALUE_MAX);

	if (*n && draw(r) % 100 < (*n < LIST ? 40 : 60)) {
		there = &list[draw(r) % *n];
		net = there->net;
		assert_true(netset_take(s, &net));
		assert_false(netset_take(s, &net));
		*there = list[--*n];
		return;
	}
	assert_int_equal(netset_get(s, &net), there ? there->value : 0);
	assert_true(netset_put(s, &net, value));
	if (there)
		there->value = value;
	else if (*n < 2 * LIST)
		list[(*n)++] = (struct naive){ net, value };
	else
		fail_msg("the list is full");
}

struct listing { struct naive *list; size_t n, seen; };

static bool is_listed(void *ctx, const struct ip_net *net, unsigned value)
{
	struct listing *l = ctx;
	const struct naive *there = find_naive(l->list, l->n, net);

	assert_non_null(there);
	assert_int_equal(there->value, value);
	l->seen++;
	return true;
}

static void it_answers_as_a_list_does(void **state)
{
	struct naive *list = calloc(2 * LIST, sizeof *list);
	struct netset *s = netset_new(0, 0);
	struct random r = { 7 };
	struct listing l = { .list = list };
	size_t n = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct ip ip = some_ip(&r);

		change(s, list, &n, &r);
		if (n && i % 2)
			ip = list[draw(&r) % n].net.base;
		assert_int_equal(netset_find(s, &ip), ask_naive(list, n, &ip));
	}
	assert_int_equal(netset_count(s), n);
	l.n = n;
	netset_each(s, is_listed, &l);
	assert_int_equal(l.seen, n);
	while (n)
		assert_true(netset_take(s, &list[--n].net));
	assert_int_equal(netset_count(s), 0);
	assert_int_equal(find(s, "127.127.0.0"), 0);
	netset_free(s);
	free(list);
}

static bool note(void *ctx, unsigned bits, unsigned value)
{
	unsigned *all = ctx;

	all[++all[0]] = bits * 1000 + value;
	return true;
}

static void every_block_that_covers_it_is_told_longest_first(void **state)
{
	static const char *const nets[] = { "0.0.0.0/0", "198.51.0.0/16", "198.51.100.0/24", "198.51.100.7", "::/0", "2001:db8::/32" };
	struct netset *s = netset_new(0, 0);
	unsigned all[16] = { 0 };
	struct ip ip;

	(void)state;
	for (unsigned i = 0; i < nelems(nets); i++) {
		struct ip_net net = net_of(nets[i]);

		assert_true(netset_put(s, &net, i + 1));
	}
	assert_true(ip_parse(BYTES("198.51.100.7"), &ip));
	netset_each_of(s, &ip, note, all);
	assert_int_equal(all[0], 4);
	assert_int_equal(all[1], 128004);
	assert_int_equal(all[2], 120003);
	assert_int_equal(all[3], 112002);
	assert_int_equal(all[4], 96001);
	assert_int_equal(find(s, "198.51.101.1"), 2);
	assert_int_equal(find(s, "203.0.113.1"), 1);
	assert_int_equal(find(s, "2001:db8::1"), 6);
	assert_int_equal(find(s, "2001:db9::1"), 5);
	netset_free(s);
}

static struct ip_net nth(uint32_t i)
{
	uint32_t a = i * 2654435761u;
	struct ip_net net = { .base = { { [10] = 0xff, [11] = 0xff } }, .bits = 128 };

	for (int b = 0; b < 4; b++)
		net.base.b[12 + b] = (uint8_t)(a >> (24 - 8 * b));
	return net;
}

static void many_grow_and_shrink_without_losing_one(void **state)
{
	enum { MANY = 300000 };
	struct netset *s = netset_new(0, 0);
	size_t full;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		struct ip_net net = nth(i);

		assert_true(netset_put(s, &net, 1 + i % 1000));
	}
	for (uint32_t i = 0; i < 2 * MANY; i++) {
		struct ip_net net = nth(i);

		assert_int_equal(netset_find(s, &net.base), i < MANY ? 1 + i % 1000 : 0);
	}
	full = netset_bytes(s);
	for (uint32_t i = 0; i < MANY; i++) {
		struct ip_net net = nth(i), next = nth(i + MANY);

		assert_true(netset_take(s, &net));
		assert_true(netset_put(s, &next, 5)); /* as many, ever others */
	}
	assert_int_equal(netset_count(s), MANY);
	assert_in_range(netset_bytes(s), 0, 2 * full + (4 << 20));
	netset_free(s);
}

struct reading {
	struct netset *set;
	atomic_bool stop;
	atomic_uint wrong;
};

/* Every tenth stays throughout. */
static void *read_on(void *arg)
{
	struct reading *r = arg;

	for (uint32_t i = 0; !atomic_load(&r->stop); i = (i + 10) % 20000) {
		struct ip_net net = nth(i), other = nth(i + 1);
		unsigned value = netset_find(r->set, &other.base);

		if (netset_find(r->set, &net.base) != 7 || (value && value != 9))
			atomic_fetch_add(&r->wrong, 1);
	}
	return NULL;
}

static void readers_beside_a_writer_miss_nothing_that_stays(void **state)
{
	struct reading r = { .set = netset_new(0, 0) };
	pthread_t t[2];

	(void)state;
	for (uint32_t i = 0; i < 20000; i += 10) {
		struct ip_net net = nth(i);

		assert_true(netset_put(r.set, &net, 7));
	}
	for (size_t i = 0; i < nelems(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, read_on, &r), 0);
	for (uint32_t round = 0; round < 4; round++)
		for (uint32_t i = 0; i < 60000; i++) {
			struct ip_net net = nth(i);

			if (i < 20000 && i % 10 == 0)
				continue;
			assert_true(round % 2 ? netset_take(r.set, &net) : netset_put(r.set, &net, 9));
		}
	atomic_store(&r.stop, true);
	for (size_t i = 0; i < nelems(t); i++)
		pthread_join(t[i], NULL);
	assert_int_equal(atomic_load(&r.wrong), 0);
	assert_int_equal(netset_count(r.set), 2000);
	netset_free(r.set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_answers_as_a_list_does),
		cmocka_unit_test(every_block_that_covers_it_is_told_longest_first),
		cmocka_unit_test(many_grow_and_shrink_without_losing_one),
		cmocka_unit_test(readers_beside_a_writer_miss_nothing_that_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
