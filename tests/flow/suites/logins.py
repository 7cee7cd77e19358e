"""logins.py -- where people log in, and how it went: as configured, and learned from answers shaped as real apps' are."""
import json
import time
from urllib.parse import quote

from lib.claims import claim, eventually, expect
from lib.client import request
from lib.gate import CALM, Gate, one_app
from lib.origin import Origin, answer

TRUST = {"client_ip": {"trust": ["127.0.0.0/8"]}}

# What is counted; nothing is held against anybody.
COUNTED = "\n---\n".join(
    f"""
type: trigger
name: test/{name}
description: an attempt to log in
filter: "{sure}"
groupby: evt.Meta.source_ip
labels: {{remediation: false}}
"""
    for name, sure in {
        "failure": "evt.Gate.login == 'failure' && evt.Meta.sub_type == 'auth_fail' && evt.Gate.user != ''",
        "success": "evt.Gate.login == 'success' && evt.Gate.user != ''",
        "nameless": "evt.Gate.login in ['success', 'failure'] && evt.Gate.user == ''",
    }.items()
)

FORM = "application/x-www-form-urlencoded"
HTML = [b"Content-Type: text/html; charset=utf-8"]
FORM_PAGE = b'<form method="post"><input name="u"><input type="password" name="p"></form>'


def page(text=FORM_PAGE, status=200, fields=()):
    return answer(status, text, [*HTML, *fields])


def away(where, *cookies, status=302):
    return answer(status, b"", [b"Location: " + where, *(b"Set-Cookie: " + c for c in cookies)], reason=b"Found")


def as_json(status, text):
    return answer(status, text, [b"Content-Type: application/json"])


# path; what is sent (N and P stand for name and password); a failure; a success
APPS = {
    "WordPress": (
        "/wp-login.php", FORM, "log=N&pwd=P&wp-submit=Log+In&redirect_to=%2Fwp-admin%2F&testcookie=1",
        page(fields=[b"Set-Cookie: wordpress_test_cookie=WP%20Cookie%20check; path=/"]),
        away(b"http://t.example/wp-admin/", b"wordpress_test_cookie=WP; path=/", b"wordpress_logged_in_1=N%7C1; path=/; HttpOnly"),
    ),
    "Django": (
        "/accounts/login/?next=/a", FORM, "csrfmiddlewaretoken=q&username=N&password=P",
        page(fields=[b"Set-Cookie: csrftoken=a; Path=/"]),
        away(b"/accounts/profile/", b"csrftoken=b; Path=/", b"sessionid=c; HttpOnly; Path=/"),
    ),
    "Laravel": (
        "/login", FORM, "_token=q&email=N%40b.example&password=P",
        away(b"http://t.example/login", b"XSRF-TOKEN=a; path=/", b"laravel_session=b; path=/; httponly"),
        away(b"http://t.example/dashboard", b"XSRF-TOKEN=c; path=/", b"laravel_session=d; path=/; httponly"),
    ),
    "Spring": (
        "/app/login", FORM, "username=N&password=P&_csrf=q",
        away(b"/app/login?error", b"JSESSIONID=a; Path=/; HttpOnly"),
        away(b"/app/", b"JSESSIONID=b; Path=/; HttpOnly"),
    ),
    "Devise": (
        "/users/sign_in", FORM, "authenticity_token=q&user%5Bemail%5D=N%40b.example&user%5Bpassword%5D=P&user%5Bremember_me%5D=0",
        page(status=422, fields=[b"Set-Cookie: _app_session=a; path=/; HttpOnly"]),
        away(b"http://t.example/", b"_app_session=b; path=/; HttpOnly", status=303),
    ),
    "an API with JSON": (
        "/api/v1/login", "application/json", '{"email":"N@b.example","password":"P"}',
        as_json(401, b'{"error":"invalid credentials"}'), as_json(200, b'{"token":"t"}'),
    ),
    "OAuth by password": (
        "/oauth/token", FORM, "grant_type=password&client_id=app&username=N&password=P",
        as_json(400, b'{"error":"invalid_grant"}'), as_json(200, b'{"access_token":"t","token_type":"bearer"}'),
    ),
    "Keycloak": (
        "/realms/shop/login-actions/authenticate?session_code=s&execution=e", FORM, "username=N&password=P&credentialId=",
        page(), away(b"https://app.example/cb?state=s&code=c", b"KEYCLOAK_IDENTITY=a; Path=/realms/shop/; HttpOnly"),
    ),
    "phpMyAdmin": (
        "/index.php?route=/", FORM, "set_session=s&pma_username=N&pma_password=P&server=1&route=%2F&token=t",
        page(fields=[b"Set-Cookie: pma_lang=en; path=/"]),
        away(b"./index.php?route=/", b"pmaUser-1=a; path=/; HttpOnly", b"pmaAuth-1=b; path=/; HttpOnly"),
    ),
    "a form of several parts": (
        "/signin", "multipart/form-data; boundary=b",
        '--b\r\nContent-Disposition: form-data; name="username"\r\n\r\nN\r\n'
        '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nP\r\n--b--\r\n',
        page(), away(b"/home", b"sid=a; Path=/"),
    ),
}


class Counts:
    """A gate before an app, and what it takes for logins."""

    def __init__(self, answers, **app):
        self.origin = Origin(answers)
        self.gate = Gate(None, start=False)
        with open(self.gate.path("own.yaml"), "w", encoding="ascii") as out:
            out.write(COUNTED)
        self.top = {**TRUST, "scenarios": {"packs": False, "files": ["own.yaml"]}}
        self.app = {"waf": CALM, **app}
        self.gate.write(one_app(self.origin.url, self.top, **self.app))

    def __enter__(self):
        self.origin.__enter__()
        self.gate.__enter__()
        self.gate.start()
        return self

    def __exit__(self, *how):
        self.gate.__exit__(*how)
        self.origin.__exit__(*how)

    def send(self, target, kind, body, fields=(), method="POST"):
        return self.gate.ask(method, target, body=body.encode(),
                             fields=["X-Forwarded-For: 203.0.113.1", f"Content-Type: {kind}", "Cookie: test=1", *fields])

    def now(self):
        """(failures, successes, both without a name)"""
        watch = {s["name"]: s["overflowed"] for s in json.loads(self.gate.ctl("-o", "json", "scenarios").stdout)}
        return tuple(watch[f"test/{name}"] for name in ("failure", "success", "nameless"))

    def becomes(self, want, what):
        try:
            eventually(lambda: self.now() == want, what=what)
        except AssertionError as late:
            raise AssertionError(f"{what}: {self.now()}, want {want}") from late


def tried(app, name, right):
    target, kind, body, _, _ = APPS[app]
    return target, kind, body.replace("N", name).replace("P", "right" if right else "wrong")


def answers_of(app):
    failure, success = APPS[app][3:]
    return lambda r: (success if b"right" in r.body else failure) if r.method == "POST" else page()


def teach(counts, app, people=2):
    """People who mistype, and then do not."""
    for i in range(people):
        for right in (False, True):
            counts.send(*tried(app, f"person{i}", right))


@claim
def what_real_apps_answer_is_learned_after_two_who_mistyped():
    by_path = {APPS[app][0]: answers_of(app) for app in APPS}
    for waf in (CALM, "off"):
        with Counts(lambda r: by_path[r.target](r), waf=waf) as counts:
            for app in APPS:
                teach(counts, app)
                time.sleep(0.1)
                failed, succeeded, nameless = counts.now()
                expect(nameless, 0, app)
                for i in range(3):
                    counts.send(*tried(app, f"x{i}", False))
                counts.becomes((failed + 3, succeeded, 0), f"{app}, three that failed, waf {waf}")
                for i in range(2):
                    counts.send(*tried(app, f"y{i}", True))
                counts.becomes((failed + 3, succeeded + 2, 0), f"{app}, two that succeeded, waf {waf}")


@claim
def what_is_learned_survives_a_reload_and_is_off_where_that_is_said():
    with Counts(answers_of("Laravel")) as counts:
        teach(counts, "Laravel")
        time.sleep(0.2)
        expect(counts.gate.reload(), True)
        status = json.loads(counts.gate.ctl("-o", "json", "status").stdout)
        expect(status["apps"][0]["logins"], [{"path": "/login", "failed": 0, "succeeded": 1}])
        counts.send(*tried("Laravel", "anna", False))
        counts.becomes((1, 0, 0), "after the reload scenarios count anew")
        expect("log-in at /login, as learned: 1 failed, 1 succeeded" in counts.gate.ctl("status").stdout, True)
        counts.gate.write(one_app(counts.origin.url, counts.top, **counts.app, learn_logins=False))
        expect(counts.gate.reload(), True)
        teach(counts, "Laravel", 3)
        time.sleep(0.3)
        expect(counts.now(), (0, 0, 0), "off")


@claim
def who_only_succeeds_never_fails_and_what_looks_alike_is_no_login():
    looks_alike = {
        "an API that is posted a password each time": ("/api/report", FORM, "user=robot&password=right", as_json(200, b"{}")),
        "one that makes users": ("/api/users", "application/json", '{"name":"N","password":"right"}', as_json(201, b"{}")),
        "led back both ways": ("/login", FORM, "username=N&password=right", away(b"/login", b"s=1; Path=/")),
        "a registration": ("/join", FORM, "username=N&password=right&password2=right", page()),
        "a password that is changed": ("/me", FORM, "user=N&old_password=a&new_password=right", as_json(422, b"{}")),
        "a page behind a password": ("/wp-login.php?action=postpass", FORM, "post_password=right", page()),
        "an upload": ("/upload", "application/octet-stream", "username=N&password=right", as_json(401, b"{}")),
    }
    by_path = {target.split("?")[0]: got for target, _, _, got in looks_alike.values()}
    with Counts(lambda r: by_path[r.target.split("?")[0]]) as counts:
        for target, kind, body, _ in looks_alike.values():
            for i in range(12):
                counts.send(target, kind, body.replace("N", f"n{i % 4}"))
        time.sleep(0.5)
        if counts.now()[0]:
            raise AssertionError(f"failed: {counts.now()}")


@claim
def a_second_factor_that_is_asked_for_is_no_failure():
    def answers(r):
        if b"second" in r.body:
            return page(b'<form method="post"><input type="text" name="code" inputmode="numeric"></form>')
        return answers_of("WordPress")(r)

    with Counts(answers) as counts:
        teach(counts, "WordPress")
        time.sleep(0.2)
        failed = counts.now()[0]
        for i in range(15):
            counts.send("/wp-login.php", FORM, f"log=office{i}&pwd=second")
        time.sleep(0.5)
        expect(counts.now()[0], failed)


@claim
def a_caller_with_a_token_and_a_handshake_are_no_login():
    def answers(r):
        if r.target == "/handshake":
            return answer(401, b"", [b"WWW-Authenticate: NTLM"], reason=b"Unauthorized")
        return as_json(401, b"{}")

    with Counts(answers) as counts:
        for _ in range(5):
            counts.send("/api/sources", "application/json", '{"user":"a","password":"b"}', ["Authorization: Bearer old"])
            counts.send("/handshake", FORM, "user=a&password=b")
        time.sleep(0.3)
        expect(counts.now(), (0, 0, 0))
        counts.send("/api/sources", "application/json", '{"user":"a","password":"b"}')
        counts.becomes((1, 0, 0), "one without")


@claim
def what_is_configured_wins_and_has_names_without_a_waf():
    logins = [{"path": "/login", "user": "who", "status": 418}]
    for waf in (CALM, "off"):
        with Counts(lambda r: answer(418 if b"wrong" in r.body else 401, b"", reason=b"So"), logins=logins, waf=waf) as counts:
            counts.send("/login", FORM, "who=anna&password=wrong&username=b")
            counts.becomes((1, 0, 0), "by status")
            counts.send("/login", FORM, "who=anna&password=right&username=b")
            time.sleep(0.3)
            expect(counts.now(), (1, 0, 0), "401 is what learning would take for a failure")


@claim
def without_a_waf_bodies_arrive_as_they_were_sent_whole_or_in_pieces():
    got = []

    def answers(r):
        got.append(r.body)
        return as_json(401, b"{}")

    logins = [{"path": "/login", "user": "user"}]
    for app in ({"logins": logins}, {}):
        with Counts(answers, waf="off", **app) as counts:
            sent = []
            for size in (10, 5000, 15000, 40000, 300000):
                body = f"user=a{size}&password=b&more=".encode() + b"x" * size
                sent.append(body)
                with counts.gate.connect() as client:
                    whole = request("POST", "/login", ["X-Forwarded-For: 203.0.113.1", f"Content-Type: {FORM}"], body)
                    cut = len(whole) - size // 2
                    client.send(whole[:cut])
                    time.sleep(0.05)
                    client.send(whole[cut:])
                    expect(client.response().status, 401, str(size))
            expect([len(b) for b in got], [len(b) for b in sent])
            expect(got == sent, True)
            got.clear()


@claim
def an_account_under_attack_is_guarded_behind_a_waf_that_is_off():
    own = """
type: leaky
name: test/user
description: one user's failed logins, from many addresses
filter: "evt.Meta.sub_type == 'auth_fail' && evt.Gate.user != ''"
groupby: evt.Gate.user
distinct: evt.Meta.source_ip
capacity: 3
leakspeed: 1h
scope: {type: Username, expression: evt.Gate.user}
labels: {remediation: true, behavior: "http:bruteforce"}
"""
    with Counts(answers_of("an API with JSON"), waf="off") as counts:
        with open(counts.gate.path("own.yaml"), "a", encoding="ascii") as out:
            out.write("---" + own)
        expect(counts.gate.reload(), True)
        target, kind, body = tried("an API with JSON", "berta", False)

        def log_in(address, text):
            return counts.gate.ask("POST", target, body=text.encode(), fields=[f"X-Forwarded-For: {address}", f"Content-Type: {kind}"]).status

        expect([log_in(f"203.0.113.{i}", body) for i in range(1, 6)], [401, 401, 401, 403, 403])
        expect(log_in("203.0.113.77", body.replace("wrong", "right")), 403, "whoever comes as that user")
        expect(log_in("203.0.113.77", body.replace("berta", "carla")), 401, "another user")
        expect(counts.gate.ask("POST", "/other?" + quote("user=berta"), body=b"a=b", fields=["X-Forwarded-For: 203.0.113.78"]).status, 401)
