/* challenge_token.c -- what is not ours is never good; what is read as good reads
 * back to the very same text; and what is made of any input is read again. */
#include "proxy/challenge_token.h"
#include "tests/fuzz/must.h"

enum { NOW = 1728000000 };

static void must_read_back(struct token_keys *k, struct bytes text, const struct token *t)
{
	char buf[TOKEN_TEXT_MAX];
	struct text again = text_over(buf, sizeof buf);

	must(token_write(k, t, &again) && !again.full);
	must(bytes_eq(text_bytes(&again), text));
}

static struct token made_of(const uint8_t *data, size_t size)
{
	struct token t = { .iat_s = NOW, .ttl_s = 300, .level = data[0], .bits = data[1] };

	memcpy(t.bind, data + 2, TOKEN_BIND);
	memcpy(t.nonce, data + 2 + TOKEN_BIND, TOKEN_NONCE);
	t.path = (struct bytes){ (const char *)data + 22, size - 22 };
	return t;
}

static void must_come_back(struct token_keys *k, const struct token *t)
{
	char buf[TOKEN_TEXT_MAX], room[TOKEN_TEXT_MAX], pass[TOKEN_PASS_LEN];
	struct text text = text_over(buf, sizeof buf);
	struct token_pass p, q;
	struct token back;

	must(token_write(k, t, &text) && !text.full);
	must(token_read(k, text_bytes(&text), NOW + 1, t->bind, room, &back) == TOKEN_GOOD);
	must(bytes_eq(back.path, token_path(t->path)) && back.level == t->level && back.bits == t->bits);
	must(back.path.at[0] == '/' && !(back.path.len > 1 && (back.path.at[1] == '/' || back.path.at[1] == '\\')));
	must(token_pass_of(k, &back, NOW, 60, back.level, &p) && token_pass_write(k, &p, pass));
	must(token_pass_read(k, (struct bytes){ pass, sizeof pass }, NOW, t->bind, &q) == TOKEN_GOOD);
	must(memcmp(p.jti, q.jti, TOKEN_JTI) == 0 && q.level == t->level);
	buf[t->nonce[0] % text.len] ^= 1;
	must(token_read(k, text_bytes(&text), NOW + 1, t->bind, room, &back) != TOKEN_GOOD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct token_keys k;
	struct bytes in = { (const char *)data, size };
	uint8_t bind[TOKEN_BIND] = { 0 };
	char room[TOKEN_TEXT_MAX];
	struct token_pass p;
	struct token t;

	if (token_read(&k, in, NOW, bind, room, &t) == TOKEN_GOOD)
		must_read_back(&k, in, &t);
	token_pass_read(&k, in, NOW, bind, &p);
	token_solved(in, size ? data[0] % 32 : 0, in);
	if (size >= 22) {
		t = made_of(data, size);
		must_come_back(&k, &t);
	}
	return 0;
}
