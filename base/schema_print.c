/* schema_print.c -- the manual and the JSON Schema, from the same rows. */
#include "base/schema_type.h"
#include "base/text.h"
#include <assert.h>

enum { MAX_TABLES = 64, MAX_STRING = 2048 };

/* Tables in the order in which the rows first name them. */
struct tables {
	const struct schema_table *at[MAX_TABLES];
	size_t n;
};

static bool is_known(const struct tables *ts, const struct schema_table *t)
{
	for (size_t i = 0; i < ts->n; i++)
		if (ts->at[i] == t)
			return true;
	return false;
}

static struct tables collect(const struct schema_table *root)
{
	struct tables ts = { { root }, 1 };

	for (size_t i = 0; i < ts.n; i++)
		for (size_t r = 0; r < ts.at[i]->n; r++) {
			const struct schema_table *t = ts.at[i]->rows[r].table;

			if (!t || is_known(&ts, t))
				continue;
			assert(ts.n < MAX_TABLES);
			ts.at[ts.n++] = t;
		}
	return ts;
}

static bool is_key(const struct schema_row *row)
{
	return row->key && row->type != &schema_reserved;
}

/* Beside the words of a row. */
static bool has_values(const struct schema_type *t)
{
	return t->number || t->read;
}

/* ---- the manual ---- */

/* Lower case, blanks as `-`: how Markdown viewers name a heading. */
static void print_anchor(FILE *to, const char *heading)
{
	for (; *heading; heading++)
		fputc(*heading == ' ' ? '-' : byte_lower(*heading), to);
}

static void print_words(FILE *to, const struct schema_row *row)
{
	for (const struct schema_word *w = row->words; w->word; w++)
		fprintf(to, "%s`%s`%s", w == row->words ? "" : ", ", w->word,
			w->reserved ? " (not built yet)" : "");
}

static void print_bounds(FILE *to, const struct schema_row *row)
{
	char min[32], max[32];

	if (!row->type->show || !row->max)
		return;
	row->type->show(min, sizeof min, row->min);
	row->type->show(max, sizeof max, row->max);
	if (row->min)
		fprintf(to, ", %s to %s", min, max);
	else
		fprintf(to, ", at most %s", max);
}

static void print_value(FILE *to, const struct schema_row *row)
{
	fputs(row->many == SCHEMA_LIST ? "list of " : row->many == SCHEMA_MAP ? "name: " : "", to);
	if (row->type == &schema_nested) {
		fprintf(to, "[%s](#", row->table->name);
		print_anchor(to, row->table->name);
		fputs(")", to);
		return;
	}
	if (row->words)
		print_words(to, row);
	if (row->words && has_values(row->type))
		fputs(" or ", to);
	if (!row->words || has_values(row->type))
		fputs(row->type->name, to);
	print_bounds(to, row);
}

static void print_default(FILE *to, const struct schema_row *row)
{
	if (row->needed)
		fputs("needed", to);
	else if (row->inherits)
		fputs("as outside", to);
	else if (row->unset)
		fprintf(to, "`%s`", row->unset);
}

static void print_section(FILE *to, const struct schema_table *t)
{
	bool reserved = false;

	fprintf(to, "\n## %s\n\n%s\n\n", t->name, t->help);
	if (t->shorthand)
		fprintf(to, "A value that is no mapping is short for `%s`.\n\n", t->shorthand);
	fputs("| key | value | default | meaning |\n|---|---|---|---|\n", to);
	for (const struct schema_row *row = t->rows; row < t->rows + t->n; row++) {
		if (!is_key(row))
			continue;
		fprintf(to, "| `%s` | ", row->key);
		print_value(to, row);
		fputs(" | ", to);
		print_default(to, row);
		fprintf(to, " | %s |\n", row->help);
	}
	for (const struct schema_row *row = t->rows; row < t->rows + t->n; row++)
		if (row->type == &schema_reserved) {
			fprintf(to, "%s`%s`", reserved ? ", " : "\nReserved, not built yet: ", row->key);
			reserved = true;
		}
	fputs(reserved ? ".\n" : "", to);
}

void schema_print_manual(FILE *to, const struct schema_table *root)
{
	struct tables ts = collect(root);

	for (size_t i = 0; i < ts.n; i++)
		print_section(to, ts.at[i]);
}

/* ---- the JSON Schema (draft 7, which editors know best) ---- */

static void json_string(FILE *to, const char *s)
{
	char buf[MAX_STRING];
	struct text t = text_over(buf, sizeof buf);

	text_json(&t, bytes_of(s));
	assert(!t.full);
	fwrite(t.at, 1, t.len, to);
}

/* A word that reads as a JSON number or switch is named in both forms. */
static void json_word(FILE *to, const char *word)
{
	bool bare = bytes_eq(bytes_of(word), BYTES("true")) || bytes_eq(bytes_of(word), BYTES("false"));

	if (bare || strspn(word, "0123456789.") == strlen(word))
		fprintf(to, "%s, ", word);
	json_string(to, word);
}

static void json_words(FILE *to, const struct schema_row *row)
{
	const char *comma = "";

	fputs("\"enum\": [", to);
	for (const struct schema_word *w = row->words; w->word; w++) {
		if (w->reserved)
			continue;
		fputs(comma, to);
		json_word(to, w->word);
		comma = ", ";
	}
	fputs("]", to);
}

/* The members of the schema of one value. */
static void json_value(FILE *to, const struct schema_row *row)
{
	if (row->type == &schema_nested) {
		fputs("\"allOf\": [{\"$ref\": \"#/definitions/", to);
		print_anchor(to, row->table->name);
		fputs("\"}]", to);
	} else if (row->words && has_values(row->type)) {
		fputs("\"anyOf\": [{", to);
		json_words(to, row);
		fprintf(to, "}, {%s}]", row->type->json);
	} else if (row->words) {
		json_words(to, row);
	} else {
		fputs(row->type->json, to);
		if (row->type == &schema_int && row->max)
			fprintf(to, ", \"minimum\": %llu, \"maximum\": %llu",
				(unsigned long long)row->min, (unsigned long long)row->max);
	}
}

static void json_values(FILE *to, const struct schema_row *row)
{
	switch (row->many) {
	case SCHEMA_ONE:
		json_value(to, row);
		return;
	case SCHEMA_LIST:
		fputs("\"anyOf\": [{", to);
		json_value(to, row);
		fputs("}, {\"type\": \"array\", \"items\": {", to);
		json_value(to, row);
		fputs("}}]", to);
		return;
	case SCHEMA_MAP:
		fputs("\"type\": \"object\", \"additionalProperties\": {", to);
		json_value(to, row);
		fputs("}", to);
	}
}

static void json_property(FILE *to, const struct schema_row *row)
{
	fputs("        ", to);
	json_string(to, row->key);
	fputs(": {\"description\": ", to);
	json_string(to, row->help);
	if (row->unset) {
		fputs(", \"default\": ", to);
		json_string(to, row->unset);
	}
	fputs(", ", to);
	json_values(to, row);
	fputs("}", to);
}

static void json_required(FILE *to, const struct schema_table *t)
{
	const char *comma = "";

	fputs("      \"required\": [", to);
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].needed) {
			fputs(comma, to);
			json_string(to, t->rows[i].key);
			comma = ", ";
		}
	fputs("],\n", to);
}

static void json_object(FILE *to, const struct schema_table *t)
{
	const char *comma = "";

	fputs("      \"type\": \"object\",\n      \"additionalProperties\": false,\n", to);
	json_required(to, t);
	fputs("      \"properties\": {\n", to);
	for (const struct schema_row *row = t->rows; row < t->rows + t->n; row++) {
		if (!is_key(row))
			continue;
		fputs(comma, to);
		json_property(to, row);
		comma = ",\n";
	}
	fputs("\n      }", to);
}

static const struct schema_row *shorthand_row(const struct schema_table *t)
{
	for (size_t i = 0; t->shorthand && i < t->n; i++)
		if (t->rows[i].key && !strcmp(t->rows[i].key, t->shorthand))
			return &t->rows[i];
	return NULL;
}

static void json_definition(FILE *to, const struct schema_table *t)
{
	const struct schema_row *row = shorthand_row(t);

	fputs("    \"", to);
	print_anchor(to, t->name);
	fputs("\": {\n", to);
	if (row) {
		fputs("      \"anyOf\": [{", to);
		json_values(to, row);
		fputs("}, {\n", to);
	}
	json_object(to, t);
	fputs(row ? "\n      }]\n    }" : "\n    }", to);
}

void schema_print_json(FILE *to, const struct schema_table *root, const char *title)
{
	struct tables ts = collect(root);

	fputs("{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n  \"title\": ", to);
	json_string(to, title);
	fputs(",\n  \"allOf\": [{\"$ref\": \"#/definitions/", to);
	print_anchor(to, root->name);
	fputs("\"}],\n  \"definitions\": {\n", to);
	for (size_t i = 0; i < ts.n; i++) {
		json_definition(to, ts.at[i]);
		fputs(i + 1 < ts.n ? ",\n" : "\n", to);
	}
	fputs("  }\n}\n", to);
}
