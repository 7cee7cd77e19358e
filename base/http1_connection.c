/* http1_connection.c -- what Connection says of this hop, and which fields it
 * takes away (RFC 9110 7.6.1). */
#include "base/http1_parts.h"

enum { OPTIONS_MAX = 64 }; /* naming more fields than that is an attack on us */

static bool is_word(struct bytes b, struct bytes word)
{
	return bytes_eq_nocase(b, word);
}

/* False: the fields that frame and route a message are not Connection's to
 * remove; servers that obeyed would see another message than we inspect. */
static bool drop_named(struct http1_reader *r, struct fields *f, struct bytes name)
{
	enum field_id id = field_id_of(name);

	if (id == FIELD_HOST || id == FIELD_CONTENT_LENGTH || id == FIELD_TRANSFER_ENCODING)
		return reader_bad(r, 400, "Connection names %.*s", BYTES_ARG(name));
	for (size_t i = 0; i < f->n; i++)
		if (bytes_eq_nocase(f->at[i].name, name))
			f->at[i].drop = true;
	return true;
}

static bool read_option(struct http1_reader *r, struct fields *f, struct bytes word,
			struct http1_options *o)
{
	if (is_word(word, BYTES("close")))
		return o->close = true;
	if (is_word(word, BYTES("keep-alive")))
		return o->keep_alive = true;
	if (is_word(word, BYTES("upgrade")))
		return o->upgrade = true;
	if (!http1_is_token(word))
		return reader_bad(r, 400, "a Connection option that is no token");
	return drop_named(r, f, word);
}

bool http1_read_options(struct http1_reader *r, struct fields *f, struct http1_options *o)
{
	struct bytes list, word;
	size_t n = 0;

	*o = (struct http1_options){ 0 };
	if (!reader_saw(r, FIELD_CONNECTION))
		return true;
	for (size_t i = 0; i < f->n; i++) {
		if (f->at[i].id != FIELD_CONNECTION)
			continue;
		list = f->at[i].value;
		while (bytes_cut(&list, ',', &word)) {
			word = bytes_trim(word);
			if (++n > OPTIONS_MAX)
				return reader_bad(r, 400, "more than %d Connection options",
						  OPTIONS_MAX);
			if (word.len && !read_option(r, f, word, o))
				return false;
		}
	}
	return true;
}
