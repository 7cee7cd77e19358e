"""wiki.py -- MediaWiki of Debian's package behind an nginx and a php-fpm of its own.

    wiki = Wiki()                               its port is chosen; the gate wants to know it
    with wiki.serving("http://127.0.0.1:18000"):        the address that visitors use

Database, uploads, configuration and sockets are in one temporary folder, which goes with it; no
system service is touched, and nothing outside the folder is written.
"""
import contextlib
import glob
import os
import shutil
import socket
import subprocess
import tempfile

from lib.claims import eventually
from lib.ports import free_port

HERE = os.path.dirname(os.path.abspath(__file__))
CODE = "/usr/share/mediawiki"
NGINX = "/usr/sbin/nginx"
USER, PASSWORD = "Admin", "Correct-Horse-9-Battery"
EXTENSIONS = ("CategoryTree", "Cite", "CodeEditor", "Gadgets", "ImageMap", "InputBox", "MultimediaViewer", "Nuke",
              "ParserFunctions", "Poem", "ReplaceText", "TemplateData", "VisualEditor", "WikiEditor")
SERVANT = "www-data"  # what both servers become when they are started by root


def missing():
    """What of the application is not installed."""
    return [name for name, there in (("mediawiki", os.path.isdir(CODE)), ("nginx", os.access(NGINX, os.X_OK)),
                                     ("php-fpm", php_fpm()), ("php-sqlite3", glob.glob("/usr/lib/php/*/sqlite3.so")))
            if not there]


def php_fpm():
    """The program, whose name has PHP's version in it."""
    return max(glob.glob("/usr/sbin/php-fpm*"), default="")


class Wiki:
    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = ""

    @contextlib.contextmanager
    def serving(self, at):
        self.folder = tempfile.mkdtemp(prefix="embergate-wiki.")
        try:
            self.install(at)
            with self.program([php_fpm(), *(["-R"] if is_root() else []), "-F", "-y", self.path("php-fpm.conf")],
                              self.php_answers), \
                 self.program([NGINX, "-c", self.path("nginx.conf")], self.nginx_answers):
                yield self
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def install(self, at):
        for name in ("images", "cache", "tmp", "data"):
            os.mkdir(self.path(name))
        command = ["php", f"{CODE}/maintenance/install.php", "--dbtype=sqlite", f"--dbpath={self.path('data')}",
                   "--dbname=wiki", f"--confpath={self.folder}", f"--server={at}", "--scriptpath=/w", f"--pass={PASSWORD}",
                   f"--extensions={','.join(EXTENSIONS)}", "--skins=Vector,MonoBook", "Field notes", USER]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, "MW_CONFIG_FILE": self.path("none.php")})
        if done.returncode:
            raise AssertionError("MediaWiki does not install:\n" + (done.stdout + done.stderr)[-3000:])
        for name in ("nginx.conf", "php-fpm.conf"):
            write(self.path(name), self.filled(name))
        with open(self.path("LocalSettings.php"), "a", encoding="utf-8") as settings:
            settings.write(self.filled("settings.php"))
        if is_root():
            give_to(SERVANT, self.folder)

    def filled(self, name):
        words = {"FOLDER": self.folder, "CODE": CODE, "PORT": str(self.port),
                 "NGINX_USER": f"user {SERVANT};" if is_root() else "",
                 "PHP_USER": f"user = {SERVANT}\ngroup = {SERVANT}\nlisten.owner = {SERVANT}" if is_root() else ""}
        with open(os.path.join(HERE, "conf", name + ".in"), encoding="utf-8") as file:
            text = file.read()
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        return text

    @contextlib.contextmanager
    def program(self, argv, ready):
        with open(self.path("output"), "ab") as out:
            process = subprocess.Popen(argv, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            eventually(lambda: ready() or process.poll() is not None, 20, f"{argv[0]} answering")
            if process.poll() is not None:
                raise AssertionError(f"{argv[0]} ended:\n" + self.said())
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def php_answers(self):
        return answers(socket.AF_UNIX, self.path("php.sock"))

    def nginx_answers(self):
        return answers(socket.AF_INET, ("127.0.0.1", self.port))

    def said(self):
        """The ends of all logs, for a failure's report."""
        texts = []
        for name in ("output", "php.log", "nginx.log"):
            with contextlib.suppress(FileNotFoundError), open(self.path(name), encoding="utf-8", errors="replace") as file:
                texts.append(f"-- {name}\n{file.read()[-2000:]}")
        return "\n".join(texts)


def is_root():
    return os.getuid() == 0


def give_to(user, folder):
    for parent, folders, files in os.walk(folder):
        for path in (parent, *(os.path.join(parent, name) for name in folders + files)):
            shutil.chown(path, user, user)


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def answers(family, address):
    with socket.socket(family) as probe:
        return probe.connect_ex(address) == 0
