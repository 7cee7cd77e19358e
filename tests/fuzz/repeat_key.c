/* repeat_key.c -- a key that is taken is printable and short, and in quotes it is the same key. */
#include "admin/api/repeats.h"
#include "tests/fuzz/must.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char quoted[REPEAT_KEY_MAX + 2];
	struct bytes key, back;

	if (!repeat_key((struct bytes){ (const char *)data, size }, &key))
		return 0;
	must(key.len > 0 && key.len <= REPEAT_KEY_MAX && key.len <= size);
	for (size_t i = 0; i < key.len; i++)
		must(key.at[i] >= ' ' && key.at[i] <= '~');
	quoted[0] = quoted[key.len + 1] = '"';
	memcpy(quoted + 1, key.at, key.len);
	must(repeat_key((struct bytes){ quoted, key.len + 2 }, &back) && bytes_eq(key, back));
	return 0;
}
