"""cli.py -- the command line and the configuration: what is wrong is named, with its place."""
import json
import os
import re
import socket
import shutil
import subprocess
import tempfile

from lib.claims import claim, expect
from lib.gate import Gate, one_app, run
from lib.origin import Origin
from lib.ports import free_port

GOOD = "apps:\n  shop:\n    upstream: http://127.0.0.1:3000\n"


def check(text, more=None):
    """(exit status, what was said) of `check` for a file with that text."""
    with tempfile.TemporaryDirectory(prefix="embergate-check.") as folder:
        for name, content in {
            "embergate.yaml": f"state: {folder}/state\n" + text if text else "",
            **(more or {}),
        }.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write(content)
        done = run("check", "-c", os.path.join(folder, "embergate.yaml"), folder=folder)
        return done.returncode, done.stdout + done.stderr


@claim
def a_good_configuration_is_told_so():
    status, said = check(GOOD)
    expect(status, 0, said)


WRONG = [
    (
        "an unknown key",
        GOOD.replace("upstream", "upstraem"),
        r":4:5:.*upstraem.*did you mean.*upstream",
    ),
    ("an unknown top-level key", GOOD + "lisen: [':80']\n", r":5:1:.*lisen.*did you mean.*listen"),
    ("an unknown key deep down", GOOD + "    upstream2: x\n", r":5:5:.*upstream2"),
    ("a wrong word", GOOD + "    waf: {mode: blok}\n", r":5:\d+:.*blok.*block"),
    ("a wrong unit", GOOD + "timeouts: {idle: 5 parsecs}\n", r":5:\d+:.*idle|:5:\d+:.*parsecs"),
    ("a duration without unit", GOOD + "timeouts: {idle: 5}\n", r":5:\d+:"),
    ("a size out of bounds", GOOD + "size_limits: {head: 1GiB}\n", r":5:\d+:.*head"),
    ("a negative number", GOOD + "workers: -1\n", r":5:\d+:.*workers"),
    ("a number where a list is wanted", GOOD + "listen: 5\n", r":5:\d+:"),
    ("a bad address", GOOD + "listen: ['127.0.0.1:99999']\n", r":5:\d+:"),
    ("a bad network", GOOD + "client_ip: {trust: [10.0.0.0/33]}\n", r":5:\d+:.*10\.0\.0\.0/33"),
    ("a bad URL", "apps:\n  shop:\n    upstream: 127.0.0.1:3000\n", r":4:\d+:.*http"),
    ("a URL with a path", "apps:\n  shop:\n    upstream: http://127.0.0.1:3000/app\n", r":4:\d+:"),
    ("a repeated key", GOOD + "    upstream: http://127.0.0.1:1\n", r":5:5:.*upstream"),
    ("no apps", "workers: 2\n", r"apps"),
    ("an empty file", "", r"apps|empty"),
    ("broken YAML", "apps: [\n", r":\d+:\d+"),
    ("a TAB as indentation", "apps:\n\tshop: {}\n", r":\d+:\d+"),
    ("a merge key or alias", "a: &x {}\napps: *x\n", r":\d+:\d+"),
    (
        "a key that is not built yet",
        GOOD + "hub: somewhere\n",
        r":5:1:.*hub.*not built yet|:5:\d+:.*not built yet",
    ),
    (
        "a missing certificate",
        GOOD + "listen: [':8443']\ntls: {certs: [{cert: none.crt, key: none.key}]}\n",
        r"none\.crt",
    ),
    ("a missing rules file", GOOD + "    waf: {rules: [none.yaml]}\n", r"none\.yaml"),
    ("a rule without a remedy", GOOD + "    rules: [{path: /a}]\n", r":5:\d+:.*do"),
    (
        "a remedy that is not built yet",
        GOOD + "    rules: [{path: /a, do: captcha}]\n",
        r":5:\d+:.*captcha",
    ),
    ("a bad rate", GOOD + "    limits: [{path: /a, rate: fast}]\n", r":5:\d+:"),
    (
        "skipping everything everywhere",
        GOOD + "    exceptions: [{skip: [all]}]\n",
        r":5:\d+:.*force",
    ),
    ("an unknown thing to skip", GOOD + "    exceptions: [{path: /a, skip: [slqi]}]\n", r"slqi"),
    (
        "proxy_protocol without from",
        GOOD + "listen: [{bind: ':8080', proxy_protocol: v2}]\n",
        r":5:\d+:.*from",
    ),
    (
        "two apps for one host",
        "apps:\n  a: {hosts: [x.example], upstream: 'http://127.0.0.1:1'}\n"
        "  b: {hosts: [x.example], upstream: 'http://127.0.0.1:2'}\n",
        r"x\.example",
    ),
    ("a missing include", "include: [none/*.yml, other.yaml]\n" + GOOD, r"other\.yaml"),
]


@claim(limit=90)
def what_is_wrong_is_named_with_its_place():
    wrong = []
    for what, text, pattern in WRONG:
        status, said = check(text)
        if status not in (1, 2) or not re.search(pattern, said, re.S):
            wrong.append(f"{what}: exit {status}, wanted /{pattern}/, said: {said.strip()}")
        elif "Sanitizer" in said:
            wrong.append(f"{what}: {said}")
    if wrong:
        raise AssertionError("\n".join(wrong))


@claim
def a_fault_in_an_included_file_names_that_file():
    status, said = check("include: ['a*.yaml']\n", {"a.yaml": "apps:\n  x:\n    upstrem: y\n"})
    assert status in (1, 2) and re.search(r"a\.yaml:3:5", said), said


@claim
def a_fault_in_a_rules_file_names_the_rule():
    bad = "name: acme/x\nrules:\n  - zones: [NOWHERE]\n    match: {type: equals, value: x}\n"
    status, said = check(GOOD + "    waf: {rules: [bad.yaml]}\n", {"bad.yaml": bad})
    assert status in (1, 2) and re.search(r"bad\.yaml:\d+", said) and "NOWHERE" in said, said
    bad = "name: acme/x\nrules:\n  - zones: [URI]\n    match: {type: regex, value: '(unclosed'}\n"
    status, said = check(GOOD + "    waf: {rules: [bad.yaml]}\n", {"bad.yaml": bad})
    assert status in (1, 2) and re.search(r"bad\.yaml:\d+", said), said


@claim
def the_gate_refuses_to_start_with_the_same_words():
    with Gate("apps:\n  shop:\n    upstraem: x\n", start=False) as gate:
        done = run("run", "-c", gate.file, folder=gate.folder)
        assert done.returncode != 0 and "did you mean" in done.stdout + done.stderr, done
        done = run("run", "-c", "/no/such/file.yaml", folder=gate.folder)
        assert done.returncode != 0 and "/no/such/file.yaml" in done.stdout + done.stderr, done


@claim
def wrong_options_are_named():
    with tempfile.TemporaryDirectory() as folder:
        for words, said in (
            (["--upstraem", "x"], "--upstraem"),
            (["--upstream"], "--upstream"),
            (["frobnicate"], "frobnicate"),
            (["--upstream", "nonsense"], "nonsense"),
            (["run"], "-c"),
            (["--upstream", "http://127.0.0.1:1", "--listen", "banana"], "banana"),
        ):
            done = run(*words, folder=folder)
            assert done.returncode in (1, 2), f"{words}: exit {done.returncode}"
            assert said in done.stderr + done.stdout, f"{words}: {done.stderr + done.stdout}"


@claim
def help_and_version_are_there():
    done = run("--help")
    expect(done.returncode, 0)
    for word in ("--upstream", "--listen", "--admin", "--state", "--detect", "run", "check", "ctl"):
        assert word in done.stdout, f"{word} is not in --help"
    assert re.match(r"embergate \d+\.\d+", run("--version").stdout)


@claim
def the_schema_and_the_manual_are_printed():
    schema = json.loads(run("config-schema").stdout)
    assert "apps" in schema["definitions"]["file"]["properties"], schema.keys()
    manual = run("config-docs").stdout
    assert "`upstream`" in manual and "`size_limits`" in manual


@claim
def the_one_command_works_with_no_file():
    with Origin() as origin, Gate(start=False) as gate:
        gate.options = [
            "--upstream",
            origin.url,
            "--listen",
            f"127.0.0.1:{gate.port}",
            "--admin",
            f"127.0.0.1:{gate.admin_port}",
            "--state",
            gate.path("state"),
            "--host",
            "t.example",
        ]
        gate.start()
        expect(gate.ask(target="/hello").text, "GET /hello 0")
        expect(gate.ask(target="/.git/config").status, 403)
        expect(gate.admin("/healthz").status, 200)
        assert gate.ask(host="other.example").status in (404, 421)
        gate.socket = gate.path("state/ctl.sock")
        expect(gate.ctl("status").returncode, 0)


@claim
def a_port_that_is_taken_is_an_error():
    with socket.create_server(
        ("127.0.0.1", free_port())
    ) as taken, tempfile.TemporaryDirectory() as folder:
        port = taken.getsockname()[1]
        done = run(
            "--upstream",
            "http://127.0.0.1:1",
            "--listen",
            f"127.0.0.1:{port}",
            "--admin",
            "off",
            "--state",
            folder + "/state",
            folder=folder,
        )
        assert done.returncode != 0 and str(port) in done.stderr + done.stdout, done


@claim
def two_gates_do_not_share_a_port_by_accident():
    with Origin() as origin, Gate(
        one_app(origin.url)
    ) as gate, tempfile.TemporaryDirectory() as folder:
        done = run(
            "--upstream",
            "http://127.0.0.1:1",
            "--listen",
            f"127.0.0.1:{gate.port}",
            "--admin",
            "off",
            "--state",
            folder + "/state",
            folder=folder,
        )
        assert done.returncode != 0 and str(gate.port) in done.stderr + done.stdout, done
        expect(gate.ask().status, 200)


@claim
def includes_and_secrets_from_the_environment_work():
    with Origin() as origin, Gate(
        {"include": ["apps.d/*.yaml"], "secret": "env:GATE_SECRET"},
        environment={"GATE_SECRET": "0123456789abcdef0123456789abcdef"},
        start=False,
    ) as gate:
        os.mkdir(gate.path("apps.d"))
        for name in ("one", "two"):
            with open(gate.path(f"apps.d/{name}.yaml"), "w", encoding="ascii") as out:
                out.write(
                    f"apps:\n  {name}:\n    hosts: [{name}.example]\n    upstream: {origin.url}\n"
                )
        gate.start()
        expect(gate.ask(host="one.example").status, 200)
        expect(gate.ask(host="two.example").status, 200)


@claim
def the_state_directory_is_private():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        for where, folders, files in os.walk(gate.path("state")):
            for name in files:
                mode = os.lstat(os.path.join(where, name)).st_mode
                assert mode & 0o007 == 0 or "cache" in where, f"{name} is open to others"
        expect(
            os.stat(gate.path("state")).st_mode & 0o077,
            0,
            "rights of others on the state directory",
        )


def copy_for_everyone(folder):
    """The program and its packs, as an installed one has them: a checkout may lie where only its owner may look."""
    import lib.gate

    root = os.path.join(os.path.dirname(__file__), "..", "..", "..")
    os.makedirs(folder + "/p/build/any")
    program = shutil.copy(lib.gate.PROGRAM, folder + "/p/build/any/embergate")
    for packs in ("rules/packs", "scenarios/packs"):
        shutil.copytree(os.path.join(root, packs), os.path.join(folder, "p", packs))
    os.chmod(folder, 0o755)
    return program


@claim
def it_runs_as_an_ordinary_user():
    import lib.gate
    from lib.claims import Skipped

    if os.geteuid() != 0:
        raise Skipped("needs root to become an ordinary user")
    with Origin() as origin, tempfile.TemporaryDirectory() as folder:
        lib.gate.copy_files(lib.gate.CACHE, folder + "/s/cache")
        for name in ("", "/s", "/s/cache"):
            os.chown(folder + name, 65534, 65534)
        for name in os.listdir(folder + "/s/cache"):
            os.chown(f"{folder}/s/cache/{name}", 65534, 65534)
        port = free_port()
        argv = [
            copy_for_everyone(folder),
            "--upstream",
            origin.url,
            "--listen",
            f"127.0.0.1:{port}",
            "--admin",
            "off",
            "--state",
            folder + "/s",
        ]
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                argv, user=65534, group=65534, extra_groups=[], cwd=folder, stdout=said, stderr=said
            )
            try:
                from lib.claims import eventually
                from lib.client import Client

                def served():
                    try:
                        with Client(("127.0.0.1", port)) as client:
                            return client.ask().status == 200
                    except OSError:
                        if process.poll() is not None:
                            said.seek(0)
                            raise AssertionError(said.read().decode()) from None
                        return False

                eventually(served, 20, "an answer")
            finally:
                process.terminate()
                process.wait(10)
