"""waf_crs.py -- the Core Rule Set in the product: levels, exceptions, explain, own files, conversion."""
import glob
import os
import re

from lib.claims import Skipped, claim, expect
from lib.gate import Gate, one_app, run
from lib.origin import Origin

CRS = "/usr/share/modsecurity-crs"
FORM = "Content-Type: application/x-www-form-urlencoded"
COMMENT = {
    "method": "POST",
    "target": "/comment",
    "fields": [FORM, "User-Agent: a browser", "Accept: */*"],
    "body": b"body=1%27+or+1%3D1--+-&name=me",
}
OTHER = {**COMMENT, "body": COMMENT["body"].replace(b"body=", b"title=")}


def crs(url, waf=None, **app):
    """The Core Rule Set alone, as Debian has it."""
    if not glob.glob(f"{CRS}/rules/*.conf"):
        raise Skipped(f"Debian's modsecurity-crs is not at {CRS}")
    return one_app(url, waf={"ruleset": "crs", "packs": False, **(waf or {})}, **app)


def explained(gate, got):
    return gate.ctl("explain", got.fields.get("x-request-id")).stdout


def status(gate, **asked):
    return gate.ask(**asked).status


@claim(limit=90)
def what_scores_past_the_threshold_is_denied_and_explained():
    with Origin() as origin, Gate(crs(origin.url)) as gate:
        (build,) = [name for name in gate.metrics() if name.startswith("embergate_build_info")]
        assert re.search(r'crs="[34]\.\d+\.\d+"', build), build
        expect(status(gate, target="/"), 200)
        got = gate.ask(**COMMENT)
        expect(got.status, 403)
        said = explained(gate, got)
        assert "942100  SQL Injection Attack Detected via libinjection   +5   ARGS:body" in said, said
        assert "949110" in said and "\u2265 5" in said, said
        line = gate.logged("security", got.fields.get("x-request-id"))
        assert "942100" in str(line), line
        assert gate.reload(crs(origin.url, {"threshold": 1000}))
        expect(status(gate, **COMMENT), 200, "below the threshold")
        assert gate.reload(crs(origin.url, {"mode": "detect"}))
        expect(status(gate, **COMMENT), 200, "detect")


@claim(limit=90)
def a_higher_level_asks_more_rules():
    odd = {"target": "/?a=%25%27%22%3B%3C%3E"}
    with Origin() as origin, Gate(crs(origin.url, {"paranoia": 1})) as gate:
        expect(status(gate, **odd), 200)
        assert gate.reload(crs(origin.url, {"paranoia": 4}))
        expect(status(gate, **odd), 403)


def pasted(said):
    """The exceptions that explain proposes, as text to stand in a configuration."""
    lines = [line.strip() for line in said.split("\n") if line.strip().startswith("- {path:")]
    assert lines, said
    return lines


@claim(limit=90)
def the_proposed_exception_lets_this_pass_and_nothing_else():
    import yaml

    with Origin() as origin, Gate(crs(origin.url)) as gate:
        lines = pasted(explained(gate, gate.ask(**COMMENT)))
        expect(len(lines), 1, "lines")
        assert "949110" not in lines[0] and 'args: ["body"]' in lines[0], lines
        exceptions = yaml.safe_load("\n".join(lines))
        assert gate.reload(crs(origin.url, exceptions=exceptions))
        expect(status(gate, **COMMENT), 200)
        expect(status(gate, **OTHER), 403, "another argument")
        expect(status(gate, **{**COMMENT, "target": "/other"}), 403, "another path")
        xss = {**COMMENT, "body": b"body=%3Cscript%3Ealert(1)%3C/script%3E"}
        expect(status(gate, **xss), 403, "another attack in the same argument")


@claim(limit=90)
def exceptions_name_rules_by_id_range_category_and_tag():
    with Origin() as origin, Gate(crs(origin.url)) as gate:
        for exception, wanted in (
            ({"categories": ["sqli"]}, (200, 200)),
            ({"tags": ["attack-sqli"]}, (200, 200)),
            ({"rules": ["942000-942999"]}, (200, 200)),
            ({"rules": ["942000-942999"], "args": ["bo*"]}, (200, 403)),
            ({"categories": ["xss"]}, (403, 403)),
            ({"args": ["body"]}, (200, 403)),
            ({"rules": ["942000-942999"], "parts": ["body"]}, (200, 200)),
            ({"rules": ["942000-942999"], "parts": ["query"]}, (403, 403)),
            ({"skip": ["sqli"]}, (200, 200)),
        ):
            assert gate.reload(crs(origin.url, exceptions=[{"path": "/comment", **exception}])), exception
            expect((status(gate, **COMMENT), status(gate, **OTHER)), wanted, exception)


@claim(limit=60)
def an_exception_that_would_switch_everything_off_is_refused():
    with Origin() as origin, Gate(crs(origin.url)) as gate:
        for exception, says in (
            ({"rules": [949110]}, "sums up what other rules found"),
            ({"rules": ["949000-949999"]}, "sums up what other rules found"),
            ({"skip": ["980130"]}, "sums up what other rules found"),
            ({"rules": [94210]}, "did you mean '94"),
            ({"categories": ["slqi"]}, "did you mean 'sqli'?"),
        ):
            gate.write(crs(origin.url, exceptions=[exception]))
            said = gate.ctl("reload")
            assert said.returncode != 0 and says in said.stdout + said.stderr, (exception, said)
        expect(status(gate, **COMMENT), 403)


@claim(limit=60)
def an_app_s_own_seclang_stands_before_the_rules():
    own = """
SecRule REQUEST_FILENAME "@streq /comment" "id:1001,phase:1,pass,nolog,ctl:ruleRemoveTargetById=942100;ARGS:body"
SecRule ARGS:secret "@streq please" "id:1002,phase:2,deny,status:418,msg:'not here'"
SecRuleUpdateTargetById 942100 "!ARGS:title"
"""
    with Origin() as origin, Gate(crs(origin.url), start=False) as gate:
        with open(gate.path("own.conf"), "w", encoding="ascii") as out:
            out.write(own)
        gate.write(crs(origin.url, {"rules": ["own.conf"]}))
        gate.start()
        said = str(gate.log("security"))
        got = gate.ask(**COMMENT)
        assert got.status == 200 or "942100" not in explained(gate, got), said
        expect(status(gate, target="/?secret=please"), 418)


@claim(limit=90)
def what_was_written_for_modsecurity_is_converted():
    exclusions = """
SecAction "id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level=2"
SecAction "id:900110,phase:1,nolog,pass,setvar:tx.inbound_anomaly_score_threshold=6"
SecRule REQUEST_URI "@beginsWith /comment" "id:1000,phase:1,pass,nolog,t:none,ctl:ruleRemoveTargetByTag=attack-sqli;ARGS:body"
SecRuleRemoveById 949110
SecRule ARGS:x "@streq 1" "id:1001,phase:1,pass,nolog,ctl:ruleRemoveById=942100"
"""
    with Origin() as origin, Gate(crs(origin.url), start=False) as gate:
        with open(gate.path("old.conf"), "w", encoding="ascii") as out:
            out.write(exclusions)
        got = run("check", "--convert", gate.path("old.conf"))
        expect(got.returncode, 0, got.stderr)
        for part in ("paranoia: 2", "threshold: 6", 'path: "/comment*", tags: ["attack-sqli"], args: ["body"]',
                     "old.conf:5: SecRuleRemoveById 949110", "old.conf:6: SecRule ARGS:x"):
            assert part in got.stdout, got.stdout
        gate.write(
            f"listen: ['127.0.0.1:{gate.port}']\nadmin: off\nstate: state\nctl: {gate.socket}\n"
            f"apps:\n  shop:\n    upstream: {origin.url}\n"
            + got.stdout.replace("ruleset: crs\n", "ruleset: crs\n      packs: off\n")
        )
        gate.start()
        expect(status(gate, **COMMENT), 200)
        expect(status(gate, **OTHER), 403)


@claim
def a_conversion_that_cannot_be_read_says_where():
    with Gate(None, start=False) as gate:
        with open(gate.path("bad.conf"), "w", encoding="ascii") as out:
            out.write('\nSecAction "id:1\n')
        got = run("check", "--convert", gate.path("bad.conf"))
        expect(got.returncode, 2)
        assert "bad.conf:2" in got.stderr, got.stderr
        expect(run("check", "--convert", os.path.join(gate.folder, "none.conf")).returncode, 2)
        expect(run("check", "--convert").returncode, 2)
