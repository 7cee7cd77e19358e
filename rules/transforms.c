/* transforms.c -- the table of transformations, and what they share. */
#include "rules/transforms.h"
#include "base/schema_type.h"
#include "rules/plain.h"
#include "rules/transform_steps.h"

/* Traits: classes of bytes that make some transformation do something. */
enum trait {
	ALWAYS = 1 << 0, /* set for every value, the empty one too */
	ANY = 1 << 1,    /* a byte */
	UPPER = 1 << 2,
	LOWER = 1 << 3,
	SPACE = 1 << 4,  /* isspace() */
	NUL = 1 << 5,
	HIGH = 1 << 6,   /* above 0x7f */
	PERCENT = 1 << 7,
	PLUS = 1 << 8,
	AMP = 1 << 9,
	BACKSLASH = 1 << 10,
	SLASH = 1 << 11,
	DOT = 1 << 12,
	COMMENT = 1 << 13, /* begins or ends a comment: / * < - # */
	SHELL = 1 << 14,   /* what cmdLine takes out or folds: " ' ^ , ; */
	ZERO = 1 << 15,
	BRACKET = 1 << 16,
	ENCODED = 1 << 17, /* what urlEncode encodes */
	ODD = 1 << 18,     /* a byte whose eight bits have odd parity, or even */
	EVEN = 1 << 19,
	RICH = TRAIT_RICH,
	BLANKS = 1 << 21,  /* white space other than ' ', or a blank before TIGHT: what folding blanks folds */
	TIGHT = 1 << 22,   /* white space, / or ( */
};

#define IN(c, from, to) ((c) >= (from) && (c) <= (to))
#define BIT(c, n) ((c) >> (n) & 1)
#define PARITY4(c, n) (BIT(c, n) ^ BIT(c, n + 1) ^ BIT(c, n + 2) ^ BIT(c, n + 3))
#define PARITY(c) (PARITY4(c, 0) ^ PARITY4(c, 4))
#define ALNUM(c) (IN(c, '0', '9') || IN(c, 'A', 'Z') || IN(c, 'a', 'z'))
#define ONE_OF4(c, a, b, d, e) ((c) == (a) || (c) == (b) || (c) == (d) || (c) == (e))
#define TRAITS(c)                                                               \
	(ANY | (IN(c, 'A', 'Z') ? UPPER : 0) | (IN(c, 'a', 'z') ? LOWER : 0) |  \
	 (IN(c, '\t', '\r') || (c) == ' ' ? SPACE : 0) | ((c) == 0 ? NUL : 0) | \
	 ((c) > 0x7f ? HIGH : 0) | ((c) == '%' ? PERCENT : 0) |                 \
	 ((c) == '+' ? PLUS : 0) | ((c) == '&' ? AMP : 0) |                     \
	 ((c) == '\\' ? BACKSLASH : 0) | ((c) == '/' ? SLASH : 0) |             \
	 ((c) == '.' ? DOT : 0) |                                               \
	 (ONE_OF4(c, '/', '*', '<', '-') || (c) == '#' ? COMMENT : 0) |         \
	 (ONE_OF4(c, '"', '\'', '^', ',') || (c) == ';' ? SHELL : 0) |          \
	 ((c) == '0' ? ZERO : 0) | ((c) == '[' ? BRACKET : 0) |                 \
	 (ALNUM(c) || (c) == '*' ? 0 : ENCODED) | (PARITY(c) ? ODD : EVEN) |    \
	 (PLAIN_BYTE(c) ? 0 : RICH) | (IN(c, '\t', '\r') ? BLANKS : 0) |      \
	 (IN(c, '\t', '\r') || ONE_OF4(c, ' ', '/', '(', ' ') ? TIGHT : 0))
#define FOUR(c) TRAITS(c), TRAITS((c) + 1), TRAITS((c) + 2), TRAITS((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)

static const uint32_t traits_of[256] = {
	SIXTEEN(0x00), SIXTEEN(0x10), SIXTEEN(0x20), SIXTEEN(0x30), SIXTEEN(0x40), SIXTEEN(0x50),
	SIXTEEN(0x60), SIXTEEN(0x70), SIXTEEN(0x80), SIXTEEN(0x90), SIXTEEN(0xa0), SIXTEEN(0xb0),
	SIXTEEN(0xc0), SIXTEEN(0xd0), SIXTEEN(0xe0), SIXTEEN(0xf0),
};

/* clang-format off */
static const struct transform table[] = {
	{ "base64Decode", "b64Decode", t_base64_decode, ANY, 1, 0, false, false,
	  "decodes Base64 up to the first byte that is none" },
	{ "base64DecodeExt", "b64DecodeExt", t_base64_decode_ext, ANY, 1, 0, false, false,
	  "decodes Base64, skipping bytes that are none" },
	{ "base64Encode", "b64Encode", t_base64_encode, ANY, 2, 4, false, false, "encodes as Base64" },
	{ "cmdLine", NULL, t_cmd_line, SHELL | BACKSLASH | BLANKS | UPPER, 1, 0, true, true,
	  "takes out \\ \" ' ^, folds blanks, commas, semicolons and case, as shells do" },
	{ "compressWhitespace", NULL, t_compress_whitespace, BLANKS, 1, 0, true, true,
	  "makes each run of white space one blank" },
	{ "cssDecode", NULL, t_css_decode, BACKSLASH, 1, 0, false, true, "decodes CSS 2.x escapes" },
	{ "escapeSeqDecode", NULL, t_escape_seq_decode, BACKSLASH, 1, 0, false, true,
	  "decodes ANSI C escapes" },
	{ "hexDecode", NULL, t_hex_decode, ANY, 1, 0, false, false, "decodes pairs of digits" },
	{ "hexEncode", NULL, t_hex_encode, ANY, 2, 0, false, true, "writes each byte as two digits" },
	{ "htmlEntityDecode", NULL, t_html_entity_decode, AMP, 1, 0, false, true,
	  "decodes HTML character references by number, and &quot; &amp; &lt; &gt; &nbsp;" },
	{ "htmlEntityDecodeAll", NULL, t_html_entity_decode_all, AMP, 1, 0, false, true,
	  "the same, and every name of HTML for an ASCII byte: CrowdSec's htmlentitydecode" },
	{ "jsDecode", NULL, t_js_decode, BACKSLASH, 1, 0, false, true, "decodes JavaScript escapes" },
	{ "length", NULL, t_length, ALWAYS, 0, 20, false, true, "the number of bytes, as text" },
	{ "lowercase", NULL, t_lowercase, UPPER, 1, 0, true, true, "folds ASCII letters" },
	{ "md5", NULL, t_md5, ALWAYS, 0, 16, false, false, "the MD5 digest, 16 raw bytes" },
	{ "normalizePath", "normalisePath", t_normalize_path, SLASH | DOT, 1, 0, true, true,
	  "takes out //, /./ and resolves /../" },
	{ "normalizePathWin", "normalisePathWin", t_normalize_path_win, SLASH | DOT | BACKSLASH,
	  1, 0, true, true, "the same after making \\ a /" },
	{ "parityEven7bit", NULL, t_parity_even_7bit, ODD | HIGH, 1, 0, false, false,
	  "sets bit 7 for even parity" },
	{ "parityOdd7bit", NULL, t_parity_odd_7bit, EVEN | HIGH, 1, 0, false, false,
	  "sets bit 7 for odd parity" },
	{ "parityZero7bit", NULL, t_parity_zero_7bit, HIGH, 1, 0, true, false, "clears bit 7" },
	{ "phpArgsNames", NULL, t_php_args_names, SPACE | DOT | BRACKET, 1, 0, false, false,
	  "the name that PHP makes of an argument's" },
	{ "removeComments", NULL, t_remove_comments, COMMENT, 1, 0, false, true,
	  "takes out comments of C, HTML, SQL and shells" },
	{ "removeCommentsChar", NULL, t_remove_comments_char, COMMENT, 1, 0, false, true,
	  "takes out the marks of comments" },
	{ "removeNulls", NULL, t_remove_nulls, NUL, 1, 0, true, true, "takes out NUL bytes" },
	{ "removeWhitespace", NULL, t_remove_whitespace, SPACE | HIGH, 1, 0, true, true,
	  "takes out white space and non-breaking blanks" },
	{ "replaceComments", NULL, t_replace_comments, COMMENT, 1, 0, true, true,
	  "makes each C comment one blank" },
	{ "replaceNulls", NULL, t_replace_nulls, NUL, 1, 0, true, true, "makes each NUL byte a blank" },
	{ "sha1", NULL, t_sha1, ALWAYS, 0, 20, false, false, "the SHA-1 digest, 20 raw bytes" },
	{ "sqlHexDecode", NULL, t_sql_hex_decode, ZERO, 1, 0, false, false, "decodes 0x414243" },
	{ "trim", NULL, t_trim, SPACE, 1, 0, true, true, "takes white space off both ends" },
	{ "trimLeft", NULL, t_trim_left, SPACE, 1, 0, true, true, "takes white space off the front" },
	{ "trimRight", NULL, t_trim_right, SPACE, 1, 0, true, true, "takes white space off the end" },
	{ "uppercase", NULL, t_uppercase, LOWER, 1, 0, true, true, "folds ASCII letters the other way" },
	{ "urlDecode", NULL, t_url_decode, PERCENT | PLUS, 1, 0, false, true, "decodes %XX and +" },
	{ "urlDecodeUni", NULL, t_url_decode_uni, PERCENT | PLUS, 1, 0, false, true,
	  "the same, and %uXXXX with best-fit letters" },
	{ "urlEncode", NULL, t_url_encode, ENCODED, 3, 0, false, false,
	  "encodes all but letters and digits" },
	{ "utf8toUnicode", NULL, t_utf8_to_unicode, HIGH, 3, 0, true, false, "writes UTF-8 as %uXXXX" },
};
/* clang-format on */

uint32_t transform_traits(struct bytes value)
{
	const unsigned char *p = (const unsigned char *)value.at;
	uint32_t all = ALWAYS, before = 0, blanks = 0;

	for (size_t i = 0; i < value.len; i++) {
		uint32_t now = traits_of[p[i]];

		all |= now;
		blanks |= (now & TIGHT) * (before & SPACE); /* not 0: both */
		before = now;
	}
	return blanks ? all | BLANKS : all;
}

size_t transform_count(void)
{
	return nelems(table);
}

const struct transform *transform_at(size_t i)
{
	return &table[i];
}

/* The next character of a name that counts, or '\0'. */
static char significant(struct bytes *name)
{
	while (name->len && name->at[0] == '_')
		*name = bytes_from(*name, 1);
	if (name->len == 0)
		return '\0';
	*name = bytes_from(*name, 1);
	return byte_lower(name->at[-1]);
}

static bool same_name(struct bytes a, struct bytes b)
{
	char c, d;

	do {
		c = significant(&a);
		d = significant(&b);
	} while (c && c == d);
	return c == d && a.len == b.len;
}

const struct transform *transform_find(struct bytes name)
{
	for (size_t i = 0; i < nelems(table); i++)
		if (same_name(name, bytes_of(table[i].name)) ||
		    (table[i].alias && same_name(name, bytes_of(table[i].alias))))
			return &table[i];
	return NULL;
}

const struct transform *transform_of_crowdsec(struct bytes name)
{
	const struct transform *t = transform_find(name);

	return t && t->fn == t_html_entity_decode ? transform_find(BYTES("htmlEntityDecodeAll")) : t;
}

const char *transform_nearest(struct bytes name)
{
	const char *names[nelems(table)];

	for (size_t i = 0; i < nelems(table); i++)
		names[i] = table[i].name;
	return schema_nearest(name, names, nelems(names));
}

struct bytes transform_result(struct bytes in, const char *out, size_t n)
{
	struct bytes made = { out, n };

	return bytes_eq(in, made) ? in : made;
}

struct bytes transform_decode(struct arena *a, struct bytes in, const char triggers[2],
			      transform_step *step)
{
	const char *p = in.at, *end = p + in.len, *from;
	char *out, *to;

	while (p < end && *p != triggers[0] && *p != triggers[1])
		p++;
	if (p == end)
		return in;
	out = to = arena_raw(a, in.len);
	if (!out)
		return (struct bytes){ 0 };
	from = in.at;
	for (;;) {
		memcpy(to, from, (size_t)(p - from));
		to += p - from;
		if (p == end)
			return transform_result(in, out, (size_t)(to - out));
		p += step(p, (size_t)(end - p), &to);
		for (from = p; p < end && *p != triggers[0] && *p != triggers[1];)
			p++;
	}
}

unsigned hex_value(const char *p, size_t n)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 4 | (unsigned)byte_hex(p[i]);
	return v;
}

char code_to_byte(unsigned code)
{
	return (char)(code >= 0xff01 && code <= 0xff5e ? code - 0xff00 + 0x20 : code);
}
