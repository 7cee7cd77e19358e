"""logs.py -- what it says about itself: logs, metrics, health, ctl, explain."""
import contextlib
import json
import os
import pty
import re
import socket
import threading
import time

from lib.claims import claim, eventually, expect, within
from lib.gate import Gate, one_app
from lib.origin import Origin
from lib.wire import Ended


# logs


@claim
def every_request_is_one_json_line_with_its_id():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        got = gate.ask(
            "POST", "/a/b?c=d", ["User-Agent: test/1", "Referer: http://r.example/"], b"hello"
        )
        line = gate.logged("access", got.fields.get("x-request-id"))
        expect(line["event"]["id"], got.fields.get("x-request-id"))
        expect(line["http"]["request"]["method"], "POST")
        expect(line["url"]["path"], "/a/b")
        expect(line["url"]["query"], "c=d")
        expect(line["url"]["domain"], "t.example")
        expect(line["http"]["response"]["status_code"], 200)
        expect(line["http"]["request"]["bytes"], 5)
        expect(line["http"]["response"]["bytes"], len(got.body))
        expect(line["client"]["ip"], "127.0.0.1")
        expect(line["user_agent"]["original"], "test/1")
        expect(line["waf"]["app"], "shop")
        assert re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", line["@timestamp"]), line[
            "@timestamp"
        ]
        assert 0 < line["event"]["duration"] < 5e9
        gate.ask(target="/second")
        eventually(lambda: len(gate.log("access")) == 2, 3, "two lines")
        expect(gate.log("security"), [], "nothing happened")


@claim
def hostile_bytes_cannot_break_a_log_line():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        for target in ('/a"b', "/a%0d%0aX-Evil:1", "/\xc3\xa9\xff", '/a?"},{"x":"', "/a\\"):
            with gate.connect() as client:
                client.send(
                    b"GET " + target.encode("latin-1") + b" HTTP/1.1\r\nHost: t.example\r\n"
                    b'User-Agent: "\\\xff\xfe\x80</script>\t\r\nReferer: \xe2\x80\xa8\r\n\r\n'
                )
                client.response()
        with gate.connect() as client:
            client.send(b"GET /\x00\x01\x1b[31m HTTP/1.1\r\n\r\n")
            client.response()
        lines = eventually(
            lambda: len(gate.log("access")) == 6 and gate.log("access"), 3, "six lines"
        )
        for line in gate.text("access.log").split("\n"):
            assert not re.search(r"[\x00-\x1f]", line), repr(line)
        expect(len(lines), 6)


@claim
def a_denied_request_is_in_the_security_log_with_its_rule():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        got = gate.ask(target="/.git/config")
        line = gate.logged("security", got.fields.get("x-request-id"))
        expect((line["event"]["action"], line["event"]["kind"]), ("deny", "alert"))
        expect(line["http"]["response"]["status_code"], 403)
        assert line["rule"]["id"].startswith("embergate/"), line
        expect(gate.logged("access", got.fields.get("x-request-id"))["event"]["action"], "deny")


@claim
def secrets_are_in_no_log():
    secret = "hunter2secret"
    with Origin() as origin, Gate(one_app(origin.url, log={"redact": ["pin"]})) as gate:
        fields = [f"Authorization: Bearer {secret}", f"Cookie: session={secret}"]
        gate.ask(target=f"/.git/config?password={secret}&pin={secret}&x=1", fields=fields)
        got = gate.ask(
            "POST",
            f"/a?token={secret}",
            fields + ["Content-Type: application/x-www-form-urlencoded"],
            f"password={secret}&q=1'+UNION+SELECT+password+FROM+users--+-".encode(),
        )
        gate.logged("access", got.fields.get("x-request-id"))
        everything = gate.text("access.log") + gate.text("security.log") + gate.text("stderr")
        everything += gate.ctl("explain", got.fields.get("x-request-id")).stdout
        assert secret not in everything, re.findall(f".{{0,80}}{secret}", everything)


@claim
def other_formats_are_one_line_a_request():
    for form, shape in (
        ("combined", r'127\.0\.0\.1 .* "GET /x HTTP/1\.1" 200 \d+ "-" "-"'),
        ("logfmt", r"(\w[\w.@]*=(\"[^\"]*\"|\S*) ?)+$"),
        ("cef", r"CEF:0\|"),
        ("ecs", r"\{.*\}$"),
    ):
        with Origin() as origin, Gate(one_app(origin.url), start=False) as gate:
            gate.write(
                {
                    **one_app(origin.url),
                    "log": {"access": gate.path("access.log"), "security": "off", "format": form},
                }
            )
            gate.start()
            gate.ask(target="/x")
            text = eventually(lambda: gate.text("access.log"), 3, f"a line in format {form}")
            assert (
                re.search(shape, text.splitlines()[0]) and text.count("\n") == 1
            ), f"{form}: {text!r}"


@claim
def logs_can_be_rotated_by_a_reload():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        gate.ask(target="/before")
        eventually(lambda: gate.text("access.log"), 3, "the first line")
        os.rename(gate.path("access.log"), gate.path("access.log.1"))
        gate.ask(target="/between")
        assert gate.reload()
        gate.ask(target="/after")
        eventually(lambda: "/after" in gate.text("access.log"), 3, "a line in the new file")
        assert "/between" in gate.text("access.log.1") + gate.text("access.log"), "a line was lost"


@claim
def a_log_nobody_reads_stalls_nothing():
    with Origin() as origin, Gate(one_app(origin.url), start=False) as gate:
        os.mkfifo(gate.path("pipe"))
        reader = os.open(gate.path("pipe"), os.O_RDONLY | os.O_NONBLOCK)
        gate.write({**one_app(origin.url), "log": {"access": gate.path("pipe"), "security": "off"}})
        gate.start()
        started = time.monotonic()
        with gate.connect() as client:
            for _ in range(800):
                expect(client.ask(target="/" + "a" * 200).status, 200)
        within(10, started, "800 requests")
        os.close(reader)


@claim
def a_full_disk_stalls_nothing_and_is_counted():
    with Origin() as origin, Gate(one_app(origin.url), start=False) as gate:
        gate.write(
            {
                **one_app(origin.url),
                "log": {"access": "/dev/full", "security": gate.path("security.log")},
            }
        )
        gate.start()
        with gate.connect() as client:
            for _ in range(500):
                expect(client.ask(target="/" + "a" * 8000).status, 200)
        expect(gate.ask(target="/.git/config").status, 403)
        eventually(lambda: gate.log("security"), 3, "the other log")
        dropped = {k: v for k, v in gate.metrics().items() if "dropped" in k}
        assert any(dropped.values()) or sum(len(r.raw) for r in origin.requests) < 6 << 20, dropped


@claim
def on_a_terminal_lines_are_for_people():
    terminal, end = pty.openpty()
    with Origin() as origin, Gate(one_app(origin.url), start=False) as gate:
        gate.write({**one_app(origin.url), "log": {"access": "-", "security": "-"}})
        gate.stdout = end
        gate.start()
        os.close(end)
        expect(gate.ask(target="/for-people?a=b").status, 200)
        expect(gate.ask(target="/for-people?file=../../../../etc/passwd").status, 403)
        text = ""
        while text.count("for-people") < 2:
            text += os.read(terminal, 65536).decode(errors="replace")
        assert '"@timestamp"' not in text, text
        assert re.search(r"200.*GET.*for-people", text) and re.search(
            r"403.*deny|deny.*403", text
        ), text
        threading.Thread(target=drain, args=(terminal,), daemon=True).start()


def drain(descriptor):
    try:
        while os.read(descriptor, 65536):
            pass
    except OSError:
        pass


# metrics and health


@claim
def metrics_count_what_happened():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        for i in range(5):
            gate.ask(target=f"/{i}")
        gate.ask(target="/.git/config")
        page = gate.admin("/metrics")
        expect(page.status, 200)
        assert page.fields.get("content-type").startswith("text/plain"), page.fields
        names, types = set(), {}
        for line in page.text.splitlines():
            if line.startswith("# TYPE"):
                _, _, name, kind = line.split()
                assert name not in types, f"two TYPE lines for {name}"
                types[name] = kind
            elif not line.startswith("#") and line:
                assert re.fullmatch(
                    r'[a-zA-Z_:][\w:]*(\{([a-z_]+="[^"\\]*",?)*\})? [-+\w.]+', line
                ), line
                names.add(line.split("{")[0].split(" ")[0])
        for name in (
            "embergate_requests_total",
            "embergate_build_info",
            "embergate_connections",
            "embergate_decisions_total",
            "embergate_request_duration_seconds_bucket",
            "embergate_upstream_up",
            "embergate_inspection_duration_seconds_count",
            "embergate_config_last_reload_successful",
            "embergate_rule_matches_total",
        ):
            assert name in names, f"{name} is missing"
        series = gate.metrics()
        ok = sum(
            v for k, v in series.items() if k.startswith("embergate_requests_total") and "2xx" in k
        )
        denied = sum(
            v for k, v in series.items() if k.startswith("embergate_requests_total") and "4xx" in k
        )
        expect((ok, denied), (5, 1))
        denies = sum(
            v
            for k, v in series.items()
            if k.startswith("embergate_decisions_total") and '"deny"' in k
        )
        expect(denies, 1)


@claim
def health_and_readiness_are_told():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        expect((gate.admin("/healthz").status, gate.admin("/readyz").status), (200, 200))
        expect(gate.admin("/nothing").status, 404)
        expect(gate.admin("/metrics", "DELETE").status, 405)
        expect(gate.admin("/metrics", "HEAD").status, 200)


@claim
def the_admin_address_is_no_way_around_and_bounded():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        with gate.connect(port=gate.admin_port) as client:
            client.send(b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            got = client.response()
            assert got.status in (400, 403, 421), f"DNS rebinding: {got.status}"
        with gate.connect(port=gate.admin_port) as client:
            client.send(b"GET  /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            expect(client.response().status, 400)
        stuck = [gate.connect(port=gate.admin_port) for _ in range(100)]
        for client in stuck:
            client.try_send(b"GET /metrics")
        expect(gate.ask().status, 200, "the shop meanwhile")
        for client in stuck:
            client.close()
        eventually(lambda: healthy(gate), 5, "health afterwards")


def healthy(gate):
    try:
        return gate.admin("/healthz").status == 200
    except (Ended, OSError):
        return False


@claim
def admin_may_be_off():
    with Origin() as origin, Gate(one_app(origin.url, {"admin": {"bind": "off"}})) as gate:
        expect(gate.ask().status, 200)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", gate.admin_port)) != 0


# ctl


@claim
def ctl_status_tells_what_runs():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        done = gate.ctl("status")
        expect(done.returncode, 0)
        for word in ("shop", str(gate.port), "block"):
            assert word in done.stdout, f"{word!r} is not in {done.stdout}"
        told = json.loads(gate.ctl("status", "-o", "json").stdout)
        assert "shop" in json.dumps(told), told


@claim
def ctl_has_exit_codes():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        expect(gate.ctl("nonsense").returncode, 2)
        expect(gate.ctl().returncode, 2)
        expect(gate.ctl("explain").returncode, 2)
        expect(gate.ctl("explain", "01ARZ3NDEKTSV4RRFFQ69G5FAV").returncode, 1)
        gate.stop()
        done = gate.ctl("status")
        expect(done.returncode, 3)
        assert gate.socket in done.stderr, done.stderr


@claim
def explain_names_rule_variable_and_value():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        got = gate.ask(
            "POST",
            "/comment?page=2",
            ["Content-Type: application/x-www-form-urlencoded"],
            b"title=x&text=1%27+UNION+SELECT+name%2C+pass+FROM+users--+-",
        )
        expect(got.status, 403)
        one = got.fields.get("x-request-id")
        done = eventually(
            lambda: (d := gate.ctl("explain", one)).returncode == 0 and d, 3, "explain"
        )
        rule = gate.logged("security", one)["rule"]["id"]
        for word in (one, rule, "text", "403", "/comment", "127.0.0.1", "POST"):
            assert word in done.stdout, f"{word!r} is not in:\n{done.stdout}"
        assert re.search(r"UNION SELECT|union select", done.stdout, re.I), done.stdout
        assert not re.search(
            r"[\x00-\x08\x0b-\x1f]", done.stdout
        ), "control bytes reach the terminal"


@claim
def explain_tells_own_rules_limits_and_protocol_too():
    config = {
        "rules": [{"name": "closed", "path": "/closed", "do": "deny"}],
        "limits": [{"path": "/l", "rate": "1/min"}],
    }
    with Origin() as origin, Gate(one_app(origin.url, **config)) as gate:
        gate.ask(target="/l")
        for target, word in (("/closed", "closed"), ("/l", "429"), ("/a%zz", "400")):
            one = gate.ask(target=target).fields.get("x-request-id")
            done = eventually(
                lambda: (d := gate.ctl("explain", one)).returncode == 0 and d, 3, "explain"
            )
            assert word in done.stdout, done.stdout


@claim
def the_ctl_socket_is_for_its_owner_alone():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        expect(os.stat(gate.socket).st_mode & 0o077, 0, "rights of others")
        for junk in (os.urandom(5000) + b"\n" * 100, b"GET /" + b"a" * 100000):
            with socket.socket(socket.AF_UNIX) as sock, contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.connect(gate.socket)
                sock.sendall(junk)  # may be cut off while it is being sent
        expect(gate.ctl("status").returncode, 0)
