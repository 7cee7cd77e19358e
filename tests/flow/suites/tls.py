"""tls.py -- TLS towards clients and towards origins."""
import os
import socket
import ssl
import tempfile
import time

from lib import certs
from lib.claims import claim, eventually, expect, within
from lib.client import request, trusting
from lib.gate import Gate, one_app
from lib.origin import Origin, answer
from lib.ports import free_port
from lib.secure import Secure
from lib.websocket import accepted, frame, upgrade


@claim
def each_name_gets_its_own_certificate():
    with Origin() as origin, Secure(origin) as gate:
        for name in ("one.example", "two.example", "one.example"):
            with gate.secure(name) as client:
                expect(client.ask(host=name).status, 200)
        with gate.connect(tls=trusting(), name="other.example") as client:
            expect(
                client.ask(host="other.example").status,
                200,
                "an unknown name gets the first certificate",
            )


@claim
def http11_is_agreed_on_and_http2_alone_is_not():
    with Origin() as origin, Secure(origin) as gate:
        with gate.secure(alpn=("h2", "http/1.1")) as client:
            expect(client.sock.selected_alpn_protocol(), "http/1.1")
            expect(client.ask().status, 200)
        with gate.secure(alpn=()) as client:
            expect(client.sock.selected_alpn_protocol(), None)
            expect(client.ask().status, 200)
        try:
            with gate.secure(alpn=("h2",)) as client:
                assert client.sock.selected_alpn_protocol() != "h2"
        except ssl.SSLError as refusal:
            assert "no application protocol" in str(refusal), refusal


@claim
def connections_are_told_by_what_they_do():
    def told(gate):
        of = f'embergate_connections{{listener="127.0.0.1:{gate.port}",state='
        return [int(gate.metrics()[f'{of}"{state}"}}']) for state in ("handshake", "idle", "open")]

    with Origin(lambda _: time.sleep(3) or answer(200, b"")) as origin, Secure(origin) as gate:
        expect(told(gate), [0, 0, 0])
        with socket.create_connection(("127.0.0.1", gate.port), 10), gate.secure() as client:
            eventually(lambda: told(gate) == [1, 1, 0], 5, f"one shakes hands, one idles: {told(gate)}")
            client.send(request())
            eventually(lambda: told(gate) == [1, 0, 1], 2, f"one shakes hands, one is at work: {told(gate)}")
        eventually(lambda: told(gate) == [0, 0, 0], 10, f"none: {told(gate)}")


@claim
def tls_12_and_13_are_spoken_and_nothing_older():
    with Origin() as origin, Secure(origin) as gate:
        for version, name in (
            (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
            (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
        ):
            with gate.secure(low=version, high=version) as client:
                expect(client.sock.version(), name)
                expect(client.ask().status, 200)
        context = trusting(low=ssl.TLSVersion.TLSv1, high=ssl.TLSVersion.TLSv1_1)
        context.set_ciphers("ALL:@SECLEVEL=0")
        refuses(gate, context)


def refuses(gate, context):
    try:
        gate.connect(tls=context).close()
    except (ssl.SSLError, ConnectionError):
        return
    raise AssertionError("the handshake succeeded")


@claim
def the_oldest_version_may_be_raised():
    with Origin() as origin, Secure(origin, {"tls": {"min": "1.3"}}) as gate:
        refuses(gate, trusting(high=ssl.TLSVersion.TLSv1_2))
        with gate.secure() as client:
            expect(client.sock.version(), "TLSv1.3")


@claim
def sessions_are_resumed_in_both_versions():
    with Origin() as origin, Secure(origin) as gate:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = trusting(gate.authorities["one.example"], low=version, high=version)
            session, resumed = None, 0
            for _ in range(6):
                with socket.create_connection(
                    ("127.0.0.1", gate.port)
                ) as plain, context.wrap_socket(
                    plain, server_hostname="one.example", session=session
                ) as sock:
                    sock.sendall(request(fields=["Connection: close"]))
                    while sock.recv(65536):
                        pass
                    resumed += sock.session_reused
                    session = sock.session
            expect(resumed, 5, f"resumed sessions with {version.name}, over all workers")


@claim
def a_name_without_a_certificate_gets_a_self_signed_one_that_lasts():
    def shown(gate):
        with gate.connect(tls=trusting(), name="shop.example") as client:
            expect(client.ask(host="shop.example").status, 200)
            return client.sock.getpeercert(True)

    with Origin() as origin:
        config = {"apps": {"shop": {"hosts": ["shop.example"], "upstream": origin.url}}}
        with Gate(config, start=False) as gate:
            gate.write({"listen": [{"bind": f"127.0.0.1:{gate.port}", "tls": True}], **config})
            gate.start()
            first = shown(gate)
            assert "shop.example" in certs.names_of(first), certs.names_of(first)
            keys = [
                os.path.join(where, name)
                for where, _, names in os.walk(gate.path("state"))
                for name in names
                if "PRIVATE KEY" in open(os.path.join(where, name), encoding="latin-1").read()
            ]
            assert keys, "the key is not kept"
            for name in keys:
                expect(os.stat(name).st_mode & 0o077, 0, f"rights of others on {name}")
            gate.stop()
            gate.start()
            expect(shown(gate), first, "the certificate after a restart")


@claim
def plain_http_is_redirected_to_https():
    with Origin() as origin, Secure(origin) as gate:
        plain = free_port()
        gate.stop()
        gate.write(
            {
                **one_app(origin.url),
                "listen": [
                    {"bind": f"127.0.0.1:{gate.port}", "tls": True},
                    {"bind": f"127.0.0.1:{plain}", "redirect_https": True},
                ],
            }
        )
        gate.start()
        with gate.connect(port=plain) as client:
            got = client.ask("POST", "/a/b?c=d%20e", host="one.example:8080", body=b"x")
            expect(got.status, 308)
            location = got.fields.get("location")
            assert location.startswith("https://one.example") and location.endswith(
                "/a/b?c=d%20e"
            ), location
        with gate.connect(port=plain) as client:
            expect(
                client.ask(target="//evil.example/")
                .fields.get("location")
                .split("/")[2]
                .split(":")[0],
                "t.example",
            )
        with gate.connect(port=plain) as client:
            client.send(b"GET /a  HTTP/1.1\r\nHost: t.example\r\n\r\n")
            expect(client.response().status, 400, "malformed is malformed there too")
        expect(origin.received, b"")


@claim
def plain_http_on_the_tls_port_gets_no_app():
    with Origin() as origin, Secure(origin) as gate:
        with gate.connect() as client:
            client.send(request())
            assert client.end(3), "the connection stayed open"
        expect(origin.received, b"")
        with gate.secure() as client:
            expect(client.ask().status, 200)


@claim
def garbage_instead_of_a_handshake_is_cut():
    with Origin() as origin, Secure(origin) as gate:
        for garbage in (
            b"\x16\x03\x01\xff\xff" + os.urandom(2000),
            os.urandom(3000),
            b"\x80\x2e\x01\x00\x02",
            b"\0",
        ):
            with gate.connect() as client:
                client.try_send(garbage)
                try:
                    client.finish()
                except OSError:
                    pass
                assert client.end(3), "the connection stayed open"
        with gate.secure() as client:
            expect(client.ask().status, 200)


@claim
def a_handshake_that_never_ends_is_cut_after_the_head_time():
    with Origin() as origin, Secure(origin, {"timeouts": {"head": "1s"}}) as gate:
        with gate.connect() as silent, gate.connect() as half:
            half.send(b"\x16\x03\x01\x02\x00\x01\x00")
            started = time.monotonic()
            for client in (silent, half):
                client.end(5)
            within(4, started, "cutting them")


@claim
def the_end_of_a_tls_answer_is_announced():
    def script(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\nuntil close")

    with Origin(script=script) as origin, Secure(origin) as gate, gate.secure() as client:
        client.send(b"GET / HTTP/1.0\r\nHost: one.example\r\n\r\n")
        got = client.response()
        expect((got.text, got.complete, client.ended), ("until close", True, "fin"))


@claim
def a_cut_tls_answer_does_not_look_complete():
    def script(conn):
        conn.request()
        conn.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        time.sleep(0.3)
        conn.reset()

    with Origin(script=script) as origin, Secure(origin) as gate, gate.secure() as client:
        client.send(b"GET / HTTP/1.0\r\nHost: one.example\r\n\r\n")
        got = client.response()
        assert not got.complete or got.status == 502, f"{got!r}, ended by {client.ended}"


@claim
def large_bodies_pass_through_tls_both_ways():
    with Origin(lambda r: answer(200, bytes(r.body) * 2)) as origin, Secure(
        origin
    ) as gate, gate.secure() as client:
        body = os.urandom(1500000)
        got = client.ask("POST", "/", ["Content-Type: application/octet-stream"], body)
        assert bytes(got.body) == body * 2


@claim
def pipelining_and_small_segments_pass_through_tls():
    with Origin() as origin, Secure(origin) as gate, gate.secure() as client:
        everything = b"".join(request(target=f"/{i}") for i in range(20))
        client.send(*[everything[i : i + 7] for i in range(0, len(everything), 7)])
        for i in range(20):
            expect(client.response().text, f"GET /{i} 0")


@claim
def the_origin_learns_that_it_was_https():
    with Origin() as origin, Secure(origin) as gate, gate.secure() as client:
        client.ask(fields=["X-Forwarded-Proto: http"])
        expect(origin.requests[0].fields.all("x-forwarded-proto"), [b"https"])
        assert "proto=https" in origin.requests[0].fields.get("forwarded")


@claim
def a_proxy_header_comes_before_the_handshake():
    before = b"PROXY TCP4 203.0.113.7 127.0.0.1 40000 443\r\n"
    with Origin() as origin, Secure(origin) as gate:
        listen = [
            {
                "bind": f"127.0.0.1:{gate.port}",
                "tls": True,
                "proxy_protocol": "on",
                "from": ["127.0.0.0/8"],
            }
        ]
        gate.stop()
        gate.write({**gate.config, "listen": listen})
        gate.start()
        with gate.connect(
            tls=trusting(gate.authorities["one.example"]), name="one.example", before=before
        ) as client:
            for _ in range(3):
                expect(client.ask().status, 200)
        told = origin.requests[0].fields
        expect(
            (told.get("x-forwarded-for"), told.get("x-forwarded-proto")), ("203.0.113.7", "https")
        )


@claim
def a_websocket_passes_through_tls():
    def script(conn):
        conn.send(accepted(conn.request()))
        while conn.buffer or conn.more():
            conn.send(conn.take(len(conn.buffer)))

    with Origin(script=script) as origin, Secure(origin) as gate, gate.secure() as client:
        client.send(upgrade()[0])
        expect(client.response(tunnel=True).status, 101)
        sent = frame(os.urandom(200000))
        client.send(sent)
        expect(client.exactly(len(sent)), sent)


@claim
def a_reload_shows_the_new_certificate_and_keeps_connections():
    with Origin() as origin, Secure(origin) as gate, gate.secure() as kept:
        expect(kept.ask().status, 200)
        old = kept.sock.getpeercert(True)
        certs.make(gate.made.name, "one.example")
        assert gate.reload(), "reload"

        def shown():
            with gate.connect(tls=trusting(), name="one.example") as client:
                return client.sock.getpeercert(True)

        eventually(lambda: shown() != old, 3, "the new certificate")
        expect(kept.ask().status, 200, "the old connection")


@claim
def a_missing_or_wrong_certificate_keeps_the_old_one():
    with Origin() as origin, Secure(origin) as gate:
        cert, key = gate.tls["certs"][0]["cert"], gate.tls["certs"][0]["key"]
        good = open(cert, encoding="ascii").read()
        other = certs.make(gate.made.name, "three.example")[0]
        for bad in ("not a certificate", "", open(other, encoding="ascii").read()):
            with open(cert, "w", encoding="ascii") as out:
                out.write(bad)
            done = gate.ctl("reload")
            assert done.returncode == 1, f"reload with {bad[:20]!r}: {done}"
            assert (
                os.path.basename(cert) in done.stderr + done.stdout
                or key in done.stderr + done.stdout
            ), done
            with open(cert, "w", encoding="ascii") as out:
                out.write(good)
            with gate.secure() as client:
                expect(client.ask().status, 200)


@claim
def an_https_origin_is_verified():
    with tempfile.TemporaryDirectory() as folder:
        cert, key = certs.make(folder, "localhost", "127.0.0.1")
        with Origin(tls=certs.server_context(cert, key)) as origin:

            def status(**upstream):
                with Gate(one_app({"servers": [origin.url], **upstream})) as gate:
                    return gate.ask(target="/x").status

            expect(status(), 502, "an unknown authority")
            expect(status(ca=cert), 200, "the authority that is named")
            expect(status(verify=False), 200, "verification off")


@claim
def an_https_origin_of_another_name_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        cert, key = certs.make(folder, "elsewhere.example")
        with Origin(tls=certs.server_context(cert, key)) as origin, Gate(
            one_app({"servers": [origin.url], "ca": cert})
        ) as gate:
            expect(gate.ask().status, 502)
            expect(len(origin.requests), 0)


@claim
def many_handshakes_at_once_all_succeed():
    import threading

    done = []
    with Origin() as origin, Secure(origin) as gate:

        def some():
            for _ in range(10):
                with gate.secure() as client:
                    done.append(client.ask().status)

        threads = [threading.Thread(target=some) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(done, [200] * 80)
