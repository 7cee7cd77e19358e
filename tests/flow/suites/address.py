"""address.py -- who the client is: PROXY protocol, trusted hops, and what the origin is told."""
from lib.claims import claim, expect
from lib.client import request
from lib.gate import Gate, one_app
from lib.origin import Origin
from lib.proxy_header import v1, v2

LOCAL = ["127.0.0.0/8", "::1"]


def forwarded(fields=(), top=None, before=b"", **app):
    """What the origin is told about one request."""
    with Origin() as origin, Gate(one_app(origin.url, top, **app)) as gate, gate.connect(
        before=before
    ) as client:
        expect(client.ask(fields=fields).status, 200)
        return origin.requests[0].fields


def trusting(header="auto"):
    return {"client_ip": {"trust": LOCAL, "header": header}}


@claim
def what_a_stranger_says_about_its_address_is_ignored():
    told = forwarded(
        [
            "X-Forwarded-For: 9.9.9.9",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Host: evil.example",
            "X-Real-IP: 9.9.9.9",
            "Forwarded: for=9.9.9.9;proto=https",
        ]
    )
    expect(told.all("x-forwarded-for"), [b"127.0.0.1"])
    expect(told.all("x-forwarded-proto"), [b"http"])
    expect(told.all("x-forwarded-host"), [b"t.example"])
    assert b"9.9.9.9" not in b" ".join(v for _, v in told), told
    expect(told.all("forwarded"), [b"for=127.0.0.1;host=t.example;proto=http"])


@claim
def the_chain_is_walked_from_the_right_over_trusted_hops():
    chain = "X-Forwarded-For: 6.6.6.6, 203.0.113.7, 127.0.0.9"
    told = forwarded([chain], trusting())
    last = told.get("x-forwarded-for").split(", ")
    expect(last[-1], "127.0.0.1", "the hop that connected")
    with Origin() as origin, Gate(one_app(origin.url, trusting())) as gate:
        got = gate.ask(fields=[chain])
        line = gate.logged("access", got.fields.get("x-request-id"))
        expect(
            line["client"]["ip"], "203.0.113.7", "the first hop from the right that is not trusted"
        )
        expect(line["source"]["ip"], "127.0.0.1")


def client_of(fields, header="auto"):
    with Origin() as origin, Gate(one_app(origin.url, trusting(header))) as gate:
        got = gate.ask(fields=fields)
        return gate.logged("access", got.fields.get("x-request-id"))["client"]["ip"]


@claim
def several_fields_are_one_list():
    expect(client_of(["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 203.0.113.7"]), "203.0.113.7")


@claim
def garbage_in_the_chain_stops_there():
    expect(client_of(["X-Forwarded-For: 203.0.113.7, garbage"]), "127.0.0.1")
    expect(client_of(["X-Forwarded-For: "]), "127.0.0.1")


@claim
def addresses_may_have_ports_brackets_and_be_mapped():
    for written, meant in (
        ("203.0.113.7:1234", "203.0.113.7"),
        ("[2001:db8::7]:99", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
    ):
        expect(client_of([f"X-Forwarded-For: {written}"]), meant, written)


@claim
def forwarded_is_read_too():
    expect(
        client_of(['Forwarded: for="[2001:db8::7]:80";proto=https, for=127.0.0.5'], "forwarded"),
        "2001:db8::7",
    )
    expect(
        client_of(["Forwarded: for=203.0.113.7;by=_x", "X-Forwarded-For: 6.6.6.6"], "forwarded"),
        "203.0.113.7",
    )
    expect(
        client_of(["X-Real-IP: 203.0.113.7", "X-Forwarded-For: 6.6.6.6"], "x-real-ip"),
        "203.0.113.7",
    )


@claim
def header_off_takes_the_connection():
    expect(client_of(["X-Forwarded-For: 203.0.113.7"], "off"), "127.0.0.1")


@claim
def an_app_may_trust_other_hops():
    with Origin() as origin, Gate(one_app(origin.url, client_ip={"trust": LOCAL})) as gate:
        got = gate.ask(fields=["X-Forwarded-For: 203.0.113.7"])
        expect(gate.logged("access", got.fields.get("x-request-id"))["client"]["ip"], "203.0.113.7")


@claim
def a_trusted_hop_may_say_that_it_was_https():
    told = forwarded(
        [
            "X-Forwarded-For: 203.0.113.7",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Host: front.example",
        ],
        trusting(),
    )
    expect(told.all("x-forwarded-proto"), [b"https"])


@claim
def ipv6_is_written_as_the_rfc_wants():
    with Origin() as origin, Gate(one_app(origin.url), start=False) as gate:
        gate.write(
            {
                **one_app(origin.url),
                "listen": [{"bind": f"[::1]:{gate.port}"}, {"bind": f"127.0.0.1:{gate.port}"}],
            }
        )
        gate.start()
        with gate.connect(host="::1") as client:
            expect(client.ask().status, 200)
        told = origin.requests[0].fields
        expect(told.all("x-forwarded-for"), [b"::1"])
        expect(told.get("forwarded").split(";")[0], 'for="[::1]"')


# PROXY protocol


class Proxied(Gate):
    def __init__(self, origin, version="on", trusted=("127.0.0.0/8",), top=None):
        self.version, self.trusted = version, list(trusted)
        super().__init__(one_app(origin.url, top))

    def filled(self, config):
        listen = [
            {"bind": f"127.0.0.1:{self.port}", "proxy_protocol": self.version, "from": self.trusted}
        ]
        return super().filled({"listen": listen, **config})


@claim
def a_proxy_header_of_either_version_names_the_client():
    with Origin() as origin, Proxied(origin) as gate:
        for before, meant in (
            (v1(), "203.0.113.7"),
            (v1("2001:db8::7", "TCP6", "::1"), "2001:db8::7"),
            (v2(), "203.0.113.7"),
            (v2("2001:db8::7"), "2001:db8::7"),
            (v2(extra=b"\x04\x00\x03abc"), "203.0.113.7"),
            (v2(extra=bytes(400)), "203.0.113.7"),
        ):
            with gate.connect(before=before) as client:
                got = client.ask(target="/x")
                expect(got.status, 200, before)
                told = origin.requests[-1].fields
                expect(told.get("x-forwarded-for").split(", ")[0], meant)
                expect(gate.logged("access", got.fields.get("x-request-id"))["client"]["ip"], meant)
                expect(client.ask(target="/y").status, 200, "the next request on the connection")


@claim
def local_and_unknown_mean_the_connection_itself():
    with Origin() as origin, Proxied(origin) as gate:
        for before in (
            b"PROXY UNKNOWN\r\n",
            b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
            v2(command=0),
            b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00",
        ):
            with gate.connect(before=before) as client:
                expect(client.ask().status, 200, before)
            expect(origin.requests[-1].fields.get("x-forwarded-for"), "127.0.0.1")


@claim
def a_header_in_single_bytes_is_read():
    with Origin() as origin, Proxied(origin) as gate:
        for before in (v1(), v2()):
            with gate.connect() as client:
                whole = before + request()
                client.send(
                    *[whole[i : i + 1] for i in range(len(before) + 5)],
                    whole[len(before) + 5 :],
                    pause=0.003,
                )
                expect(client.response().status, 200)
                expect(origin.requests[-1].fields.get("x-forwarded-for"), "203.0.113.7")


@claim
def a_bad_or_missing_proxy_header_is_cut():
    bad = [
        b"",
        b"PROXY TCP4 203.0.113.7 127.0.0.1 40000\r\n",
        b"PROXY TCP4 203.0.113.700 127.0.0.1 1 2\r\n",
        b"PROXY TCP4 203.0.113.7 127.0.0.1 70000 80\r\n",
        b"PROXY TCP4 203.0.113.7 127.0.0.1 1 2\n",
        b"PROXY  TCP4 203.0.113.7 127.0.0.1 1 2\r\n",
        b"proxy TCP4 203.0.113.7 127.0.0.1 1 2\r\n",
        b"PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
        b"PROXY " + b"A" * 200 + b"\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\x00\x0c" + bytes(12),
        b"\r\n\r\n\0\r\nQUIT\n\x22\x11\x00\x0c" + bytes(12),
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x04" + bytes(4),
    ]
    with Origin() as origin, Proxied(origin) as gate:
        for before in bad:
            with gate.connect() as client:
                client.try_send(before + request())
                assert client.end(3), f"{before!r} was not cut"
                assert b" 200 " not in client.received, f"{before!r} was served"
        expect(origin.received, b"")


@claim
def a_proxy_header_of_the_other_version_is_cut():
    with Origin() as origin:
        for version, bad in (("v1", v2()), ("v2", v1())):
            with Proxied(origin, version) as gate, gate.connect(before=bad) as client:
                client.try_send(request())
                client.end(3)
                assert b" 200 " not in client.received
        expect(origin.received, b"")


@claim
def an_untrusted_peer_is_not_served_on_that_listener():
    with Origin() as origin, Proxied(origin, trusted=("192.0.2.0/24",)) as gate:
        for before in (v1(), v2(), b""):
            with gate.connect(before=before) as client:
                client.try_send(request())
                client.end(3)
                assert b" 200 " not in client.received, f"{before!r} was served"
        expect(origin.received, b"")


@claim
def a_proxy_header_on_a_plain_listener_is_a_bad_request():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        for before in (v1(), v2()):
            with gate.connect() as client:
                client.send(before + request())
                expect(client.response().status, 400)
        expect(origin.received, b"")


@claim
def the_address_of_the_proxy_header_counts_for_rules_and_limits():
    rules = [{"name": "office", "path": "/admin*", "not_from": ["203.0.113.0/24"], "do": "deny"}]
    with Origin() as origin, Proxied(origin) as gate:
        gate.write(one_app(origin.url, rules=rules))
        assert gate.reload()
        with gate.connect(before=v1("203.0.113.9")) as client:
            expect(client.ask(target="/admin").status, 200)
        with gate.connect(before=v1("198.51.100.9")) as client:
            expect(client.ask(target="/admin").status, 403)
