"""door.py -- who may use the API: links, passwords, codes, sessions, tokens, roles; and what a browser may be made to send."""
import base64
import hashlib
import hmac
import json
import os
import re
import signal
import struct
import tempfile
import time

from lib import api, certs
from lib.api import Browser
from lib.claims import claim, eventually, expect
from lib.client import trusting
from lib.gate import CALM, Gate, one_app, run

PASSWORD, OTHER = "a long password", "another password"


def quiet(**top):
    """Nobody asks the app anything here."""
    return one_app("http://127.0.0.1:9", {"scenarios": {"packs": "off"}, **top}, waf=CALM)


LINK = re.compile(r"https?://\S+/#setup=[A-Z2-7-]{29}")


def link_of(text):
    found = LINK.search(text)
    assert found, text
    return found[0]


def said_link(gate):
    """The link that the gate says once it serves."""
    return eventually(lambda: LINK.search(gate.text("stderr")), 5, "the link")[0]


def first(gate, **how):
    """The first administrator, by the link that the gate says at its start."""
    browser = Browser(gate, **how)
    done = browser.set_up(said_link(gate), "anna", PASSWORD)
    expect(done.status, 200, done.text)
    return browser


def user(gate, admin, name, role):
    """Another user, logged in."""
    made = admin.ask("POST", "/users", {"name": name, "role": role, "password": PASSWORD})
    expect((made.status, made.json), (200, {"name": name, "link": None}), made.text)
    browser = Browser(gate)
    expect(browser.log_in(name, PASSWORD).status, 200)
    return browser


def totp(secret, at=None):
    step = struct.pack(">Q", int((at or time.time()) // 30))
    mac = hmac.new(base64.b32decode(secret), step, hashlib.sha1).digest()
    return "%06d" % ((struct.unpack(">I", mac[(mac[19] & 15):][:4])[0] & 0x7FFFFFFF) % 1000000)


# coming in


@claim
def the_link_at_the_start_makes_the_first_administrator_and_no_second():
    with Gate(quiet()) as gate:
        link = said_link(gate)
        assert link.startswith(f"http://127.0.0.1:{gate.admin_port}/#setup="), link
        nobody = Browser(gate)
        expect(nobody.ask("GET", "/session").status, 401)
        expect(nobody.set_up("#setup=AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "eve", PASSWORD).status, 403)
        expect(nobody.set_up(link, "eve", "short").status, 422)
        anna = Browser(gate)
        done = anna.set_up(link, "anna", PASSWORD)
        expect(done.status, 200, done.text)
        expect((done.json["user"], done.json["role"], done.json["way"]), ("anna", "administrator", "session"))
        cookie = done.fields["Set-Cookie"]
        assert re.fullmatch(r"embergate=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict", cookie), cookie
        expect(Browser(gate).set_up(link, "eve", PASSWORD).status, 403)
        expect(anna.ask("GET", "/session").json["first_admin_setup"], False)
        expect([u["name"] for u in anna.ask("GET", "/users").json["items"]], ["anna"])
        gate.stop()
        gate.start()
        expect(gate.text("stderr").count("#setup="), 1, "links, though somebody can log in")


@claim
def ctl_makes_links_for_a_lost_password_and_for_new_users():
    with Gate(quiet()) as gate:
        anna = first(gate)
        expect(gate.ctl("user", "setup", "nobody").returncode, 1)
        link = link_of(gate.ctl("user", "setup", "anna").stdout)
        expect(Browser(gate).set_up(link, "anna", OTHER).status, 200)
        expect(anna.ask("GET", "/session").status, 401, "the session of before the new password")
        expect(Browser(gate).log_in("anna", PASSWORD).status, 401)
        expect(Browser(gate).log_in("anna", OTHER).status, 200)
        ben = Browser(gate)
        expect(ben.set_up(link_of(gate.ctl("user", "add", "ben", "viewer").stdout), "ben", PASSWORD).status, 200)
        expect(ben.ask("GET", "/session").json["role"], "viewer")
        listed = json.loads(gate.ctl("-o", "json", "user").stdout)
        expect([(u["name"], u["role"], u["password"]) for u in listed], [("anna", "administrator", True), ("ben", "viewer", True)])
        expect(gate.ctl("user", "delete", "anna").returncode, 1, "the last administrator")
        expect(gate.ctl("user", "delete", "ben").returncode, 0)
        expect(ben.ask("GET", "/session").status, 401)


@claim(limit=60)
def wrong_passwords_are_told_nothing_and_soon_not_looked_at():
    with Gate(quiet()) as gate:
        anna = first(gate)
        told = {(a.status, a.detail) for a in (Browser(gate).log_in(u, p) for u, p in
                (("anna", OTHER), ("nobody", PASSWORD), ("anna", ""), ("", PASSWORD)))}
        expect(told, {(401, "user, password or code is wrong")})
        guesses = [Browser(gate).log_in("anna", f"wrong {i}") for i in range(25)]  # a minute may end between
        refused = [g for g in guesses if g.status == 429]
        assert len(refused) >= 5, [g.status for g in guesses]
        assert all(1 <= int(g.fields["Retry-After"]) <= 60 for g in refused), [g.fields for g in refused]
        expect(Browser(gate, address="127.0.0.9").log_in("anna", PASSWORD).status, 200, "from elsewhere")
        noted = [e for e in anna.ask("GET", "/audit").json["items"] if e["action"] == "session.refused"]
        expect({e["user"] for e in noted}, {"anna", "?"})
        assert "nobody" not in json.dumps(noted)


@claim(limit=60)
def a_code_from_the_phone_is_wanted_once_it_is_on():
    with Gate(quiet()) as gate:
        anna = first(gate)
        secret = anna.ask("POST", "/session/totp", {}).json
        assert secret["uri"].startswith("otpauth://totp/Embergate:anna?secret=" + secret["secret"]), secret
        expect(anna.ask("PUT", "/session/totp", {"code": "12345"}).status, 422)
        recovery = anna.ask("PUT", "/session/totp", {"code": totp(secret["secret"])}).json["recovery"]
        expect(len(set(recovery)), 10)
        expect(anna.ask("GET", "/session").json["totp"], True)
        expect(anna.ask("POST", "/session/totp", {}).status, 409, "whoever has the session only has no second factor of his own")
        bare = Browser(gate).log_in("anna", PASSWORD)
        expect((bare.status, bare.detail), (401, "code wanted"))
        expect(Browser(gate).log_in("anna", OTHER, recovery[0]).status, 401)
        expect(Browser(gate).log_in("anna", PASSWORD, recovery[0]).status, 200)
        expect(Browser(gate).log_in("anna", PASSWORD, recovery[0]).status, 401, "a code that was used")
        ahead = totp(secret["secret"], time.time() + 30)  # the phone's clock is fast; a code of now was used
        expect(Browser(gate).log_in("anna", PASSWORD, ahead).status, 200)
        expect(Browser(gate).log_in("anna", PASSWORD, ahead).status, 401)
        expect(anna.ask("POST", "/session/totp/off", {"password": OTHER}).status, 403)
        expect(anna.ask("POST", "/session/totp/off", {"password": PASSWORD}).status, 204)
        expect(Browser(gate).log_in("anna", PASSWORD).status, 200)


# what a browser may be made to send


@claim
def a_write_wants_what_only_our_own_page_can_know():
    with Gate(quiet()) as gate:
        anna = first(gate)
        body = {"name": "t", "role": "viewer"}
        here = f"http://127.0.0.1:{gate.admin_port}"
        for fields, status in (
            ({"X-Embergate-CSRF": None}, 403),
            ({"X-Embergate-CSRF": ""}, 403),
            ({"X-Embergate-CSRF": "0" * 32}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": f"http://127.0.0.1:{gate.port}"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
            ({"Content-Type": "text/plain"}, 415),
            ({"Content-Type": None}, 415),
            ({"Origin": here, "Sec-Fetch-Site": "same-origin"}, 200),
            ({}, 200),
        ):
            expect(anna.ask("POST", "/tokens", body, fields).status, status, fields)
        expect(len(anna.ask("GET", "/tokens").json["items"]), 2)
        expect(anna.ask("DELETE", "/session", fields={"X-Embergate-CSRF": None}).status, 403)
        evil = {"Origin": "http://evil.example"}
        login = {"user": "anna", "password": PASSWORD}
        expect(Browser(gate).ask("POST", "/session", login, evil).status, 403, "logged in by another site")


@claim
def another_name_for_this_address_is_not_answered():
    with Gate(quiet(admin={"bind": "127.0.0.1:0", "hosts": ["gate.example"]}), start=False) as gate:
        gate.write(quiet(admin={"bind": f"127.0.0.1:{gate.admin_port}", "hosts": ["gate.example"]}))
        gate.start()
        anna = first(gate)
        for host, status in (("evil.example", 403), (f"evil.example:{gate.admin_port}", 403), ("localhost", 200),
                             ("gate.example", 200), ("GATE.example:443", 200), ("127.0.0.1", 200)):
            expect(anna.ask("GET", "/session", fields={"Host": host}).status, status, host)
        expect(Browser(gate).ask("POST", "/session", {"user": "anna", "password": PASSWORD}, {"Host": "evil.example"}).status, 403)
        behind = {"Host": f"127.0.0.1:{gate.admin_port}", "Origin": "https://gate.example"}
        expect(anna.ask("POST", "/session/totp", {}, behind).status, 200, "behind a proxy that writes another Host")


# roles, tokens


@claim(limit=60)
def a_role_may_what_those_below_it_may_and_no_more():
    with Gate(quiet()) as gate:
        anna = first(gate)
        ben, cleo = user(gate, anna, "ben", "viewer"), user(gate, anna, "cleo", "operator")
        for browser, wanted in ((ben, (200, 403, 403)), (cleo, (200, 403, 403)), (anna, (200, 200, 200))):
            got = tuple(browser.ask("GET", path).status for path in ("/status", "/users", "/audit"))
            expect(got, wanted, browser)
        told = ben.ask("POST", "/users", {"name": "eve", "role": "administrator"})
        expect((told.status, told.detail), (403, "ben may not: the role administrator is wanted"))
        expect(anna.ask("PATCH", "/users/cleo", {"role": "administrator"}).json["role"], "administrator")
        expect(cleo.ask("GET", "/session").status, 401, "a session of another role")
        expect(cleo.log_in("cleo", PASSWORD).json["role"], "administrator")
        expect(anna.ask("PATCH", "/users/anna", {"role": "viewer"}).status, 200)
        expect(cleo.ask("DELETE", "/users/cleo").status, 409, "the last administrator")
        expect(cleo.ask("DELETE", "/users/ben").status, 204)
        expect(ben.ask("GET", "/status").status, 401)
        expect(cleo.ask("PATCH", "/users/nobody", {"role": "viewer"}).status, 404)


@claim
def ones_own_sessions_are_listed_and_ended():
    with Gate(quiet()) as gate:
        anna = first(gate)
        again = Browser(gate)
        expect(again.log_in("anna", PASSWORD).status, 200)
        listed = anna.ask("GET", "/sessions").json["items"]
        expect([s["current"] for s in listed], [False, True])
        expect(anna.ask("DELETE", f"/sessions/{listed[0]['id']}").status, 204)
        expect(again.ask("GET", "/session").status, 401)
        expect(anna.ask("DELETE", f"/sessions/{listed[0]['id']}").status, 404)
        expect(again.log_in("anna", PASSWORD).status, 200)
        expect(anna.ask("POST", "/session/password", {"old": OTHER, "new": OTHER}).status, 403)
        expect(anna.ask("POST", "/session/password", {"old": PASSWORD, "new": OTHER}).status, 204)
        expect(again.ask("GET", "/session").status, 401, "another session of before the new password")
        expect(anna.ask("GET", "/session").status, 200)
        left = anna.ask("DELETE", "/session")
        expect(left.status, 204)
        assert "Max-Age=0" in left.fields["Set-Cookie"]
        expect(Browser(gate).log_in("anna", PASSWORD).status, 401)


@claim
def tokens_have_roles_and_are_taken_back():
    with Gate(quiet()) as gate:
        viewer, boss = Browser(gate, token=api.token(gate, "viewer")), Browser(gate, token=api.token(gate))
        expect(viewer.ask("GET", "/session").json["way"], "token")
        expect(viewer.ask("GET", "/tokens").status, 403)
        listed = boss.ask("GET", "/tokens").json["items"]
        expect([(t["name"], t["role"]) for t in listed], [("test", "administrator"), ("test", "viewer")])
        assert viewer.token[4:] not in json.dumps(listed)
        made = boss.ask("POST", "/tokens", {"name": "ci", "role": "operator", "until": "2099-01-01T00:00:00Z"})
        expect(Browser(gate, token=made.json["token"]).ask("GET", "/session").json["expires"], "2099-01-01T00:00:00.000Z")
        expect(boss.ask("POST", "/tokens", {"name": "ci", "role": "operator", "until": "2020-01-01T00:00:00Z"}).status, 422)
        expect(boss.ask("DELETE", f"/tokens/{listed[1]['id']}").status, 204)
        expect(viewer.ask("GET", "/session").status, 401)
        for value in ("Bearer ", "Bearer x", "Basic YTpi", "Bearer emb_" + "0" * 64):
            wrong = Browser(gate).ask("GET", "/status", fields={"Authorization": value})
            expect((wrong.status, wrong.fields["WWW-Authenticate"]), (401, "Bearer"), value)
        assert viewer.token not in gate.text("stderr")


@claim
def what_was_done_is_written_down_in_a_chain_that_holds():
    with Gate(quiet()) as gate:
        anna = first(gate)
        user(gate, anna, "ben", "viewer")
        for words in (("token", "add", "ci", "operator", "90d"), ("mode", "shop", "detect"), ("mode", "nothing", "detect"),
                      ("bouncers", "add", "fw", "key:0123456789abcdef"), ("bouncers", "delete", "fw")):
            gate.ctl(*words)
        items = anna.ask("GET", "/audit").json["items"]
        expect([(e["user"], e["way"], e["action"], e["subject"]) for e in items], [
            ("ctl", "socket", "bouncer.delete", "fw"), ("ctl", "socket", "bouncer.add", "fw"),
            ("ctl", "socket", "app.mode", "shop"), ("ctl", "socket", "token.add", "ci"), ("ben", "session", "session.begin", "ben"),
            ("anna", "session", "user.add", "ben"), ("anna", "session", "user.setup", "anna")])
        page = anna.ask("GET", "/audit?limit=3").json
        expect([e["id"] for e in page["items"]], ["7", "6", "5"])
        assert "0123456789abcdef" not in json.dumps(items)
        expect([e["id"] for e in anna.ask("GET", f"/audit?limit=3&after={page['next']}").json["items"]], ["4", "3", "2"])
        checked = anna.ask("GET", "/audit/check").json
        expect((checked["ok"], checked["entries"], checked["hash"]), (True, 7, items[0]["hash"]))
        assert items[0]["hash"] in gate.text("stderr"), "the log has the hash too"


# the address


@claim(limit=60)
def sessions_and_users_outlive_a_graceful_restart():
    with Gate(quiet()) as gate:
        anna, child = first(gate), gate.serving()
        gate.signal(signal.SIGUSR2)
        eventually(lambda: gate.serving() != child, 15, "a new child")
        eventually(lambda: anna.ask("GET", "/status").json["pid"] != child, 15, "an answer of the new child")
        for _ in range(20):
            expect(anna.ask("GET", "/status").json["pid"] != child, True, "the old one answers no more")
        expect(anna.ask("POST", "/tokens", {"name": "ci", "role": "viewer"}).status, 200)
        expect(Browser(gate).log_in("anna", PASSWORD).status, 200)
        expect(gate.text("stderr").count("#setup="), 1)


@claim
def an_address_that_others_reach_wants_tls():
    with tempfile.TemporaryDirectory(prefix="embergate-door.") as folder:
        for bind in ("0.0.0.0:9180", ":9180", "[::]:9180"):
            with open(os.path.join(folder, "embergate.yaml"), "w", encoding="ascii") as file:
                file.write(f"apps: {{a: {{upstream: 'http://127.0.0.1:9'}}}}\nadmin: '{bind}'\nstate: state\n")
            done = run("check", "-c", "embergate.yaml", folder=folder)
            expect(done.returncode, 2, done.stderr)
            assert f"admin: {bind} can be reached from outside this machine: it needs `cert` and `key`" in done.stderr, done.stderr


@claim
def a_certificate_that_cannot_be_read_is_told_by_check():
    with tempfile.TemporaryDirectory(prefix="embergate-door.") as folder:
        with open(os.path.join(folder, "embergate.yaml"), "w", encoding="ascii") as file:
            file.write("apps: {a: {upstream: 'http://127.0.0.1:9', waf: off}}\nscenarios: {packs: off}\nstate: state\n"
                       "admin: {cert: nothing.pem, key: nothing.key}\n")
        done = run("check", "-c", "embergate.yaml", folder=folder)
        expect(done.returncode, 2, done.stderr)
        assert "admin: " in done.stderr and "nothing.pem" in done.stderr, done.stderr


@claim
def over_tls_the_cookie_is_for_this_host_alone():
    with tempfile.TemporaryDirectory(prefix="embergate-door.") as folder, Gate(quiet(), start=False) as gate:
        cert, key = certs.make(folder, "gate.example", "127.0.0.1")
        gate.write(quiet(admin={"bind": f"0.0.0.0:{gate.admin_port}", "cert": cert, "key": key, "hosts": "gate.example"}))
        gate.start()
        link = said_link(gate)
        assert link.startswith(f"https://gate.example:{gate.admin_port}/#setup="), link
        anna = Browser(gate, tls=trusting(cert))
        done = anna.set_up(link, "anna", PASSWORD)
        expect(done.status, 200, done.text)
        cookie = done.fields["Set-Cookie"]
        assert re.fullmatch(r"__Host-embergate=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict; Secure", cookie), cookie
        expect(anna.ask("GET", "/session").status, 200)
        plain = anna.cookie.replace("__Host-", "")
        expect(anna.ask("GET", "/session", fields={"Cookie": plain}).status, 401, "a cookie that a neighbour may have planted")


@claim
def a_stream_ends_with_the_session_that_opened_it():
    with Gate(quiet()) as gate:
        anna = first(gate)
        ben = user(gate, anna, "ben", "viewer")
        streams = []
        for browser in (anna, ben):
            asking = browser.connection()
            asking.request("GET", "/api/v1/stream?topics=stats", headers={"Cookie": browser.cookie})
            streams.append(asking.getresponse())
            expect(streams[-1].status, 200)
        expect(anna.ask("DELETE", "/users/ben").status, 204)
        streams[1].read()  # it ends, and whole: else this raises
        for _ in range(4):
            assert streams[0].readline(), "the other goes on"


# asking again


@claim
def what_is_asked_again_is_done_once():
    with Gate(quiet()) as gate:
        anna = first(gate)
        key, wanted = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}, {"name": "ci", "role": "viewer"}
        made = anna.ask("POST", "/tokens", wanted, key)
        again = anna.ask("POST", "/tokens", wanted, key)
        expect((made.status, again.status, again.text), (200, 200, made.text))
        expect((made.fields.get("Idempotent-Replayed"), again.fields.get("Idempotent-Replayed")), (None, "true"))
        expect(again.fields["Cache-Control"], "no-store")
        expect(len(anna.ask("GET", "/tokens").json["items"]), 1)
        expect(anna.ask("POST", "/tokens", {**wanted, "name": "other"}, key).status, 422, "the key of another request")
        expect(anna.ask("POST", "/tokens?", wanted, {"Idempotency-Key": '"other"'}).fields.get("Idempotent-Replayed"), None)
        expect(gate.ctl("reload").returncode, 0)
        expect(anna.ask("POST", "/tokens", wanted, key).text, made.text, "after a reload")
        for bad in ('""', '"a', "a b", "x" * 129):
            expect(anna.ask("POST", "/tokens", wanted, {"Idempotency-Key": bad}).status, 400, bad)
        expect(len(anna.ask("GET", "/tokens").json["items"]), 2)


@claim
def a_key_is_its_owners_and_a_refusal_may_be_mended():
    with Gate(quiet()) as gate:
        anna = first(gate)
        olga = user(gate, anna, "olga", "operator")
        key = {"Idempotency-Key": "k-1"}
        expect(anna.ask("POST", "/decisions", {"value": "no address"}, key).status, 422)
        held = anna.ask("POST", "/decisions", {"value": "203.0.113.7"}, key)
        expect(held.status, 200, held.text)
        other = olga.ask("POST", "/decisions", {"value": "203.0.113.7"}, key)
        expect((other.status, other.fields.get("Idempotent-Replayed")), (200, None))
        expect(anna.ask("DELETE", f"/decisions/{held.json['id']}").status, 204)
        expect(anna.ask("POST", "/decisions", {"value": "203.0.113.7"}, key).text, held.text, "as it was told then")
        expect(anna.ask("POST", "/decisions/lift", {"value": "203.0.113.7"}, key).fields.get("Idempotent-Replayed"), None)
        expect(anna.ask("POST", "/session/totp", {}, {**key, "X-Embergate-CSRF": None}).status, 403, "a key is no permission")
