"""crowd.py -- a shop, and who comes to it, each from an address of its own (PROXY protocol).

    with Shop() as shop, ... gate in front ... as gate:
        company = Company(gate)                 in the background, who must be let alone; company.end()
        stuffing(gate, ...)                     400 pairs of names and passwords from 200 addresses
        scraping(gate, ...)                     pages by their numbers from 200 addresses

Only loopback's sockets are used; the addresses are what the PROXY header says. `shop.asked` is what
reached the origin: (time, address).
"""
import queue
import random
import re
import threading
import time

from lib.client import request
from lib.origin import Origin, answer
from lib.proxy_header import v2

HOST = "shop.example"
FORM = "Content-Type: application/x-www-form-urlencoded"
# One browser that half of the visitors have: people, and who pretends to be people.
AGENT = ("User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/131.0.0.0 Safari/537.36")
PAGE = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CHROME = (AGENT, PAGE, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document",
          "Accept-Encoding: gzip, deflate", "Accept-Language: de,en;q=0.5")
PART = (AGENT, "Accept: text/css,image/png,*/*;q=0.1", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors",
        "Sec-Fetch-Dest: style", *CHROME[5:])
PRODUCTS = 5000


def library(number):
    """What a library sends that calls itself a browser; each crowd has its own, so that none finds another's bucket."""
    return ("Accept-Encoding: gzip, deflate", "Accept: text/html,*/*", "Connection: close",
            f"{AGENT} Edg/131.0.{number}")


class Shop(Origin):
    """Pages, files, a feed, an API and a login; the right password is `right-` and the name."""

    def __init__(self):
        self.asked = []  # (seconds since 1970, address)
        super().__init__(self.serves, record=False)

    def saw(self, asked):
        self.asked.append((time.time(), asked.fields.get("x-forwarded-for").split(",")[0]))

    def serves(self, asked):
        path = asked.target.partition("?")[0]
        number = re.fullmatch(r"/(?:api/)?product/(\d+)", path)
        if path == "/login" and asked.method == "POST":
            return self.login(asked)
        if path == "/feed.xml" and asked.fields.get("if-none-match"):
            return answer(304, reason=b"Not Modified")
        if path in ("/", "/style.css", "/logo.png", "/robots.txt", "/feed.xml", "/login", "/account") or (
                number and int(number[1]) < PRODUCTS):
            fields = [b"Content-Type: text/html", b"Set-Cookie: sid=%x; Path=/" % id(asked)]
            return answer(200, b"<p>%s</p>" % path.encode() * 40, fields)
        return answer(404, b"not here", reason=b"Not Found")

    @staticmethod
    def login(asked):
        name, _, password = asked.body.partition(b"&password=")
        if password == b"right-" + name.removeprefix(b"name="):
            return answer(302, fields=[b"Location: /account"], reason=b"Found")
        return answer(401, b"wrong", reason=b"Unauthorized")


def ask(gate, address, target, fields, method="GET", body=None):
    """One request on a connection of its own; the status."""
    with gate.connect(before=v2(address), record=False, timeout=20) as client:
        client.send(request(method, target, fields, body, host=HOST))
        return client.response(method).status


def log_in(gate, address, name, password, fields):
    return ask(gate, address, "/login", (*fields, FORM), "POST", f"name={name}&password={password}".encode())


def at_rate(jobs, rate, workers=12):
    """Calls each of `jobs`, so many a second; what they returned."""
    waiting, results = queue.Queue(maxsize=1), []

    def work():
        while job := waiting.get():
            results.append(job())

    threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    begun = time.monotonic()
    for number, job in enumerate(jobs):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        waiting.put(job, timeout=60)
    for _ in threads:
        waiting.put(None, timeout=60)
    for thread in threads:
        thread.join(60)
    return results


# ---- who must be stopped ----

def neighbours(number, count=200):
    """Of one /24."""
    return [f"198.18.{number}.{i + 1}" for i in range(count)]


def strangers(number, count=200):
    """Each of another network."""
    return [f"{number}.{i}.7.9" for i in range(count)]


def stuffing(gate, addresses, each, rate, fields):
    """Every account once; one pair of a hundred is right."""
    chance = random.Random(4)
    order = [address for address in addresses for _ in range(each)]
    chance.shuffle(order)

    def attempt(number, address):
        name = f"user{number}@mail.example"
        password = f"right-{name}" if number % 100 == 99 else "leaked"
        return lambda: log_in(gate, address, name, password, fields)

    return at_rate([attempt(number, address) for number, address in enumerate(order)], rate)


def scraping(gate, addresses, each, rate, fields):
    """Numbered pages one after the other and nothing else; the next is asked for from another address."""
    order = [address for _ in range(each) for address in addresses]

    def page(number, address):
        return lambda: ask(gate, address, f"/product/{number}", fields)

    return at_rate([page(number, address) for number, address in enumerate(order)], rate)


# ---- who must not ----

class Company:
    """People, crawlers that behave, feed readers and a program of a customer's, in threads until its end."""

    def __init__(self, gate):
        self.gate, self.over = gate, threading.Event()
        self.statuses = {}  # address -> [status]
        self.faults = []
        self.threads = [threading.Thread(target=self.run, args=who, daemon=True) for who in (
            (self.crawler, "66.249.66.", 8, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
            (self.crawler, "192.0.2.", 1, "Mozilla/5.0 (compatible; ExampleBot/1.0; +https://bot.example/)"),
            (self.feed_readers,), (self.program,), *((self.people, desk) for desk in range(4)))]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
        if self.faults:
            raise self.faults[0]

    def run(self, who, *more):
        try:
            who(*more)
        except Exception as fault:  # told by end()
            self.faults.append(fault)

    def ask(self, address, *more, **named):
        self.statuses.setdefault(address, []).append(ask(self.gate, address, *more, **named))

    def rest(self, seconds):
        """False when it is time to go."""
        return not self.over.wait(seconds)

    def crawler(self, network, addresses, agent):
        """A page every two seconds, with neither cookies nor what is on it."""
        fields = (f"User-Agent: {agent}", PAGE, "Accept-Encoding: gzip")
        self.ask(network + "1", "/robots.txt", fields)
        page = 0
        while self.rest(2):
            page += 1
            self.ask(f"{network}{1 + page % addresses}", f"/product/{page}", fields)

    def feed_readers(self):
        fields = ("User-Agent: Feedly/1.0 (+https://feedly.example/fetcher.html)", "Accept: application/atom+xml, */*",
                  'If-None-Match: "1"')
        turn = 0
        while self.rest(0.3):
            turn += 1
            self.ask(f"192.0.2.{100 + turn % 60}", "/feed.xml", fields)

    def program(self):
        """A customer's: four a second, by number; one of ten is not there any more."""
        fields = ("User-Agent: python-requests/2.32.3", "Accept: application/json", "Authorization: Bearer 5f1c8ad1")
        turn = 0
        while self.rest(0.25):
            turn += 1
            number = PRODUCTS + turn % 7 if turn % 10 == 0 else turn
            self.ask("192.0.2.20", f"/api/product/{number}", fields)

    def people(self, desk):
        """They come from a search or from nowhere, look at a few products, and every third logs in, wrong once."""
        visit = 0
        while self.rest(0.1):
            visit += 1
            address, cookie = f"81.{desk}.{visit % 250}.33", (f"Cookie: sid={desk}x{visit}",)
            here = f"Referer: http://{HOST}/"
            self.ask(address, "/", CHROME)
            for part in ("/style.css", "/logo.png"):
                self.ask(address, part, (*PART, here, *cookie))
            for _ in range(3):
                if not self.rest(random.uniform(0.2, 0.8)):
                    return
                self.ask(address, f"/product/{random.randrange(PRODUCTS)}", (*CHROME, here, *cookie))
            if visit % 3 == 0:
                self.login(address, f"person{desk}-{visit}@mail.example", (*CHROME, here, *cookie))

    def login(self, address, name, fields):
        for password in ("forgotten", f"right-{name}"):
            self.statuses.setdefault(address, []).append(log_in(self.gate, address, name, password, fields))
