"""secure.py -- a gate that speaks TLS, with certificates of its own."""
import tempfile

from lib import certs
from lib.client import trusting
from lib.gate import Gate, one_app


class Secure(Gate):
    """A gate with a TLS listener on `port` and certificates for one.example and two.example."""

    def __init__(self, origin, top=None, names=("one.example", "two.example"), start=True, **app):
        self.made = tempfile.TemporaryDirectory(prefix="embergate-certs.")
        pairs = [certs.make(self.made.name, name) for name in names]
        self.authorities = {name: pair[0] for name, pair in zip(names, pairs)}
        self.tls = {"certs": [{"cert": cert, "key": key} for cert, key in pairs]}
        super().__init__(one_app(origin.url, top, **app), start=start)

    def filled(self, config):
        listen = [{"bind": f"127.0.0.1:{self.port}", "tls": True}]
        return super().filled(
            {"listen": listen, **config, "tls": {**self.tls, **config.get("tls", {})}}
        )

    def __exit__(self, *why):
        super().__exit__(*why)
        self.made.cleanup()

    def secure(self, name="one.example", **how):
        return self.connect(tls=trusting(self.authorities.get(name), **how), name=name)
