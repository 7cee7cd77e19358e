"""dashboard.py -- the dashboard's files as they are served: what a browser may keep, and what must not come with them."""
import gzip
import os
import re

from lib.claims import Skipped, claim, expect
from lib.gate import CALM, Gate, one_app
from lib.origin import Origin

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
          "frame-ancestors 'none'; base-uri 'none'")


def gate_with_pages(origin, *options):
    gate = Gate(one_app(origin.url, waf=CALM), options=options)
    if not options and get(gate, "/").fields.get("content-type").startswith("text/plain"):
        gate.__exit__(None, None, None)
        raise Skipped("this gate was built without the dashboard")
    return gate


def get(gate, target, *fields, method="GET"):
    with gate.connect(port=gate.admin_port) as client:
        return client.ask(method, target, fields, host=f"127.0.0.1:{gate.admin_port}")


def names(page):
    return sorted(set(re.findall(r'"(/[^"]+)"', page)))


@claim
def every_file_of_the_page_is_there_and_is_guarded():
    with Origin() as origin, gate_with_pages(origin) as gate:
        page = get(gate, "/")
        for name in ["/", *names(page.text)]:
            got = get(gate, name)
            expect(got.status, 200, name)
            expect(got.fields.get("content-security-policy"), POLICY, name)
            expect(got.fields.get("x-frame-options"), "DENY", name)
            expect(got.fields.get("x-content-type-options"), "nosniff", name)
            expect(got.fields.get("cross-origin-resource-policy"), "same-origin", name)
            expect(got.fields.get("cross-origin-opener-policy"), "same-origin", name)
            assert "camera=()" in got.fields.get("permissions-policy"), name
        assert "<script>" not in page.text and "http" not in "".join(names(page.text)), page.text


@claim
def what_has_a_hash_in_its_name_is_kept_and_the_page_is_asked_for_again():
    with Origin() as origin, gate_with_pages(origin) as gate:
        page = get(gate, "/")
        script = next(name for name in names(page.text) if name.startswith("/assets/main") and name.endswith(".js"))
        expect(page.fields.get("cache-control"), "no-cache")
        expect(get(gate, script).fields.get("cache-control"), "public, max-age=31536000, immutable")
        for name in ("/", script):
            again = get(gate, name, "If-None-Match: " + get(gate, name).fields.get("etag"))
            expect((again.status, again.body), (304, b""), name)
            expect(get(gate, name, 'If-None-Match: W/"other"').status, 200, name)
        expect(get(gate, script, method="HEAD").body, b"")
        expect(get(gate, script, method="POST").status, 405)


@claim
def who_cannot_read_gzip_gets_the_same_bytes():
    with Origin() as origin, gate_with_pages(origin) as gate:
        for name in ["/", *names(get(gate, "/").text)]:
            plain, packed = get(gate, name), get(gate, name, "Accept-Encoding: br, gzip")
            expect(plain.fields.get("content-encoding"), None, name)
            expect(packed.fields.get("content-encoding"), "gzip", name)
            expect(packed.fields.get("vary"), "Accept-Encoding", name)
            assert gzip.decompress(packed.body) == plain.body, name
        expect(get(gate, "/", "Accept-Encoding: gzip;q=0").fields.get("content-encoding"), None)


@claim
def other_paths_are_not_found_and_other_hosts_are_not_answered():
    with Origin() as origin, gate_with_pages(origin) as gate:
        for name in ("/index.html", "/assets/", "/assets/main.js", "/assets/..%2fetc", "//", "/assets/../metrics"):
            assert get(gate, name).status in (400, 404), name
        with gate.connect(port=gate.admin_port) as client:
            expect(client.ask("GET", "/", (), host="rebound.example").status, 403)


@claim
def a_directory_of_pages_is_served_and_nothing_beside_it():
    with Origin() as origin, Gate(one_app(origin.url, waf=CALM), options=("--ui-dir", "pages/dist"), start=False) as gate:
        os.makedirs(gate.path("pages/dist/assets"))
        for name, text in (("dist/index.html", "<p>ours"), ("dist/assets/a-1.js", "1"), ("secret", "no"), ("dist/.hidden", "no")):
            with open(gate.path("pages/" + name), "w", encoding="ascii") as out:
                out.write(text)
        os.symlink("../secret", gate.path("pages/dist/link"))
        os.mkfifo(gate.path("pages/dist/fifo"))
        gate.start()
        page = get(gate, "/")
        expect((page.status, page.body, page.fields.get("cache-control")), (200, b"<p>ours", "no-cache"))
        expect(page.fields.get("content-security-policy"), POLICY)
        expect(get(gate, "/assets/a-1.js").fields.get("content-type"), "text/javascript; charset=utf-8")
        for name in ("/../secret", "/assets/../../secret", "/%2e%2e/secret", "/..%2fsecret", "/./../secret", "/.hidden", "/link",
                     "/fifo", "//etc/passwd", "/assets", "/assets/", "/..", "/" + "a" * 5000, "/a\\..\\secret", "/none"):
            got = get(gate, name)
            assert got.status in (400, 404, 414, 431), f"{name[:40]}: {got.status}"
            assert got.body != b"no", name
