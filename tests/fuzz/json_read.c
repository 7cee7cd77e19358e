/* json_read.c -- whatever is accepted keeps the bounds, and each value is reached by
 * its place in its list; a text is as long as it says and has no NUL. */
#include "base/json.h"
#include "tests/fuzz/must.h"

static const struct json_limits limits = { 4096, 8 };

static void walk(const struct json *v, unsigned depth)
{
	struct bytes text;
	int64_t number;
	bool flag;
	size_t n = json_length(v, "");
	char place[24];

	must(depth <= limits.depth + 1);
	must(json_text(v, "", &text) + json_number(v, "", &number) + json_flag(v, "", &flag) + (n > 0) <= 1);
	if (json_text(v, "", &text))
		must(strlen(text.at) == text.len && text.len <= limits.bytes);
	for (size_t i = 0; i < n; i++) {
		snprintf(place, sizeof place, "%zu", i);
		must(json_item(v, i) && json_item(v, i) == json_at(v, place));
		walk(json_item(v, i), depth + 1);
	}
	must(!json_item(v, n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size }, path;
	struct json *j;
	struct err e = { 0 };
	char name[64];

	bytes_cut(&in, '\n', &path);
	snprintf(name, sizeof name, "%.*s", (int)(path.len < 60 ? path.len : 60), path.at ? path.at : "");
	j = json_read(in, &limits, &e);
	must(j ? in.len <= limits.bytes : e.side == SIDE_UPSTREAM && e.text[0]);
	if (j)
		walk(j, 1);
	json_at(j, name);
	json_free(j);
	return 0;
}
