/* ledger_line.c -- "SUM held SCOPE VALUE REASON ORIGIN REMEDY LEVEL SIMULATED ID MADE UNTIL TIMES STAMP NODE HEARSAY".
 *
 * The last three were not always there, and may be missing.
 * One blank between words; in a text, blanks, control characters and '%' are written %XX, so an empty one is no word at
 * all. The sum tells damage, not forgery: who may write here may read the secret too. */
#include "base/hash128.h"
#include "cti/ledger.h"

enum { TEXT_CUT = 256, SUM = 16 };

static bool is_marked(char c)
{
	return (unsigned char)c <= ' ' || c == '%' || c == 0x7f;
}

static void put_word(struct text *t, struct bytes b)
{
	b = bytes_sub(b, 0, TEXT_CUT);
	text_byte(t, ' ');
	for (size_t i = 0; i < b.len; i++)
		if (is_marked(b.at[i]))
			text_printf(t, "%%%02x", (unsigned char)b.at[i]);
		else
			text_byte(t, b.at[i]);
}

static void put_number(struct text *t, uint64_t n)
{
	text_byte(t, ' ');
	text_u64(t, n);
}

static unsigned long long sum_of(struct bytes body)
{
	return hash128((struct hash128){ 0x656d626572676174, 0x6465636973696f6e }, body).a;
}

void ledger_seal(struct text *t, struct bytes body)
{
	text_printf(t, "%016llx ", sum_of(body));
	text_put(t, body);
}

bool ledger_write_line(struct text *t, const struct ledger_line *line)
{
	const struct decision *d = &line->decision;
	const struct bytes words[] = { bytes_of(scope_word(d->scope)), d->value, d->reason, d->origin, bytes_of(remedy_word(d->remedy)) };
	const uint64_t numbers[] = { d->level, d->simulated, d->id, d->made_ms, d->until_ms, line->times,
				     d->stamp, d->node, d->hearsay };
	char room[LEDGER_LINE_MAX];
	struct text body = text_over(room, sizeof room - SUM - 1);

	if (d->scope >= SCOPE_OTHER)
		return false;
	text_str(&body, line->lifted ? "lifted" : "held");
	for (size_t i = 0; i < nelems(words); i++)
		put_word(&body, words[i]);
	for (size_t i = 0; i < nelems(numbers); i++)
		put_number(&body, numbers[i]);
	ledger_seal(t, text_bytes(&body));
	return !t->full;
}

/* ---- reading ---- */

static bool take_word(struct bytes *rest, struct text *room, struct bytes *out)
{
	size_t from = room->len;
	struct bytes word;

	if (!bytes_cut(rest, ' ', &word))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		int high, low;

		if (word.at[i] != '%') {
			text_byte(room, word.at[i]);
			continue;
		}
		if (word.len - i < 3 || (high = byte_hex(word.at[i + 1])) < 0 || (low = byte_hex(word.at[i + 2])) < 0)
			return false;
		text_byte(room, (char)(high << 4 | low));
		i += 2;
	}
	*out = bytes_from(text_bytes(room), from);
	return !room->full && out->len <= TEXT_CUT;
}

static bool take_number(struct bytes *rest, uint64_t most, uint64_t *out)
{
	struct bytes word;

	return bytes_cut(rest, ' ', &word) && bytes_u64(word, out) && *out <= most;
}

static bool take_kind(struct bytes *rest, bool *lifted)
{
	struct bytes word;

	if (!bytes_cut(rest, ' ', &word))
		return false;
	*lifted = bytes_eq(word, BYTES("lifted"));
	return *lifted || bytes_eq(word, BYTES("held"));
}

static bool take_texts(struct bytes *rest, struct text *room, struct decision *d)
{
	struct bytes scope, remedy;

	if (!take_word(rest, room, &scope) || !take_word(rest, room, &d->value) || !take_word(rest, room, &d->reason) ||
	    !take_word(rest, room, &d->origin) || !take_word(rest, room, &remedy))
		return false;
	d->scope = scope_from_word(scope);
	return d->scope != SCOPE_OTHER && d->value.len && remedy_from_word(remedy, &d->remedy);
}

static bool take_origin(struct bytes *rest, struct decision *d)
{
	uint64_t node, hearsay;

	if (!take_number(rest, UINT64_MAX, &d->stamp) || !take_number(rest, DECISION_NODES - 1, &node) || !take_number(rest, 1, &hearsay))
		return false;
	d->node = (unsigned)node;
	d->hearsay = hearsay;
	return !rest->at;
}

static bool take_numbers(struct bytes *rest, struct ledger_line *line)
{
	struct decision *d = &line->decision;
	uint64_t level, simulated, times;

	if (!take_number(rest, 3, &level) || !take_number(rest, 1, &simulated) || !take_number(rest, UINT64_MAX >> 1, &d->id) ||
	    !take_number(rest, UINT64_MAX >> 1, &d->made_ms) || !take_number(rest, UINT64_MAX >> 1, &d->until_ms) ||
	    !take_number(rest, UINT32_MAX, &times))
		return false;
	d->level = (unsigned)level;
	d->simulated = simulated;
	line->times = (unsigned)times;
	return !rest->at || take_origin(rest, d);
}

bool ledger_read_line(struct bytes b, char room[LEDGER_LINE_MAX], struct ledger_line *line)
{
	struct bytes body = bytes_from(b, SUM + 1);
	char sealed[SUM + 2];
	struct text sum = text_over(sealed, sizeof sealed), texts = text_over(room, LEDGER_LINE_MAX);

	*line = (struct ledger_line){ 0 };
	text_printf(&sum, "%016llx ", sum_of(body));
	if (b.len > LEDGER_LINE_MAX || !bytes_starts(b, text_bytes(&sum)))
		return false;
	return take_kind(&body, &line->lifted) && take_texts(&body, &texts, &line->decision) && take_numbers(&body, line);
}
