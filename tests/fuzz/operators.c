/* Operators on any argument and any value. The set of words finds what a search one
 * after the other finds, leftmost and longest; sorted blocks of addresses hold what
 * one of them holds; an answer's place lies in the value; what a row says a match
 * holds is there; the value is copied to just its size, so that a sanitizer sees who
 * reads past it. */
#include "base/ip.h"
#include "rules/ir.h"
#include "rules/op_parts.h"
#include "rules/words.h"
#include "tests/fuzz/must.h"

static void words_are_found(struct arena *a, const struct bytes *words, size_t n, struct bytes v)
{
	const struct words *w = words_new(a, words, n);
	size_t at = SIZE_MAX, len = 0, want_at = SIZE_MAX, want_len = 0;

	must(w);
	for (size_t i = 0; i < n; i++) {
		size_t here = words[i].len ? bytes_find_nocase(v, words[i]) : SIZE_MAX;

		if (here < want_at || (here == want_at && here != SIZE_MAX && words[i].len > want_len)) {
			want_at = here;
			want_len = words[i].len;
		}
	}
	must(words_find(w, v, &at, &len) == (want_at != SIZE_MAX));
	must(want_at == SIZE_MAX || (at == want_at && len == want_len));
}

/* Of pieces parted by commas each is a block, and its address is looked for in all of them. */
static void addresses_are_found(struct arena *a, struct bytes in)
{
	struct bytes pieces[64], rest = in, piece;
	const struct op_nets *nets;
	struct operand o = { 0 };
	size_t n = 0;

	while (n < nelems(pieces) && bytes_cut(&rest, ',', &piece))
		pieces[n++] = piece;
	nets = op_nets(a, pieces, n, false, NULL);
	must(nets);
	o.nets = nets;
	for (size_t i = 0; i < n; i++) {
		struct bytes text = bytes_trim(bytes_sub(pieces[i], 0, bytes_index(pieces[i], '/')));
		bool holds = false;
		struct ip ip;
		struct span s;

		if (!ip_parse(text, &ip))
			continue;
		for (size_t k = 0; k < n && !holds; k++) {
			struct ip_net net;

			holds = ip_net_parse(bytes_trim(pieces[k]), &net) && ip_in_net(&ip, &net) &&
				(bytes_index(text, ':') != SIZE_MAX || (net.bits >= 96 && ip_is4(&net.base)));
		}
		must(op_ip_match(&o, text, &s) == (holds ? ANSWER_YES : ANSWER_NO));
	}
}

static bool holds_one(const struct op *op, const struct operand *o, struct bytes v)
{
	uint64_t set[4] = { 0 };

	if (op->holds == HOLDS_BYTE)
		op_bytes_held(op, o, set);
	for (size_t i = 0; op->holds == HOLDS_BYTE && i < v.len; i++)
		if (set[(uint8_t)v.at[i] / 64] >> ((uint8_t)v.at[i] % 64) & 1)
			return true;
	for (size_t i = 0; i < o->ntexts; i++)
		if ((op->holds == HOLDS_WORD ? bytes_find_nocase : bytes_find)(v, o->texts[i]) != SIZE_MAX)
			return true;
	return false;
}

static void row_holds(const struct op *op, struct bytes argument, struct bytes v)
{
	struct ir *ir = ir_new();
	struct operand o, cheap;
	struct err e = { 0 };
	struct span s = { 0 };
	enum answer answer;

	must(ir);
	if (op_prepare(op, ir, argument, NULL, &o, &e)) {
		answer = op->test(&o, v, &s);
		must(answer != ANSWER_YES || (s.at <= v.len && s.len <= v.len - s.at));
		must(answer != ANSWER_YES || op->operand == OPERAND_REGEX || !op->holds || holds_one(op, &o, v));
		must(answer != ANSWER_LIMIT || op->operand == OPERAND_REGEX);
		if (op_expanded(op, ir->arena, argument, &cheap))
			must(op->test(&cheap, v, &s) == answer);
	} else {
		must(e.text[0]);
	}
	ir_free(ir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { size ? (const char *)data : "", size }, argument, value, words[64], rest;
	char *copy;
	size_t n = 0;
	struct arena *a = arena_new(16 << 20);

	if (!bytes_cut(&in, '\n', &argument))
		argument = in;
	copy = malloc(in.len ? in.len : 1);
	if (in.len)
		memcpy(copy, in.at, in.len);
	value = (struct bytes){ copy, in.len };
	rest = argument;
	while (n < nelems(words) && bytes_cut(&rest, ' ', &words[n]))
		n++;
	words_are_found(a, words, n, value);
	addresses_are_found(a, argument);
	for (size_t i = 0; i < op_count(); i++)
		if (op_at(i)->operand != OPERAND_FILE && op_at(i)->operand != OPERAND_NETS_FILE)
			row_holds(op_at(i), argument, value);
	free(copy);
	arena_free(a);
	return 0;
}
