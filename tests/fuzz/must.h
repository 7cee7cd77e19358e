/* must.h -- a property: the fuzzer stops where it does not hold. */
#ifndef TESTS_FUZZ_MUST_H
#define TESTS_FUZZ_MUST_H
#include <stdio.h>
#include <stdlib.h>

#define must(claim)                                                                     \
	do {                                                                            \
		if (!(claim)) {                                                         \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim); \
			abort();                                                        \
		}                                                                       \
	} while (0)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
#endif
