/* Any cut of an XML body gives the same values, within its bounds. */
#include "tests/fuzz/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct body_setup s = { 0 };
	size_t cut;
	struct bytes in = split_input(data, size, &cut, &s.limits);

	split_claim(&body_xml, &s, in, cut);
	return 0;
}
