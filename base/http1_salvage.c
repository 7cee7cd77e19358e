/* http1_salvage.c -- what a refused request says all the same.
 *
 * A refused request goes nowhere, but rules still look at it and the log names
 * it. So this reads as the most lenient server would: any LF ends a line, any
 * run of blanks parts the words of the first, and a folded line belongs to the
 * field before. Nothing here is ever forwarded. */
#include "base/http1_parts.h"

static struct bytes take_line(struct bytes *rest)
{
	struct bytes line = { 0 };

	bytes_cut(rest, '\n', &line);
	while (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	return line;
}

static struct bytes take_word(struct bytes *rest)
{
	size_t n = 0;
	struct bytes word;

	*rest = bytes_trim(*rest);
	while (n < rest->len && !byte_is_blank(rest->at[n]))
		n++;
	word = bytes_sub(*rest, 0, n);
	*rest = bytes_from(*rest, n);
	return word;
}

/* The target is what stands between the method and a last word that begins
 * with HTTP/, blanks included. */
static void salvage_line(struct bytes line, struct request *out)
{
	struct bytes rest = line, target;
	size_t last;

	out->line = line;
	out->method = take_word(&rest);
	target = bytes_trim(rest);
	for (last = target.len; last > 0 && !byte_is_blank(target.at[last - 1]); last--)
		;
	if (last > 0 && bytes_starts_nocase(bytes_from(target, last), BYTES("HTTP/")))
		target = bytes_trim(bytes_sub(target, 0, last));
	out->target = target;
}

static void salvage_target(struct request *out)
{
	struct bytes t = out->target;
	size_t at = bytes_find(t, BYTES("://")), mark;

	if (at != SIZE_MAX && t.at[0] != '/') {
		t = bytes_from(t, at + 3);
		for (at = 0; at < t.len && !strchr("/\\?#", t.at[at]);)
			at++;
		out->host = bytes_sub(t, 0, at);
		t = bytes_from(t, at);
	}
	mark = bytes_index(t, '?');
	out->path = bytes_sub(t, 0, mark);
	if (mark != SIZE_MAX)
		out->query = bytes_from(t, mark + 1);
}

static void salvage_host(struct request *out)
{
	struct bytes host = out->host.at ? out->host : fields_value(&out->fields, FIELD_HOST);
	size_t user = bytes_index(host, '@'), colon;

	out->host = host;
	if (user != SIZE_MAX)
		host = bytes_from(host, user + 1);
	colon = host.len && host.at[0] == '[' ? bytes_index(host, ']') : bytes_index(host, ':');
	out->hostname = bytes_sub(host, host.len && host.at[0] == '[', colon);
}

static void salvage_field(struct bytes line, struct field *f)
{
	size_t colon = bytes_index(line, ':');

	*f = (struct field){ .name = bytes_trim(bytes_sub(line, 0, colon)) };
	if (colon != SIZE_MAX)
		f->value = bytes_trim(bytes_from(line, colon + 1));
	f->id = field_id_of(f->name);
}

static void salvage_fields(struct arena *a, struct bytes rest, size_t most, struct fields *f)
{
	struct bytes line;
	struct field *grown;

	while (rest.at && (line = take_line(&rest)).len) {
		if (byte_is_blank(line.at[0]) && f->n && f->at[f->n - 1].value.at) {
			struct bytes *v = &f->at[f->n - 1].value;

			v->len = (size_t)(line.at + line.len - v->at);
			continue;
		}
		if (f->n >= most)
			return;
		grown = arena_grow(a, f->at, &f->cap, f->n + 1, sizeof *grown);
		if (!grown)
			return;
		f->at = grown;
		salvage_field(line, &f->at[f->n++]);
	}
}

void http1_salvage(struct arena *a, struct bytes head, const struct http1_limits *limits,
		   struct request *out)
{
	struct bytes rest = bytes_sub(head, 0, limits->head_bytes);

	*out = (struct request){ 0 };
	salvage_line(take_line(&rest), out);
	salvage_target(out);
	salvage_fields(a, rest, limits->fields, &out->fields);
	salvage_host(out);
}
