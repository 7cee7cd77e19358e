"""judge.py -- an outcome against what a stage expects.

Our log is JSON with the ids of the rules that hit. Tests that want a regular expression in it mean
Apache's error log: `as_error_log` writes ours in that shape, as far as it says the same.
"""
import re

REFUSED = (400, 408, 413, 414, 431, 501, 505)


def hits_of(lines):
    """The hits that the log shows, and how many more there were of which it does not tell the rule.

    `decision_trace` has the first few with what matched, `rules` the ids of all."""
    hits, hidden = [], 0
    for line in lines:
        waf = line.get("waf", {})
        shown = waf.get("decision_trace", [])
        told = {hit["rule"] for hit in shown}
        hits += shown + [{"rule": rule} for rule in waf.get("rules", []) if rule not in told]
        hidden += 0 if "rules" in waf else waf.get("more_hits", 0)
    return hits, hidden


def ids_of(lines):
    hits, hidden = hits_of(lines)
    return {int(hit["rule"]) for hit in hits if hit["rule"].isdigit()}, hidden


def as_error_log(lines):
    text = []
    for line in lines:
        first = line.get("rule", {})
        for hit in hits_of([line])[0]:
            name = hit.get("message") or (first.get("name", "") if hit["rule"] == first.get("id") else "")
            snippet, variable = hit.get("snippet", ""), hit.get("variable", "")
            data = hit.get("data") or f"Matched Data: {snippet} found within {variable}: {snippet}"
            text.append(f'[id "{hit["rule"]}"] [msg "{name}"] [data "{data}"]')
    return "\n".join(text)


def faults(stage, outcome):
    """What is wrong; empty: nothing."""
    if outcome.error.startswith("Malformed"):
        return [f"the gate's answer: {outcome.error}"]
    if stage.expect_error:
        good = bool(outcome.error) or outcome.status in REFUSED
        return [] if good else [f"an error was expected, the answer is {outcome.status}"]
    if outcome.error:
        return [f"no answer: {outcome.error}"]
    if not outcome.lines:
        return ["no line in the log"]
    return status_faults(stage, outcome) + id_faults(stage, outcome) + text_faults(stage, outcome)


def status_faults(stage, outcome):
    if not stage.statuses or outcome.status in stage.statuses:
        return []
    return [f"status {outcome.status}, not {' or '.join(map(str, sorted(stage.statuses)))}"]


def id_faults(stage, outcome):
    ids, hidden = ids_of(outcome.lines)
    missing = sorted(stage.expect_ids - ids)
    wrong = [f"{rule} did not hit" for rule in missing]
    wrong += [f"{rule} hit" for rule in sorted(stage.no_expect_ids & ids)]
    if missing:
        wrong.append(f"status {outcome.status}, hits {sorted(ids) or 'none'}")
        if hidden:
            wrong.append(f"{hidden} hits are not shown in the log")
    return wrong


def text_faults(stage, outcome):
    text = as_error_log(outcome.lines)
    wrong = []
    if stage.match and not re.search(stage.match, text):
        wrong.append(f"nothing like {stage.match!r} in the log; hits {sorted(ids_of(outcome.lines)[0])}")
    if stage.no_match and (found := re.search(stage.no_match, text)):
        wrong.append(f"{found[0]!r} in the log")
    return wrong
