#!/bin/bash
# Measures Embergate beside nginx, HAProxy and ModSecurity, on loopback.
#
#   run.sh [full]     everything, about 50 minutes; writes RESULTS.md
#   run.sh quick      fewer rounds, loads and peers, about 7 minutes; writes RESULTS.md
#   run.sh life ...   what `full` has at its end: cold starts, many apps, 1,000 reloads
#                     (life.py tells more); a quick run keeps what was found
#   run.sh full --peers nginx,haproxy,embergate --loads W1,W2 --rounds 3 --only-print
#   run.sh check      compiles nothing and measures nothing: are the scripts whole?
#   run.sh table      prints what was measured last
#
# ./ember bench calls it, when what it needs is installed and built. Another set of
# CRS rules joins as EMBERGATE_CRS_DIR (a directory with rules/ and
# crs-setup.conf.example); BENCH_PORT: other ports than 20000-20099; BENCH_BUILD:
# another build directory than build/release; BENCH_WORK: than build/bench.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=${BENCH_WORK:-$PWD/../build/bench}

check() {
	local scripts=(bench.py agent.py pairs.py life.py sets.py peers.py measure.py report.py mkreq.py)
	/usr/bin/python3 -c 'import ast, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]' "${scripts[@]}"
	/usr/bin/python3 -c 'import sys; sys.dont_write_bytecode = True; import bench, life; bench.table.all_peers()'
}

# What does not change from run to run is made once.
prepare() {
	mkdir -p "$work"/{req,run}
	if [[ ! -s $work/both.pem ]]; then
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
			-subj /CN=shop.example.com -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
		cat "$work/cert.pem" "$work/key.pem" >"$work/both.pem"
	fi
	if [[ mkreq.py -nt $work/loads.jsonl ]]; then
		echo 'bench: writing the requests'
		/usr/bin/python3 mkreq.py "$work/req" >"$work/loads.new"
		mv "$work/loads.new" "$work/loads.jsonl"
	fi
	if [[ -e ../../shared/vectors/hub-content.tar.xz && ! -d $work/hub ]]; then
		mkdir "$work/hub"
		tar -xJf ../../shared/vectors/hub-content.tar.xz -C "$work/hub"
	fi
}

# A session of its own with a raised weight: other work on the machine then disturbs
# the figures less. Where that is not allowed it runs plainly.
boosted() {
	setsid -w sh -c 'echo -15 2>/dev/null >/proc/self/autogroup; exec "$@"' boosted "$@"
}

case ${1:-full} in
check) check ;;
table) /usr/bin/python3 report.py "$work/results.jsonl" ;;
quick | full)
	prepare
	export PYTHONDONTWRITEBYTECODE=1
	boosted /usr/bin/python3 bench.py "$@"
	;;
life)
	prepare
	/usr/bin/python3 -B life.py "${@:2}"
	;;
*)
	sed -n '/^#   /s/^#   //p' "${BASH_SOURCE[0]}"
	exit 2
	;;
esac
