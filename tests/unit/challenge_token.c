#include "tests/test.h"
#include "proxy/challenge_token.h"

/* The vector of the design: secret 00..1f, day 20000. */
static const char token_text[] = "AU4gZv8wAAEsAhBNadfT6tYd3qChoqOkpaanqKmqqwAKL2NhcnQ_aWQ9MdIXiO2-Fei1Go-CWwBEIwk";
static const char pass_text[] = "AU4gZv8wAQAAqMACTWnX0-rWHd4D7jxoTk61SANp5RFwc978j__UyS6O_Yc";
enum { IAT = 1728000000, DAY = 86400 };

static struct token_keys keys_new(void)
{
	struct token_keys k = { .have_bind = false };

	for (int i = 0; i < TOKEN_KEY; i++)
		k.secret[i] = (uint8_t)i;
	return k;
}

static void bind_of(struct token_keys *k, uint8_t out[TOKEN_BIND])
{
	const char prefix[] = { (char)203, 0, 113 };

	assert_true(token_bind(k, BYTES("shop"), BYTES("Mozilla/5.0 test"), (struct bytes){ prefix, 3 }, out));
}

static struct token the_token(struct token_keys *k)
{
	struct token t = { .iat_s = IAT, .ttl_s = 300, .level = 2, .bits = 16, .path = BYTES("/cart?id=1") };

	for (int i = 0; i < TOKEN_NONCE; i++)
		t.nonce[i] = (uint8_t)(0xa0 + i);
	bind_of(k, t.bind);
	return t;
}

static bool hex_is(const uint8_t *b, size_t n, const char *hex)
{
	char text[65];

	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", b[i]);
	return strcmp(text, hex) == 0;
}

static void agrees_with_the_vector(void **state)
{
	struct token_keys k = keys_new();
	struct token t = the_token(&k);
	char buf[TOKEN_TEXT_MAX], pass[TOKEN_PASS_LEN], prefix[TOKEN_PREFIX];
	struct text text = text_over(buf, sizeof buf);
	struct token_pass p;

	(void)state;
	assert_true(token_write(&k, &t, &text));
	assert_true(bytes_eq(text_bytes(&text), bytes_of(token_text)));
	assert_true(hex_is(k.bind, 32, "e7fdf551e6cea103e37402243e6fd64d098123eb43d3ef17ecd5250dc2c223f1"));
	assert_true(hex_is(k.days[20000 % 4].token, 32, "3f8f81f78a9e147190c86ea031d2158ae5e72ad5b15582ff761e69e0d09bd461"));
	assert_true(hex_is(k.days[20000 % 4].pass, 32, "0fb575815361bdc7420cb7ebae389430f17171e99194501c8b63829f7171a7a9"));
	assert_true(hex_is(t.bind, TOKEN_BIND, "4d69d7d3ead61dde"));
	assert_true(bytes_eq(token_prefix(bytes_of(token_text), prefix), BYTES("642eede881834e66aa4bd535becaa616")));
	assert_true(token_pass_of(&k, &t, IAT + 1, 43200, 2, &p));
	assert_true(hex_is(p.jti, TOKEN_JTI, "03ee3c684e4eb548"));
	assert_true(token_pass_write(&k, &p, pass));
	assert_true(bytes_eq((struct bytes){ pass, sizeof pass }, bytes_of(pass_text)));
}

static void work_is_what_begins_with_zeros(void **state)
{
	static const struct {
		const char *n;
		unsigned bits;
		bool solved;
	} cases[] = {
		{ "37737", 16, true }, { "37737", 1, true },  { "37737", 17, false }, { "37736", 16, false },
		{ "", 16, false },     { "0", 0, true },      { "037737", 16, false }, { "37737 ", 16, false },
		{ "-1", 0, false },    { "1e3", 0, false },   { "12345678901", 0, false }, { "37737", 21, false },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		if (token_solved(bytes_of(token_text), cases[i].bits, bytes_of(cases[i].n)) != cases[i].solved)
			fail_msg("'%s' of %u bits", cases[i].n, cases[i].bits);
}

static enum token_verdict read_at(struct token_keys *k, struct bytes text, uint32_t now_s, bool other)
{
	uint8_t bind[TOKEN_BIND];
	char room[TOKEN_TEXT_MAX];
	struct token t;

	bind_of(k, bind);
	bind[3] ^= other;
	return token_read(k, text, now_s, bind, room, &t);
}

/* The order: size, MAC, time, binding. What fails two checks names the first. */
static void a_token_is_checked_in_order(void **state)
{
	struct token_keys k = keys_new(), other = keys_new();
	struct bytes good = bytes_of(token_text);
	char bad[TOKEN_TEXT_MAX + 8];

	(void)state;
	other.secret[0] ^= 1;
	assert_int_equal(read_at(&k, good, IAT, false), TOKEN_GOOD);
	assert_int_equal(read_at(&k, good, IAT + 299, false), TOKEN_GOOD);
	assert_int_equal(read_at(&k, (struct bytes){ 0 }, IAT, false), TOKEN_UNREADABLE);
	assert_int_equal(read_at(&k, bytes_sub(good, 0, 40), IAT, false), TOKEN_UNREADABLE);
	memset(bad, 'A', sizeof bad);
	assert_int_equal(read_at(&k, (struct bytes){ bad, sizeof bad }, IAT, false), TOKEN_UNREADABLE);
	assert_int_equal(read_at(&other, good, IAT + 300, true), TOKEN_FORGED);
	assert_int_equal(read_at(&k, good, IAT + 300, true), TOKEN_EXPIRED);
	assert_int_equal(read_at(&k, good, IAT + 4 * DAY, true), TOKEN_EXPIRED); /* no key is made for that day */
	assert_int_equal(read_at(&k, good, IAT - 121, false), TOKEN_EXPIRED);    /* of a time to come */
	assert_int_equal(read_at(&k, good, IAT - 119, false), TOKEN_GOOD);       /* another gate's clock */
	assert_int_equal(read_at(&k, good, IAT, true), TOKEN_OTHERS);
}

static void no_bit_of_a_token_or_pass_may_change(void **state)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ";
	struct token_keys k = keys_new();
	struct token_pass p;
	uint8_t bind[TOKEN_BIND];
	char text[128];

	(void)state;
	bind_of(&k, bind);
	for (size_t i = 0; i < sizeof token_text - 1; i++)
		for (size_t d = 0; d < sizeof digits; d++) {
			memcpy(text, token_text, sizeof token_text);
			text[i] = digits[d];
			if (text[i] != token_text[i])
				assert_int_not_equal(read_at(&k, (struct bytes){ text, sizeof token_text - 1 }, IAT, false), TOKEN_GOOD);
		}
	for (size_t i = 0; i < sizeof pass_text - 1; i++)
		for (size_t d = 0; d < sizeof digits; d++) {
			memcpy(text, pass_text, sizeof pass_text);
			text[i] = digits[d];
			if (text[i] != pass_text[i])
				assert_int_not_equal(token_pass_read(&k, (struct bytes){ text, TOKEN_PASS_LEN }, IAT + 1, bind, &p), TOKEN_GOOD);
		}
}

static void a_pass_holds_as_long_as_it_says_and_for_whom(void **state)
{
	struct token_keys k = keys_new(), restarted = keys_new();
	struct bytes text = bytes_of(pass_text);
	struct token_pass p;
	uint8_t bind[TOKEN_BIND];

	(void)state;
	bind_of(&k, bind);
	assert_int_equal(token_pass_read(&restarted, text, IAT + 1, bind, &p), TOKEN_GOOD);
	assert_int_equal(p.level, 2);
	assert_int_equal(token_pass_read(&k, text, IAT + 43200, bind, &p), TOKEN_GOOD);
	assert_int_equal(token_pass_read(&k, text, IAT + 43201, bind, &p), TOKEN_EXPIRED);
	assert_int_equal(token_pass_read(&k, bytes_sub(text, 0, 58), IAT + 1, bind, &p), TOKEN_UNREADABLE);
	bind[0] ^= 0x80;
	assert_int_equal(token_pass_read(&k, text, IAT + 1, bind, &p), TOKEN_OTHERS);
}

/* Replayed, even after midnight, a token gives the same pass. */
static void a_token_has_one_jti(void **state)
{
	struct token_keys k = keys_new();
	struct token t = the_token(&k);
	struct token_pass a, b;

	(void)state;
	assert_true(token_pass_of(&k, &t, IAT, 60, 2, &a) && token_pass_of(&k, &t, IAT + DAY, 60, 1, &b));
	assert_memory_equal(a.jti, b.jti, TOKEN_JTI);
	t.nonce[11] ^= 1;
	assert_true(token_pass_of(&k, &t, IAT, 60, 2, &b));
	assert_memory_not_equal(a.jti, b.jti, TOKEN_JTI);
}

static void what_is_bound_cannot_slide_from_field_to_field(void **state)
{
	struct token_keys k = keys_new();
	uint8_t a[TOKEN_BIND], b[TOKEN_BIND];

	(void)state;
	assert_true(token_bind(&k, BYTES("ab"), BYTES("c"), BYTES(""), a) && token_bind(&k, BYTES("a"), BYTES("bc"), BYTES(""), b));
	assert_memory_not_equal(a, b, TOKEN_BIND);
	assert_true(token_bind(&k, BYTES("ab"), BYTES(""), BYTES("c"), b));
	assert_memory_not_equal(a, b, TOKEN_BIND);
}

static void a_target_stays_on_this_site(void **state)
{
	static char longest[TOKEN_PATH_MAX + 2];
	static const struct {
		const char *target, *path;
	} cases[] = {
		{ "/a?b=c", "/a?b=c" }, { "/", "/" },  { "//evil.example/", "/" }, { "/\\evil.example", "/" },
		{ "https://evil.example/", "/" }, { "", "/" }, { "*", "/" }, { "/a b", "/" }, { "/a\r\nb", "/" },
		{ "/\t/evil.example", "/" }, { "/\xc3\xa9", "/" }, { "/.//evil.example", "/.//evil.example" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		if (!bytes_eq(token_path(bytes_of(cases[i].target)), bytes_of(cases[i].path)))
			fail_msg("'%s'", cases[i].target);
	memset(longest, 'a', sizeof longest);
	longest[0] = '/';
	assert_int_equal(token_path((struct bytes){ longest, TOKEN_PATH_MAX }).len, TOKEN_PATH_MAX);
	assert_int_equal(token_path((struct bytes){ longest, TOKEN_PATH_MAX + 1 }).len, 1);
}

static void the_longest_token_fits(void **state)
{
	struct token_keys k = keys_new();
	struct token t = the_token(&k), back;
	char path[TOKEN_PATH_MAX], buf[TOKEN_TEXT_MAX], room[TOKEN_TEXT_MAX];
	struct text text = text_over(buf, sizeof buf);

	(void)state;
	memset(path, '/', sizeof path);
	path[1] = 'a';
	t.path = (struct bytes){ path, sizeof path };
	assert_true(token_write(&k, &t, &text) && !text.full);
	assert_int_equal(token_read(&k, text_bytes(&text), IAT, t.bind, room, &back), TOKEN_GOOD);
	assert_true(bytes_eq(back.path, t.path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_vector),
		cmocka_unit_test(work_is_what_begins_with_zeros),
		cmocka_unit_test(a_token_is_checked_in_order),
		cmocka_unit_test(no_bit_of_a_token_or_pass_may_change),
		cmocka_unit_test(a_pass_holds_as_long_as_it_says_and_for_whom),
		cmocka_unit_test(a_token_has_one_jti),
		cmocka_unit_test(what_is_bound_cannot_slide_from_field_to_field),
		cmocka_unit_test(a_target_stays_on_this_site),
		cmocka_unit_test(the_longest_token_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
