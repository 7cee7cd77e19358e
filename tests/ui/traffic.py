"""traffic.py -- what comes to a gate all the time, so that its charts have something to show: people who read, some of them
challenged and through, programs that are not, and attacks from all over the world."""
import random
import threading

from lib.visitor import Visitor
from world import ATTACKS, BOTS, send

AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
)
SECONDS = 45  # before it is worth a picture: the series have steps of ten
PAUSE = 0.08
COUNTRIES = 20  # of the test's geo file


class Traffic:
    """`with` it, and when `on`: the gate is asked by a thread of ours, until the end. It begins SECONDS before the rest."""

    def __init__(self, gate, on):
        self.gate, self.on, self.over = gate, on, threading.Event()
        self.dice = random.Random(7)
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        if self.on:
            self.thread.start()
            self.over.wait(SECONDS)
        return self

    def __exit__(self, *why):
        self.over.set()
        if self.on:
            self.thread.join()

    def run(self):
        for n in range(1 << 30):
            if self.over.wait(PAUSE):
                return
            try:
                self.step(n)
            except (OSError, AssertionError):  # while the gate ends
                if self.over.wait(1):
                    return

    def step(self, n):
        self.reads(n)
        if n % 5 == 0:
            attack, address = self.dice.choice(ATTACKS), f"198.19.{int(self.dice.triangular(0, COUNTRIES, 0))}.{self.dice.randrange(12)}"
            send(self.gate, address, attack, host=self.dice.choice(("shop.example", "shop.example", "blog.example")))
        if n % 9 == 0:
            self.challenged(n)
        if n % 13 == 0:
            send(self.gate, f"198.18.6.{n % 200}", "/", agent=self.dice.choice(BOTS))

    def reads(self, n):
        """With a Referer and a cookie, as who goes on from page to page."""
        host = "shop.example" if self.dice.random() < 0.7 else "blog.example"
        send(self.gate, f"198.18.1.{n % 60 + 1}", f"/products/{n % 17}", host=host, agent=AGENTS[n % 3],
             fields=[f"Referer: http://{host}/", f"Cookie: basket={n % 60}"])

    def challenged(self, n):
        """Two of three are people whose browser solves it."""
        address = f"198.18.2.{n % 200 + 1}"
        if n % 27 == 0:
            send(self.gate, address, "/members/area", host="blog.example")
            return
        fields = (f"User-Agent: {AGENTS[n % 3]}", "Accept: text/html", "Accept-Language: en", f"X-Forwarded-For: {address}")
        person = Visitor(self.gate, fields, host="blog.example")
        person.solve("/members/area")
        person.ask(target="/members/area")
