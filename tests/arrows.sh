#!/bin/bash
# Fails on an #include against the arrows of ARCHITECTURE.md: who may know whom,
# and which few files may know a library. Before it looks at the sources it
# proves on a made-up tree that it can fail.
# shellcheck disable=SC2053,SC2086  # the tables hold words and patterns
set -euo pipefail -o noglob
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# part: the parts it may include. base/ is four: words and documents (base), the
# wire, matching, the store.
arrows='
base:       base
base_wire:  base base_wire
base_match: base base_match
base_store: base base_wire base_store
rules:      base base_match rules
scenarios:  base base_match scenarios
cti:        base base_match base_wire base_store cti
admin:      base base_match base_wire base_store rules scenarios cti admin
demo:       base base_wire demo
proxy:      base base_match base_wire base_store rules scenarios cti admin demo proxy
'

# library header: the only files that may include it.
libraries='
uv.h:             base/loop* base/stream*
base/loop_uv.h:   base/loop* base/stream*
llhttp.h:         base/http1*
openssl/*:        base/tls* rules/transform* admin/auth* proxy/challenge*
nghttp2/*:        base/http2*
hs.h:             base/matcher_hs*
hs/*:             base/matcher_hs*
pcre2.h:          base/regex* base/matcher_plain*
yaml.h:           base/yaml*
jansson.h:        base/json*
sqlite3.h:        base/store* cti/alerts* cti/keys* admin/audit* admin/rows* admin/users* admin/sessions* admin/tokens* admin/archive* admin/suggest_load* admin/series*
libxml/*:         rules/*xml*
libinjection*:    rules/*injection*
modsecurity/*:    tests/*
hiredis/*:        cti/redis*
urcu*:            cti/*
maxminddb.h:      cti/geo*
'

# What a folder shows to the others.
public='rules/rules.h rules/seclang.h rules/form.h scenarios/scenarios.h scenarios/facts.h scenarios/logs.h scenarios/bucket.h scenarios/profile.h cti/cti.h cti/ledger.h cti/share.h cti/share_ask.h cti/redis.h cti/lists.h cti/list_read.h cti/list_write.h cti/geo.h cti/guard.h cti/alerts.h cti/keys.h cti/lapi.h cti/lapi_client.h cti/signal.h admin/admin.h admin/client_hooks.h admin/archive.h admin/series.h admin/edit_hooks.h admin/notify_hooks.h admin/rules_hooks.h admin/replay.h demo/shop.h'

# These two answer in REPLY: a subshell for each include would take seconds.
part_of() {
	case $1 in
	base/loop* | base/stream* | base/tls* | base/ja4* | base/http* | base/fetch* | base/serve* | base/syslog.* | base/syslog_[pw]*) REPLY=base_wire ;;
	base/store*) REPLY=base_store ;;
	base/matcher* | base/regex* | base/expr*) REPLY=base_match ;;
	*) REPLY=${1%%/*} ;;
	esac
}

# right_side TABLE KEY: what stands behind the first line whose pattern fits.
right_side() {
	local pattern rest
	while IFS=': ' read -r pattern rest; do
		if [[ $pattern && $2 == $pattern ]]; then
			REPLY=$rest
			return
		fi
	done <<<"$1"
	return 1
}

# fits WORD PATTERN...
fits() {
	local word=$1 pattern
	for pattern in "${@:2}"; do
		[[ $word != $pattern ]] || return 0
	done
	return 1
}

# offence FILE HEADER: prints why FILE may not include HEADER; nothing if it may.
offence() {
	local file=$1 header=$2 from to
	part_of "$file" && from=$REPLY
	part_of "$header" && to=$REPLY
	if right_side "$libraries" "$header"; then
		fits "$file" $REPLY || echo "$file: <$header> is only for $REPLY"
	elif ! right_side "$arrows" "$to"; then
		return # the C library's
	elif right_side "$arrows" "$from" && ! fits "$to" $REPLY; then
		echo "$file: $from must not know $to ($header)"
	elif [[ $from != "$to" && $to != base* ]] && ! fits "$header" $public; then
		echo "$file: $header is private to $to/"
	fi
}

# offences ROOT: one line each.
offences() {
	local file header folders=(base rules scenarios cti admin demo proxy)
	local include='^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+'
	cd "$1"
	{ grep -roHE "$include" --include='*.[ch]' -- "${folders[@]}" 2>/dev/null || true; } |
		sed -E 's/^([^:]*):.*[<"]/\1 /' |
		while read -r file header; do offence "$file" "$header"; done
}

# A tree of one-line files: "file header" on each line of the input.
plant() {
	local root=$1 file header
	while read -r file header; do
		mkdir -p "$root/${file%/*}"
		echo "#include \"$header\"" >>"$root/$file"
	done
}

self_check() {
	local tree found
	tree=$(mktemp -d)
	plant "$tree/bad" <<-'END'
		base/bytes.c uv.h
		base/http1.c openssl/ssl.h
		base/json.c base/stream.h
		base/matcher_hs.c base/tls.h
		base/request.c rules/rules.h
		rules/inspect.c base/stream.h
		rules/inspect.c scenarios/scenarios.h
		rules/body/json.c cti/cti.h
		cti/feed.c admin/admin.h
		demo/shop.c rules/rules.h
		admin/server.c proxy/config.h
		proxy/main.c uv.h
		proxy/main.c rules/ruleset.h
		rules/operators.c pcre2.h
	END
	plant "$tree/good" <<-'END'
		base/stream.c uv.h
		base/http1_body.c llhttp.h
		base/matcher_hs.c hs.h
		base/tls.c base/stream.h
		rules/inspect.c base/matcher.h
		rules/inspect.c rules/ruleset.h
		rules/body/xml.c libxml/xmlreader.h
		cti/feed.c base/fetch.h
		admin/server.c rules/rules.h
		proxy/main.c proxy/config.h
		proxy/main.c demo/shop.h
		proxy/main.c stdio.h
	END
	found=$(offences "$tree/bad" | wc -l)
	[[ $found = 14 ]] || { offences "$tree/bad"; echo "arrows: sees $found of 14 bad includes"; exit 1; }
	found=$(offences "$tree/good")
	[[ -z $found ]] || { echo "arrows: complains without cause: $found"; exit 1; }
	rm -rf "$tree"
}

self_check
found=$(offences .)
if [[ $found ]]; then
	echo "$found"
	exit 1
fi
echo 'arrows: every include follows them'
