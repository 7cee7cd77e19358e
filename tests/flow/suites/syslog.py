"""syslog.py -- lines of the log as syslog, to receivers that are there, slow, gone, back, or not who they should be."""
import contextlib
import json
import os
import socket
import tempfile
import time

from lib import api, certs
from lib.claims import claim, eventually, expect, within
from lib.gate import Gate, one_app
from lib.origin import Origin
from lib.syslogd import Syslogd

ATTACK = "/.git/config"
# The attacks of one address would be held: what is counted here are lines.
CALM = {"scenarios": {"packs": "off"}}


@contextlib.contextmanager
def stand(to, **syslog):
    """A gate whose access log is a file and whose alerts go to syslog."""
    with Origin() as origin, Gate(start=False, config={}) as gate:
        gate.write({**one_app(origin.url), **CALM, "log": {"access": "off", "security": gate.path("security.log"),
                                                           "syslog": {"to": to, **syslog}}})
        gate.start()
        yield gate


def attack(gate, n=1):
    """The ids of so many refused requests."""
    ids = []
    with gate.connect() as client:
        for _ in range(n):
            got = client.ask(target=ATTACK)
            expect(got.status, 403)
            ids.append(got.fields.get("x-request-id"))
    return ids


def ids_of(receiver):
    return [message.data["id"] for message in receiver.messages]


def has(receiver, ids, seconds=10):
    eventually(lambda: set(ids) <= set(ids_of(receiver)), seconds, f"{len(ids)} messages")


def dropped(gate):
    return gate.metrics()['embergate_events_dropped_total{sink="syslog"}']


@claim
def an_alert_is_a_message_over_each_transport():
    with tempfile.TemporaryDirectory() as folder:
        cert, key = certs.make(folder, "127.0.0.1")
        for transport, more in ("udp", {}), ("tcp", {}), ("tls", {"ca": cert}):
            with Syslogd(transport, cert=cert, key=key) as receiver, stand(receiver.to, facility="local3", **more) as gate:
                expect(gate.ask(target="/plain").status, 200)
                ids = attack(gate, 3)
                has(receiver, ids)
                message = receiver.messages[0]
                expect(ids_of(receiver), ids, transport)
                expect((message.priority, message.app, message.kind), (19 * 8 + 4, "embergate", "alert"))
                expect(message.data["app"], "shop")
                event = json.loads(message.text)
                expect((event["event"]["id"], event["event"]["action"]), (ids[0], "deny"))
                expect(message.time, event["@timestamp"])
                gate.logged("security", ids[0])  # beside the file
                assert receiver.to in gate.ctl("privacy").stdout, "privacy does not name it"
                expect(dropped(gate), 0)


@claim
def a_test_is_a_line_and_how_it_goes_is_told():
    def outlet(gate):
        (one,) = api.ask(gate, "GET", "/notify")[1]["items"]
        return one

    with Syslogd("tcp") as receiver, stand(receiver.to) as gate:
        expect([outlet(gate)[k] for k in ("kind", "to", "events", "state", "waiting")], ["syslog", receiver.to, ["alert"], "untried", 0])
        status, told = api.ask(gate, "POST", f"/notify/{outlet(gate)['id']}/test")
        expect((status, told["taken"]), (200, True), str(told))
        eventually(lambda: receiver.messages, 10, "the line")
        expect((receiver.messages[0].kind, json.loads(receiver.messages[0].text)["event"]["action"]), ("test", "test"))
        eventually(lambda: outlet(gate)["state"] == "good", 5, "its state")
    with socket.socket() as silent:  # its port is nobody else's, and nobody listens there
        silent.bind(("127.0.0.1", 0))
        with stand(f"tcp:127.0.0.1:{silent.getsockname()[1]}") as gate:
            attack(gate)
            eventually(lambda: outlet(gate)["state"] == "failing" and outlet(gate)["waiting"] > 0, 10, "its state")


@claim
def requests_go_too_when_asked_and_cef_is_cef():
    with Syslogd("tcp") as receiver, stand(receiver.to, access=True, format="cef") as gate:
        plain = gate.ask(target="/plain").fields.get("x-request-id")
        stopped = attack(gate)[0]
        has(receiver, [plain, stopped])
        first, second = receiver.messages
        expect((first.kind, first.priority), ("access", 16 * 8 + 6))
        expect((second.kind, second.priority), ("alert", 16 * 8 + 4))
        assert first.text.startswith("CEF:0|") and stopped in second.text, second.text


@claim
def what_clients_send_cannot_break_a_message():
    with Syslogd("tcp") as tcp, stand(tcp.to, access=True) as gate:
        for target in ('/a"]b', "/a%0d%0a<0>1 x", "/" + "a" * 6000, "/]\\"):
            with gate.connect() as client:
                client.send(b"GET " + target.replace(" ", "%20").encode() + b" HTTP/1.1\r\nHost: t.example\r\nUser-Agent: \xff]\"\t\xe2\x80\xa8\r\n\r\n")
                client.response()
        eventually(lambda: len(tcp.messages) == 4, 10, "four messages")
        expect(tcp.faults, [])


@claim
def over_udp_a_message_is_bounded():
    with Syslogd("udp") as receiver, stand(receiver.to) as gate:
        gate.ask(target=ATTACK + "?" + "x" * 6000)
        eventually(lambda: receiver.raw, 10, "a message")
        assert len(receiver.raw[0]) <= 2048, len(receiver.raw[0])
        expect(receiver.faults, [])
    with Syslogd("udp") as receiver, stand(receiver.to, max="700") as gate:
        gate.ask(target=ATTACK + "?" + "x" * 6000)
        eventually(lambda: receiver.raw, 10, "a message")
        assert 690 <= len(receiver.raw[0]) <= 700, len(receiver.raw[0])


@claim(limit=90)
def a_receiver_that_is_down_costs_nothing_and_gets_all_when_it_is_up():
    for transport in "tcp", "udp":
        receiver = Syslogd(transport)
        with stand(receiver.to) as gate:
            started = time.monotonic()
            ids = attack(gate, 50)
            within(10, started, "50 answers")
            time.sleep(1)
            with receiver:
                has(receiver, ids[-40:] if transport == "udp" else ids, 20)  # a datagram tells no sender that nobody is there
                ids = attack(gate, 5)
                has(receiver, ids)
                expect(dropped(gate), 0)
            said = gate.text("stderr")
            assert "syslog" in said and "takes lines again" in said, said


@claim(limit=90)
def a_receiver_that_is_restarted_gets_the_rest():
    with tempfile.TemporaryDirectory() as folder:
        cert, key = certs.make(folder, "127.0.0.1")
        for transport, more in ("tcp", {}), ("tls", {"ca": cert}):
            receiver = Syslogd(transport, cert=cert, key=key)
            with receiver, stand(receiver.to, **more) as gate:
                has(receiver, attack(gate, 3))
                receiver.stop()
                time.sleep(0.3)
                lost = attack(gate, 20)  # the end of the connection is seen before the next message
                time.sleep(0.3)
                receiver.start()
                has(receiver, lost, 20)
                expect(receiver.connections, 2)
                expect(len(ids_of(receiver)), len(set(ids_of(receiver))), "no message comes twice")


@claim(limit=120)
def a_receiver_that_does_not_read_stalls_nothing_and_is_counted():
    with Syslogd("tcp", reads=False) as receiver, stand(receiver.to, access=True) as gate:
        eventually(lambda: attack(gate) and receiver.connections, 10, "a connection")
        started = time.monotonic()
        with gate.connect() as client:
            for _ in range(3000):
                expect(client.ask(target="/" + "a" * 6000).status, 200)
        within(60, started, "3000 answers")
        eventually(lambda: dropped(gate) > 0, 20, "dropped messages")
        gate.logged("security", attack(gate)[0])  # the files go on
        started = time.monotonic()
    within(30, started, "the end")


@claim(limit=90)
def a_receiver_that_is_not_who_it_should_be_gets_nothing():
    with tempfile.TemporaryDirectory() as folder:
        right, _ = certs.make(folder, "127.0.0.1")
        other = f"{folder}/other"
        os.mkdir(other)
        strange = certs.make(other, "127.0.0.1")
        named = certs.make(folder, "elsewhere.example")
        for (cert, key), ca in (strange, right), (named, named[0]):
            with Syslogd("tls", cert=cert, key=key) as receiver, stand(receiver.to, ca=ca) as gate:
                attack(gate, 3)
                eventually(lambda: "certificate refused" in gate.text("stderr"), 10, "the reason")
                expect(receiver.raw, [])
                expect(gate.text("stderr").count("certificate refused"), 1, "told once")
        with Syslogd("tcp", strict=False) as plain, stand(f"tls:127.0.0.1:{plain.port}", ca=right) as gate:
            attack(gate)
            eventually(lambda: plain.connections, 10, "a try")
            time.sleep(0.5)
            expect(plain.messages, [])


@claim(limit=60)
def a_reload_keeps_the_connection_or_goes_elsewhere():
    with Syslogd("tcp") as first, Syslogd("tcp") as second, stand(first.to) as gate:
        has(first, attack(gate, 2))
        assert gate.reload()
        has(first, attack(gate, 2))
        expect(first.connections, 1)
        gate.config["log"]["syslog"] = {"to": second.to}
        assert gate.reload(gate.config)
        ids = attack(gate, 2)
        has(second, ids)
        assert not set(ids) & set(ids_of(first)), "the old one got them too"


@claim(limit=60)
def what_is_held_is_sent_at_the_end():
    with Syslogd("tcp") as receiver:
        with stand(receiver.to) as gate:
            ids = attack(gate, 200)
            gate.stop()
        has(receiver, ids)
