"""ctl.py -- the verbs of `embergate ctl` that are done on the side of whoever asks, and what is printed from their table."""
import json
import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time

import yaml

from lib import certs
from lib.claims import Skipped, claim, expect
from lib.gate import PROGRAM, Gate, copy_files, one_app, run, CACHE
from lib.origin import Origin, answer
from lib.ports import free_port

PACKS = {"mode": "block"}
CALM = {"scenarios": {"packs": "off"}}


# init


def init(*words, folder):
    copy_files(CACHE, folder + "/.embergate/cache")
    return run("ctl", "init", *words, folder=folder)


@claim(limit=120)
def init_writes_what_check_takes_and_a_gate_serves():
    with Origin() as origin, tempfile.TemporaryDirectory(prefix="embergate-init.") as folder:
        port = free_port()
        done = init("--upstream", origin.url, "--host", "a.example", "--host", "b.example", "--listen",
                    f"127.0.0.1:{port}", "--mode", "detect", "--trust", "private", folder=folder)
        expect(done.returncode, 0, done.stderr)
        with open(f"{folder}/embergate.yaml", encoding="utf-8") as file:
            config = yaml.safe_load(file)
        expect(config["apps"]["site"], {"upstream": origin.url, "hosts": ["a.example", "b.example"],
                                        "waf": {"mode": "detect"}})
        expect(config["client_ip"], {"trust": ["private"]})
        expect(run("check", "-c", f"{folder}/embergate.yaml", folder=folder).returncode, 0)
        unit = open(f"{folder}/embergate.service", encoding="utf-8").read()
        assert f"ExecStart={os.path.realpath(PROGRAM)} run -c {folder}/embergate.yaml\n" in unit, unit
        assert "/usr/bin/embergate" not in unit and "/etc/embergate" not in unit, unit
        with open(f"{folder}/embergate.yaml", "a", encoding="utf-8") as file:
            file.write(f"admin: off\nstate: {folder}/state\n")
        with Gate(open(f"{folder}/embergate.yaml", encoding="utf-8").read(), start=False) as gate:
            gate.port = port
            gate.start()
            expect(gate.ask(target="/hello", host="a.example").text, "GET /hello 0")


@claim
def init_leaves_nothing_of_what_check_refuses_and_replaces_nothing():
    with tempfile.TemporaryDirectory(prefix="embergate-init.") as folder:
        done = init("--upstream", 'nonsense"\nadmin: off', folder=folder)
        expect(done.returncode, 1)
        assert "upstream" in done.stderr, done.stderr
        expect([name for name in os.listdir(folder) if name.startswith("embergate")], [])
        with open(f"{folder}/embergate.yaml", "w", encoding="utf-8") as file:
            file.write("mine")
        done = init("--upstream", "http://127.0.0.1:1", folder=folder)
        expect(done.returncode, 1)
        assert "--force" in done.stderr, done.stderr
        expect(open(f"{folder}/embergate.yaml", encoding="utf-8").read(), "mine")
        expect(init("--upstream", "http://127.0.0.1:1", "--force", folder=folder).returncode, 0)
        expect(init(folder=folder).returncode, 2)
        expect(init("--nonsense", folder=folder).returncode, 2)
        expect(init("--upstream", "http://127.0.0.1:1", "--dir", "/no/such/place", folder=folder).returncode, 1)


def answer_all(folder, answers):
    """init on a terminal; (exit status, what it said)."""
    copy_files(CACHE, folder + "/.embergate/cache")
    terminal, end = pty.openpty()
    process = subprocess.Popen([PROGRAM, "ctl", "init"], cwd=folder, stdin=end, stdout=end, stderr=end)
    os.close(end)
    said, asked, until = "", 0, time.monotonic() + 60
    while time.monotonic() < until:
        ready = select.select([terminal], [], [], 0.2)[0]
        try:
            said += os.read(terminal, 4096).decode() if ready else ""
        except OSError:
            break
        if asked < len(answers) and len(re.findall(r"\[[^\]\n]*\] ", said)) > asked:
            os.write(terminal, answers[asked].encode() + b"\n")
            asked += 1
    os.close(terminal)
    return process.wait(20), said


@claim(limit=90)
def init_asks_five_questions_on_a_terminal():
    with tempfile.TemporaryDirectory(prefix="embergate-init.") as folder:
        status, said = answer_all(folder, ["http://127.0.0.1:3456", "x.example y.example", "", "", "192.0.2.0/24"])
        expect(status, 0, said)
        expect(len(re.findall(r"^.*\] ", said, re.M)), 5, said)
        config = yaml.safe_load(open(f"{folder}/embergate.yaml", encoding="utf-8"))
        expect(config["apps"]["site"]["upstream"], "http://127.0.0.1:3456")
        expect(config["apps"]["site"]["hosts"], ["x.example", "y.example"])
        expect(config["apps"]["site"]["waf"]["mode"], "detect", "a site with visitors begins with detect")
        expect(config["client_ip"]["trust"], ["192.0.2.0/24"])


# test


@claim
def probes_tell_what_is_stopped_and_what_passes():
    with Origin() as origin, Gate({**one_app(origin.url, waf=PACKS), **CALM}) as gate:
        done = gate.ctl("test", f"http://127.0.0.1:{gate.port}/", patience=60)
        expect(done.returncode, 0, done.stdout + done.stderr)
        expect(len(done.stdout.splitlines()), 10, done.stdout)
        expect(len(re.findall(r"^good .*stopped", done.stdout, re.M)), 7, done.stdout)
        assert "\033" not in done.stdout, "colours where no terminal is"
        lines = json.loads(gate.ctl("-o", "json", "test", f"http://127.0.0.1:{gate.port}").stdout)
        expect([line["right"] for line in lines], [True] * 10)
        behind = gate.ctl("test", "--insecure", f"http://127.0.0.1:{gate.port}", "--output=json")
        expect(len(json.loads(behind.stdout)), 10)


@claim
def probes_fail_when_attacks_pass_or_visitors_do_not():
    with Origin() as origin, Gate({**one_app(origin.url, waf={"mode": "detect"}), **CALM}) as gate:
        done = gate.ctl("test", f"http://127.0.0.1:{gate.port}", patience=60)
        expect(done.returncode, 1, done.stdout)
        expect(len(re.findall(r"^WRONG +attack ", done.stdout, re.M)), 7, done.stdout)
        assert "detect" in done.stdout, done.stdout
    with Origin() as origin, Gate(
        {**one_app(origin.url, waf=PACKS, rules=[{"path": "/", "do": "deny"}]), **CALM}
    ) as gate:
        done = gate.ctl("test", f"http://127.0.0.1:{gate.port}", patience=60)
        expect(done.returncode, 1, done.stdout)
        expect(len(re.findall(r"^WRONG +visitor ", done.stdout, re.M)), 3, done.stdout)
        expect(gate.ctl("-q", "test", f"http://127.0.0.1:{gate.port}").stdout, "")
        assert "detect" not in done.stdout, done.stdout
    with Origin() as origin, Gate(
        {**one_app(origin.url, waf=PACKS, rules=[{"path": "/", "do": "challenge"}]), **CALM}
    ) as gate:
        done = gate.ctl("test", f"http://127.0.0.1:{gate.port}", patience=60)
        expect(len(re.findall(r"^WRONG +visitor .* challenged$", done.stdout, re.M)), 3, done.stdout)


@claim
def an_application_that_says_403_itself_is_no_gate():
    with Origin(lambda _: answer(403, b"the application's own no")) as origin, Gate({**one_app(origin.url, waf={"mode": "off"}), **CALM}) as gate:
        done = gate.ctl("test", f"http://127.0.0.1:{gate.port}", patience=60)
        expect(done.returncode, 1, done.stdout)
        expect(len(re.findall(r"^good +visitor ", done.stdout, re.M)), 3, done.stdout)


@claim
def probes_go_where_they_are_told_and_verify_certificates():
    with tempfile.TemporaryDirectory() as folder, Origin() as origin:
        pair = certs.make(folder, "shop.example")
        config = {**one_app(origin.url, waf=PACKS, hosts=["shop.example"]), **CALM}
        with Gate(config, start=False) as gate:
            gate.write({**config, "listen": [{"bind": f"127.0.0.1:{gate.port}", "tls": True}],
                        "tls": {"certs": [{"cert": pair[0], "key": pair[1]}]}})
            gate.start()
            url = f"https://shop.example:{gate.port}"
            done = gate.ctl("test", "--at", "127.0.0.1", url, patience=60)
            expect(done.returncode, 3, done.stdout)
            assert "certificate" in done.stdout, done.stdout
            done = gate.ctl("test", "--insecure", "--at", "127.0.0.1", url, patience=60)
            expect(done.returncode, 0, done.stdout + done.stderr)
            cert = json.loads(gate.ctl("-o", "json", "cert").stdout)
            assert "shop.example" in cert[0]["hosts"] and cert[0]["days"] >= 0, cert
            assert "shop.example" in gate.ctl("cert", "list").stdout


@claim
def test_names_what_is_wrong_with_its_words():
    with tempfile.TemporaryDirectory() as folder:
        for words, status in (([], 2), (["nonsense"], 2), (["http://127.0.0.1:1", "more"], 2),
                              (["--at", "x", "http://a.example"], 2), ([f"http://127.0.0.1:{free_port()}"], 3)):
            done = run("ctl", "test", *words, folder=folder)
            expect(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")


# support-bundle


@claim
def a_bundle_holds_facts_and_no_secrets():
    secret = "hunter2secret"
    with Origin() as origin, Gate(start=False, config={}) as gate:
        gate.write({**one_app(origin.url), "secret": "env:GATE_SECRET"})
        with open(gate.file, "a", encoding="utf-8") as file:
            file.write(f"# a remark with {secret}\n")
        gate.environment["GATE_SECRET"] = secret * 4
        gate.start()
        gate.ask(target="/.git/config?word=attackers-word")
        file = gate.path("bundle.txt")
        done = gate.ctl("support-bundle", file)
        expect(done.returncode, 0, done.stderr)
        assert "no logs" in done.stdout, done.stdout
        expect(os.stat(file).st_mode & 0o777, 0o600)
        text = gate.text("bundle.txt")
        for word in ("==== versions", "==== status", "==== configuration", "==== metrics", "embergate_requests_total",
                     origin.url, "env:GATE_SECRET"):
            assert word in text, f"{word} is not in it"
        for word in (secret, "attackers-word"):
            assert word not in text, f"{word} is in it"
        expect(gate.ctl("support-bundle").stdout.split("\n")[0][:8], "Embergat")
        expect(gate.ctl("support-bundle", "/no/such/folder/x").returncode, 1)
        expect(gate.ctl("support-bundle", "a", "b").returncode, 2)
        expect(gate.ctl("support-bundle", "--nonsense").returncode, 2)
        expect(gate.ctl("support-bundle", file, "-q").stdout, "")
        expect(gate.ctl("support-bundle", "-o").returncode, 2)
    with tempfile.TemporaryDirectory() as folder:
        done = run("ctl", "-s", folder + "/none", "support-bundle", folder + "/bundle", folder=folder)
        expect(done.returncode, 3)
        assert not os.path.exists(folder + "/bundle"), "an empty bundle was left"


# help, completion, manual


def verbs():
    said = run("ctl", "help").stdout
    return re.findall(r"^  ([a-z][a-z-]+)\b", said.split("\n\n")[1], re.M)


@claim(limit=60)
def every_verb_has_its_help_a_place_in_the_manual_and_in_the_completion():
    manual, completion = run("ctl-manual").stdout, run("completion").stdout
    assert len(verbs()) >= 15, verbs()
    for verb in verbs():
        done = run("ctl", verb, "--help")
        expect(done.returncode, 0, verb)
        assert done.stdout.startswith(f"usage: embergate ctl {verb}"), done.stdout
        assert f".Cm {verb}\n" in manual, f"{verb} is not in the manual"
        assert f"\n\t{verb}) words=" in completion, f"{verb} is not in the completion"


def complete(*words):
    """What bash would offer behind these words, of which the last is begun."""
    script = (run("completion").stdout + "COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _embergate; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", *words], capture_output=True, text=True, timeout=20,
                          check=True)
    return set(done.stdout.split())


@claim
def bash_completes():
    if not shutil.which("bash"):
        raise Skipped("no bash")
    assert {"run", "check", "ctl", "--upstream"} <= complete("embergate", ""), complete("embergate", "")
    expect(complete("embergate", "ctl", "rel"), {"reload"})
    expect(complete("embergate", "ctl", "-s", "x", "mode", "shop", "de"), {"detect"})
    expect(complete("embergate", "ctl", "init", "--up"), {"--upstream"})
    assert {"list", "add", "delete", "import", "export"} <= complete("embergate", "ctl", "decisions", "")


@claim
def the_manual_is_one():
    if not shutil.which("groff"):
        raise Skipped("no groff")
    done = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", "-P-cbou"], input=run("ctl-manual").stdout, capture_output=True,
                          text=True, timeout=20, check=True)
    expect(done.stderr, "")
    assert "support" in done.stdout and "EXIT STATUS" in done.stdout, done.stdout[:500]


@claim
def options_stand_before_the_verb_or_behind_it_and_statuses_are_told():
    with Origin() as origin, Gate(one_app(origin.url)) as gate:
        expect(json.loads(gate.ctl("status", "-o", "json").stdout)["state"], "ready")
        expect(gate.ctl("-q", "status").stdout, "")
        for words, status in ((["status"], 0), (["mode", "none", "block"], 1), (["mode"], 2), (["relaod"], 2), ([], 2),
                              (["status", "-o", "xml"], 2)):
            expect(gate.ctl(*words).returncode, status, words)
    with tempfile.TemporaryDirectory() as folder:
        expect(run("ctl", "-s", folder + "/none", "status").returncode, 3)
