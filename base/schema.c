/* schema.c -- reading a mapping by its table.
 *
 * First every key is looked up in the rows, so that a misspelt one is the
 * first thing said; then the rows are read in the order of the table, so that
 * a later row may build on an earlier one wherever the keys stand. */
#include "base/schema_type.h"
#include <assert.h>
#include <stdarg.h>

enum { MAX_ROWS = 64, MAX_WORD = 32, MAX_DEFAULTS = 16 };

static bool read_table(struct schema *, const struct schema_table *, const struct yaml_node *,
		       const struct yaml_node *key, void *out);
static void set_defaults(struct schema *, const struct schema_table *, void *out);

/* ---- errors and the path to what is read ---- */

bool schema_err(struct schema *s, const struct yaml_node *n, const char *fmt, ...)
{
	struct err said;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said.text, sizeof said.text, fmt, ap);
	va_end(ap);
	/* The path in the tree means nothing to who typed an option. */
	if (s->path_len && n->where.line)
		return yaml_err(n->where, s->err, "%s: %s", s->path, said.text);
	return yaml_err(n->where, s->err, "%s", said.text);
}

bool schema_not(struct schema *s, const struct schema_type *t, const struct yaml_node *n)
{
	if (yaml_is_empty(n))
		return schema_err(s, n, "needs a value: %s", t->want);
	if (n->kind != YAML_SCALAR)
		return schema_err(s, n, "%s is not %s", yaml_kind_word(n->kind), t->want);
	return schema_err(s, n, "'%.*s' is not %s", YAML_SHOWN(n->text), t->want);
}

__attribute__((format(printf, 2, 3)))
static void path_add(struct schema *s, const char *fmt, ...)
{
	size_t room = sizeof s->path - s->path_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s->path + s->path_len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		s->path_len += (size_t)n < room ? (size_t)n : room - 1;
}

static void path_key(struct schema *s, struct bytes key)
{
	path_add(s, "%s%.*s", s->path_len ? "." : "", YAML_SHOWN(key));
}

static void path_back(struct schema *s, size_t len)
{
	s->path_len = len;
	s->path[len] = '\0';
}

/* Letters to change, add, drop or swap to make a of b (Damerau's distance). */
static size_t distance(struct bytes a, struct bytes b)
{
	size_t d[MAX_WORD + 1][MAX_WORD + 1];

	for (size_t i = 0; i <= a.len; i++)
		for (size_t j = 0; j <= b.len; j++) {
			size_t *to = &d[i][j], best;

			if (!i || !j) {
				*to = i + j;
				continue;
			}
			best = d[i - 1][j - 1] + (byte_lower(a.at[i - 1]) != byte_lower(b.at[j - 1]));
			best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
			best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
			if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] &&
			    a.at[i - 2] == b.at[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			*to = best;
		}
	return d[a.len][b.len];
}

const char *schema_nearest(struct bytes word, const char *const *names, size_t n)
{
	size_t best = 1 + (word.len + 1) / 3; /* one letter in three may be wrong */
	const char *nearest = NULL;

	for (size_t i = 0; i < n && word.len <= MAX_WORD; i++) {
		struct bytes name = bytes_of(names[i]);
		size_t d = name.len <= MAX_WORD ? distance(word, name) : best;

		if (d < best) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}

/* "unknown key 'hots', did you mean 'hosts'?" or "...; known are a, b, c". */
static bool not_among(struct schema *s, const struct yaml_node *n, const char *what,
		      const char *const *names, size_t nnames)
{
	const char *near = schema_nearest(n->text, names, nnames);
	char list[128] = "";
	size_t len = 0;

	if (near)
		return schema_err(s, n, "%s '%.*s', did you mean '%s'?", what, YAML_SHOWN(n->text), near);
	for (size_t i = 0; i < nnames && len < sizeof list; i++)
		len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", names[i]);
	return schema_err(s, n, "%s '%.*s'; known are %s%s", what, YAML_SHOWN(n->text), list,
			  len < sizeof list ? "" : "...");
}

/* ---- numbers and words ---- */

static void store(void *out, size_t size, uint64_t n)
{
	uint8_t n8 = (uint8_t)n;
	uint16_t n16 = (uint16_t)n;
	uint32_t n32 = (uint32_t)n;

	switch (size) {
	case 0: break;
	case 1: memcpy(out, &n8, 1); break;
	case 2: memcpy(out, &n16, 2); break;
	case 4: memcpy(out, &n32, 4); break;
	default: /* a word in place of a slice or a pointer stands for none */
		memset(out, 0, size);
		memcpy(out, &n, 8);
	}
}

static bool refuse_word(struct schema *s, const struct schema_row *row, const struct yaml_node *n)
{
	const char *names[MAX_ROWS];
	size_t nnames = 0;

	for (const struct schema_word *w = row->words; w->word && nnames < MAX_ROWS; w++)
		if (!w->reserved)
			names[nnames++] = w->word;
	if (n->kind != YAML_SCALAR || yaml_is_empty(n))
		return schema_not(s, row->type, n);
	return not_among(s, n, "unknown word", names, nnames);
}

static bool bounded(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		    uint64_t value)
{
	uint64_t fits = row->size && row->size < 8 ? ((uint64_t)1 << 8 * row->size) - 1 : UINT64_MAX;
	uint64_t max = row->max ? row->max : fits;
	char bound[32];

	if (value >= row->min && value <= max)
		return true;
	row->type->show(bound, sizeof bound, value < row->min ? row->min : max);
	return schema_err(s, n, "%.*s is %s %s", YAML_SHOWN(n->text),
			  value < row->min ? "below" : "above", bound);
}

static const struct schema_word *find_word(const struct schema_row *row, const struct yaml_node *n)
{
	for (const struct schema_word *w = row->words; w && w->word && n->kind == YAML_SCALAR; w++)
		if (bytes_eq(n->text, bytes_of(w->word)))
			return w;
	return NULL;
}

static bool read_word(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      const struct schema_word *w, void *out)
{
	if (w->reserved)
		return schema_err(s, n, "'%s' is not built yet", w->word);
	store(out, row->size, w->value);
	return true;
}

static bool read_number(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
			void *out)
{
	uint64_t value;

	if (n->kind != YAML_SCALAR || !row->type->number(n->text, &value))
		return schema_not(s, row->type, n);
	if (!bounded(s, row, n, value))
		return false;
	store(out, row->size, value);
	return true;
}

/* ---- one value, lists, maps ---- */

static bool read_one(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		     const struct yaml_node *key, void *out, void *also)
{
	const struct schema_word *word = find_word(row, n);

	if (word)
		return read_word(s, row, n, word, out);
	if (row->type == &schema_nested)
		return read_table(s, row->table, n, key, out);
	if (row->type->read)
		return row->type->read(s, row, n, out, also);
	return row->type->number ? read_number(s, row, n, out) : refuse_word(s, row, n);
}

/* Many values go into an array of the arena; *field takes it, *count its length. */
static bool read_many(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      void *field, size_t *count)
{
	bool one = row->many == SCHEMA_LIST && n->kind != YAML_SEQUENCE;
	size_t nitems = yaml_is_empty(n) ? 0 : one ? 1 : n->n, was = s->path_len;
	char *items = nitems ? arena_get(s->arena, nitems * row->size) : NULL;

	if (nitems && !items)
		return schema_err(s, n, "out of memory");
	if (!nitems && row->needed)
		return schema_err(s, n, "needs at least one: %s", row->help);
	memcpy(field, &items, sizeof items);
	*count = nitems;
	for (size_t i = 0; i < nitems; i++) {
		const struct yaml_node *key = n->kind == YAML_MAPPING && !one ? n->keys[i] : NULL;

		if (key)
			path_key(s, key->text);
		else if (!one)
			path_add(s, "[%zu]", i);
		if (row->type == &schema_nested)
			set_defaults(s, row->table, items + i * row->size);
		if (!read_one(s, row, one ? n : n->items[i], key, items + i * row->size, NULL))
			return false;
		path_back(s, was);
	}
	return true;
}

static bool read_row(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		     char *out)
{
	if (row->many == SCHEMA_ONE)
		return read_one(s, row, n, NULL, row->size ? out + row->at : NULL, out + row->also);
	if (row->many == SCHEMA_MAP && n->kind != YAML_MAPPING && !yaml_is_empty(n))
		return schema_not(s, &schema_nested, n);
	return read_many(s, row, n, out + row->at, (size_t *)(void *)(out + row->also));
}

/* ---- tables ---- */

static bool unknown_key(struct schema *s, const struct schema_table *t, const struct yaml_node *key)
{
	const char *names[MAX_ROWS];
	size_t n = 0;

	for (size_t i = 0; i < t->n && n < MAX_ROWS; i++)
		if (t->rows[i].key && t->rows[i].type != &schema_reserved)
			names[n++] = t->rows[i].key;
	return not_among(s, key, "unknown key", names, n);
}

static const struct schema_row *find_row(const struct schema_table *t, struct bytes key)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].key && bytes_eq(key, bytes_of(t->rows[i].key)))
			return &t->rows[i];
	return NULL;
}

static bool keys_known(struct schema *s, const struct schema_table *t, const struct yaml_node *n)
{
	const struct schema_row *row;

	for (size_t i = 0; i < n->n; i++) {
		if (!(row = find_row(t, n->keys[i]->text)))
			return unknown_key(s, t, n->keys[i]);
		if (row->type == &schema_reserved)
			return schema_err(s, n->keys[i], "'%s' is not built yet", row->key);
	}
	return true;
}

static bool read_rows(struct schema *s, const struct schema_table *t, const struct yaml_node *n,
		      const struct yaml_node *named, char *out)
{
	size_t was = s->path_len;
	const struct yaml_node *value;

	for (const struct schema_row *row = t->rows; row < t->rows + t->n; row++) {
		if (!row->key) {
			row->type->read(s, row, named, out + row->at, NULL);
		} else if ((value = yaml_get(n, row->key))) {
			path_key(s, bytes_of(row->key));
			if (!read_row(s, row, value, out))
				return false;
			path_back(s, was);
		} else if (row->needed) {
			return schema_err(s, named, "'%s' is missing: %s", row->key, row->help);
		}
	}
	return true;
}

/* A value that is no mapping is for the key that the table names. */
static bool read_shorthand(struct schema *s, const struct schema_table *t,
			   const struct yaml_node *n, const struct yaml_node *named, char *out)
{
	for (const struct schema_row *row = t->rows; row < t->rows + t->n; row++)
		if (!row->key)
			row->type->read(s, row, named, out + row->at, NULL);
	return read_row(s, find_row(t, bytes_of(t->shorthand)), n, out);
}

static bool read_table(struct schema *s, const struct schema_table *t, const struct yaml_node *n,
		       const struct yaml_node *key, void *out)
{
	bool mapping = n->kind == YAML_MAPPING || yaml_is_empty(n);
	const struct yaml_node *named = key ? key : n;

	if (!mapping && !t->shorthand)
		return schema_not(s, &schema_nested, n);
	if (t->begin && !t->begin(s, n, out))
		return false;
	if (mapping ? !keys_known(s, t, n) || !read_rows(s, t, n, named, out) :
		      !read_shorthand(s, t, n, named, out))
		return false;
	return !t->end || t->end(s, n, out);
}

/* ---- defaults ---- */

/* A default is read as if it were written; "a, b" is a list of two. */
static void set_default(struct schema *s, const struct schema_row *row, char *out)
{
	struct yaml_node parts[MAX_DEFAULTS] = { 0 };
	const struct yaml_node *items[MAX_DEFAULTS];
	struct yaml_node list = { .kind = YAML_SEQUENCE, .items = items, .where.file = row->key };
	struct bytes rest = bytes_of(row->unset), part;
	bool ok;

	if (row->many == SCHEMA_ONE) {
		parts[0] = (struct yaml_node){ .text = rest, .where.file = row->key };
		ok = read_row(s, row, &parts[0], out);
	} else {
		while (list.n < MAX_DEFAULTS && bytes_cut(&rest, ',', &part)) {
			parts[list.n] = (struct yaml_node){ .text = bytes_trim(part), .where.file = row->key };
			items[list.n] = &parts[list.n];
			list.n++;
		}
		ok = read_row(s, row, &list, out);
	}
	assert(ok); /* our own table contradicts itself */
	(void)ok;
}

static void set_defaults(struct schema *s, const struct schema_table *t, void *out)
{
	for (const struct schema_row *row = t->rows; row < t->rows + t->n; row++)
		if (row->unset)
			set_default(s, row, out);
		else if (row->type == &schema_nested && row->many == SCHEMA_ONE && !row->inherits)
			set_defaults(s, row->table, (char *)out + row->at);
}

bool schema_read(struct schema *s, const struct schema_table *t, const struct yaml_node *n, void *out)
{
	set_defaults(s, t, out);
	return read_table(s, t, n, NULL, out);
}

const struct yaml_node *schema_at(const struct yaml_node *n, const char *key)
{
	const struct yaml_node *value = yaml_get(n, key);

	return value ? value : n;
}
