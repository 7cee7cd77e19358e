"""known.py -- tests that are known to differ, each with its reason.

A file is a mapping from a section ("crs3") to a list of

    - tests: [920181-1, "944120-*"]       names; * as in a shell
      reason: why, and why it stays so

Both directions are faults: a test that fails and is not listed, and one that is listed and passes.
"""
import fnmatch

import yaml


class Known:
    def __init__(self, file, section):
        with open(file, encoding="utf-8") as text:
            entries = (yaml.safe_load(text) or {}).get(section) or []
        self.file, self.reasons = file, {}
        for entry in entries:
            if set(entry) != {"tests", "reason"} or not str(entry["reason"]).strip():
                raise SystemExit(f"{file}: {section}: an entry is tests and reason: {entry}")
            for pattern in entry["tests"]:
                if pattern in self.reasons:
                    raise SystemExit(f"{file}: {section}: {pattern} is listed twice")
                self.reasons[pattern] = entry["reason"]

    def pattern_of(self, name):
        if name in self.reasons:
            return name
        return next((p for p in self.reasons if fnmatch.fnmatchcase(name, p)), None)

    def judge(self, results, whole):
        """{name: fault or ""} -> (known, unexpected, stale): names, names, texts.

        `whole`: every test ran, so an entry that met none is stale too."""
        known, unexpected, met = [], [], {}
        for name, fault in results.items():
            pattern = self.pattern_of(name)
            if pattern is not None:
                met.setdefault(pattern, []).append((name, fault))
            if fault:
                (known if pattern is not None else unexpected).append(name)
        stale = [
            f"{name} passes now, but is listed ({pattern})"
            for pattern, tests in met.items()
            for name, fault in tests
            if not fault
        ]
        if whole:
            unmet = [pattern for pattern in self.reasons if pattern not in met]
            stale += [f"{pattern} is listed, but there is no such test" for pattern in unmet]
        return known, unexpected, stale
