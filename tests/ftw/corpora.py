"""corpora.py -- the two sets of tests, and the rules that each is for."""
import contextlib
import os
import tarfile
import tempfile

import cases

HERE = os.path.dirname(os.path.abspath(__file__))
DEBIAN, DEBIAN_ETC = "/usr/share/modsecurity-crs", "/etc/modsecurity/crs"


class Missing(Exception):
    """What is not there; the tests that need it are skipped."""


class Corpus:
    def __init__(self, name, archive, settings, folder):
        self.name, self.archive, self.folder = name, archive, folder
        self.settings = os.path.join(HERE, settings)

    def rules(self):
        """The directory that holds the rule set."""
        if not self.folder:
            raise Missing("EMBERGATE_CRS_DIR does not name a checkout of the Core Rule Set 4")
        if not os.path.isdir(os.path.join(self.folder, "rules")):
            raise Missing(f"no rules of {self.name} in {self.folder} (Debian package modsecurity-crs)")
        return os.path.abspath(self.folder)

    def files(self):
        """What ModSecurity would include, in order."""
        folder = self.rules()
        if folder == DEBIAN:
            setup = f"{DEBIAN_ETC}/crs-setup.conf"
        else:
            setup = os.path.join(folder, "crs-setup.conf")
            setup = setup if os.path.exists(setup) else setup + ".example"
        rules = sorted(f for f in os.listdir(f"{folder}/rules") if f.endswith(".conf"))
        return [setup, self.settings] + [f"{folder}/rules/{name}" for name in rules]

    def waf(self):
        """How an app of the gate is told to use it, strictest and stopping nothing."""
        return {
            "mode": "detect",
            "ruleset": "crs",
            "crs": self.rules(),
            "paranoia": 4,
            "packs": "off",
            "rules": [self.settings],
        }

    def cases(self, vectors):
        with unpacked(os.path.join(vectors, self.archive)) as folder:
            return cases.read(folder)


@contextlib.contextmanager
def unpacked(archive):
    if not os.path.exists(archive):
        raise Missing(f"no {archive}")
    with tempfile.TemporaryDirectory(prefix="embergate-ftw.") as folder:
        with tarfile.open(archive) as tar:
            tar.extractall(folder)
        yield folder


CORPORA = {
    "crs3": Corpus("crs3", "crs-tests-3.3.4.tar.xz", "crs3-settings.conf", DEBIAN),
    "crs4": Corpus("crs4", "crs-tests-v4.tar.xz", "crs4-settings.conf", os.environ.get("EMBERGATE_CRS_DIR", "")),
}
