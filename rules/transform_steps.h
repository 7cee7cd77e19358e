/* transform_steps.h -- the functions behind the table of transforms.c, by file;
 * not for others.
 *
 * Most decoders share one loop: plain bytes are copied in runs, and at a
 * trigger byte a step function reads one escape. */
#ifndef RULES_TRANSFORM_STEPS_H
#define RULES_TRANSFORM_STEPS_H
#include "base/arena.h"

/* Reads one escape at p, of which `left` bytes are there (at least 1), writes
 * at *out what it stands for and returns how many bytes it took. It never
 * writes more than it takes. */
typedef size_t transform_step(const char *p, size_t left, char **out);

/* Runs `step` at every byte that is one of the two triggers. */
struct bytes transform_decode(struct arena *, struct bytes in, const char triggers[2],
			      transform_step *step);
/* `in` itself when out[0..n) is the same text. */
struct bytes transform_result(struct bytes in, const char *out, size_t n);
/* What isspace() says in the C locale. */
static inline bool byte_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}
/* n hexadecimal digits at p. */
static inline bool is_hex(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (byte_hex(p[i]) < 0)
			return false;
	return true;
}
unsigned hex_value(const char *p, size_t n);
/* The low byte of a code point; full-width ASCII (U+FF01 to U+FF5E) as ASCII. */
char code_to_byte(unsigned code);

typedef struct bytes transform_fn(struct arena *, struct bytes in);

/* transform_url.c */
transform_fn t_url_decode, t_url_decode_uni, t_url_encode;
/* transform_escape.c */
transform_fn t_js_decode, t_css_decode, t_escape_seq_decode, t_sql_hex_decode;
/* transform_html.c */
transform_fn t_html_entity_decode, t_html_entity_decode_all;
/* transform_encode.c */
transform_fn t_base64_decode, t_base64_decode_ext, t_base64_encode, t_hex_decode, t_hex_encode,
	t_length, t_md5, t_sha1;
/* transform_space.c */
transform_fn t_trim, t_trim_left, t_trim_right, t_remove_whitespace, t_compress_whitespace,
	t_remove_nulls, t_replace_nulls, t_cmd_line;
/* transform_comments.c */
transform_fn t_remove_comments, t_remove_comments_char, t_replace_comments;
/* transform_path.c */
transform_fn t_normalize_path, t_normalize_path_win;
/* transform_fold.c */
transform_fn t_lowercase, t_uppercase, t_parity_even_7bit, t_parity_odd_7bit, t_parity_zero_7bit,
	t_utf8_to_unicode, t_php_args_names;
#endif
