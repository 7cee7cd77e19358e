#!/bin/bash
# The tests of what threads share (thread_test in tests/unit/tests.cmake), in the
# build that ThreadSanitizer watches.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [[ ! -e build/tsan/CTestTestfile.cmake ]]; then
	echo 'tsan: skipped, build/tsan is not built (./ember test builds it)'
	exit 77 # ctest calls this "skipped"
fi
exec ctest --test-dir build/tsan -L threads --timeout 120 --output-on-failure
