#!/bin/bash
# Builds the Debian packages from build/release and installs them into a root of
# their own, with their maintainer scripts: they hold what they should, the program
# reads the configuration that comes with it, a fault in that stops no upgrade, and
# purging leaves nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

release=build/release
root=$(mktemp -d)
trap 'rm -rf "$root" "$root.log"' EXIT

fail() {
	echo "package: $*" >&2
	exit 1
}

[[ -e $release/build.ninja ]] || cmake --preset release >/dev/null
ninja -C $release --quiet
rm -rf $release/packages
(cd $release && cpack) >$release/cpack.log 2>&1 || { cat $release/cpack.log; fail 'cpack failed'; }
gate=$(echo $release/packages/embergate_*.deb)
rules=$(echo $release/packages/embergate-rules_*_all.deb)

[[ -e $gate && -e $rules ]] || fail 'two packages were expected'
depends=$(dpkg-deb --field "$gate" Depends)
[[ $depends == *libuv1* ]] || fail 'the gate names no libraries'
[[ $depends == *'embergate-rules (= '* ]] || fail 'the gate goes without rules'

# The dependencies are this machine's, so dpkg must not look for them in the root.
in_root() {
	PATH=$PATH:/usr/sbin:/sbin dpkg --root="$root" --force-script-chrootless --force-depends \
		--log=/dev/null "$@" >"$root.log" 2>&1 || { cat "$root.log"; return 1; }
}
mkdir -p "$root/var/lib/dpkg"/{info,updates,triggers}
touch "$root/var/lib/dpkg/status"
in_root --install "$rules" "$gate" || fail 'it does not install'

for file in usr/bin/embergate lib/systemd/system/embergate.service etc/embergate/embergate.yaml \
	usr/share/man/man8/embergate.8.gz usr/share/man/man8/embergate-ctl.8.gz \
	usr/share/bash-completion/completions/embergate \
	usr/share/doc/embergate/examples/embergate.json usr/share/doc/embergate/copyright; do
	[[ -s $root/$file ]] || fail "/$file is not in the package"
done
compgen -G "$root/usr/share/embergate/packs/*.yaml" >/dev/null || fail 'no rule packs'
compgen -G "$root/usr/share/embergate/scenarios/*.yaml" >/dev/null || fail 'no scenarios'
compgen -G "$root/usr/share/embergate/scenarios/*.txt" >/dev/null || fail 'no lists for the scenarios'
[[ -z $(find "$root/usr" "$root/etc" -perm /022 ! -type l) ]] || fail 'others may write to files'

yaml=$root/etc/embergate/embergate.yaml
"$root/usr/bin/embergate" check -c "$yaml" || fail 'the configuration that comes with it is refused'

echo 'nonsense: true' >>"$yaml"
in_root --install "$gate" || fail 'a faulty configuration stops an upgrade'
grep -q nonsense "$yaml" || fail 'an upgrade overwrites the configuration'

in_root --purge embergate embergate-rules || fail 'it does not go away'
[[ ! -e $root/etc/embergate && ! -e $root/usr/bin/embergate ]] || fail 'purging leaves files'

if command -v systemd-analyze >/dev/null; then
	systemd-analyze security --no-pager --offline=true packaging/embergate.service |
		tail -n 1
fi
if command -v lintian >/dev/null; then
	# The project has no mail host yet.
	no_mail=bogus-mail-host,bogus-mail-host-in-debian-changelog
	lintian --suppress-tags "$no_mail" --fail-on error "$gate" "$rules" ||
		fail 'lintian found errors'
fi
echo 'package: sound'
