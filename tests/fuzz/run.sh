#!/bin/bash
# run.sh NAME SECONDS: one fuzz target, for a bounded time, from its corpus.
# What it finds goes to build/fuzz/found/NAME; tests/fuzz/corpus holds seeds that
# a person chose. An input that breaks the property is left in build/fuzz/broken.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

name=$1 seconds=$2
program=build/fuzz/tests/fuzz/fuzz_$name
if [[ ! -x $program ]]; then
	echo "fuzz/$name: skipped, $program is not built (./ember fuzz builds it)"
	exit 77 # ctest calls this "skipped"
fi
corpus=("build/fuzz/found/$name")
mkdir -p "${corpus[0]}" build/fuzz/broken
[[ ! -d tests/fuzz/corpus/$name ]] || corpus+=("tests/fuzz/corpus/$name")

echo "fuzz/$name: $seconds s"
# libFuzzer itself ends with 77 when it finds something, which would count as skipped.
options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -error_exitcode=1 -timeout_exitcode=1
	-artifact_prefix="build/fuzz/broken/$name-" -verbosity=0 -print_final_stats=1)
exec "$program" "${options[@]}" "${corpus[@]}"
