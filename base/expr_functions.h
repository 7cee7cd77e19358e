/* expr_functions.h -- the functions that the table in expr_functions.c names. Private to base/expr_*.c.
 *
 * Their arguments have the kinds that the table says; what may be left out is not there when n says so. */
#ifndef BASE_EXPR_FUNCTIONS_H
#define BASE_EXPR_FUNCTIONS_H
#include "base/expr_tree.h"

enum { EXPR_BYTES_A_STEP = 256 };

/* expr_texts.c */
expr_fn fn_upper, fn_lower, fn_trim, fn_trim_left, fn_trim_right, fn_trim_prefix, fn_trim_suffix, fn_split, fn_fields,
	fn_replace, fn_repeat, fn_join, fn_index_of, fn_last_index_of, fn_has_prefix, fn_has_suffix, fn_sprintf, fn_string,
	fn_to_string, fn_match, fn_basename;
/* expr_escape.c */
expr_fn fn_path_escape, fn_path_unescape, fn_query_escape, fn_query_unescape, fn_base64_decode, fn_parse_uri;

/* Sets *out; false: at is NULL, that is, memory is short. */
bool expr_return_text(struct expr_run *, struct bytes, struct expr_value *out);
/* Room for n values that becomes *out; NULL: too many steps, or memory is short. */
struct expr_value *expr_return_list(struct expr_run *, size_t n, struct expr_value *out);
/* Room for a text of at most `cap` bytes; at == NULL as above. */
struct text;
bool expr_text_room(struct expr_run *, size_t cap, struct text *);
/* Go's %v of a value. */
void expr_print(struct text *, const struct expr_value *);
#endif
