"""Half an hour or more of people and their programs, for scenario_packs.py: nothing of it is an attack.

Each function is a stream, named by what it is; it yields (at_ms, facts). The complaints about rate scenarios that these
stand for: CrowdSec's hub issues 669, 991, 1023, 1097, 1519, 1555, its issues 1451, 4491."""
import random

MINUTE = 60 * 1000
HOUR = 60 * MINUTE


def page(path, **more):
    return {"http_path": path, "navigation": "true", "fingerprint": "page", **more}


def visit(rng, start, length, pace_ms, site=200, warm=0.5, referer="https://shop.example/", **who):
    """Someone reads: a page, what is on it, and some seconds of quiet. `warm`: how much the cache has already."""
    at, first = start, True
    while at < start + length:
        path = "/%s/%d" % (rng.choice(["news", "products", "help"]), int(rng.paretovariate(0.7)) % site)
        yield at, page(path, http_referer="" if first else referer, **{**who, **({"cookies": "false"} if first else {})})
        for i in range(rng.randint(3, 14)):
            if rng.random() > warm:
                yield at + 80 + i * 15, {"http_path": "/static/%s-%d.%s" % (path[1:4], i, rng.choice(["css", "js", "png", "woff2"])),
                                         "http_status": "404" if rng.random() < 0.01 else "200", "http_referer": referer, **who}
        for i in range(rng.randint(0, 3)):
            yield at + 400 + i * 40, {"http_path": "/api/state?part=%d" % i, "http_referer": referer, **who}
        first = False
        at += int(rng.expovariate(1 / pace_ms)) + 1500


def a_person_browses(rng):
    yield from visit(rng, 0, 30 * MINUTE, 12000)


def a_person_with_a_warm_cache_opens_tabs(rng):
    """Twenty results of a search at once, now and then, and nothing of them but the pages."""
    for start in range(0, 30 * MINUTE, 3 * MINUTE):
        for i in range(20):
            yield start + i * 300, page("/thread/%s-%d" % (rng.choice("abcdef"), rng.randrange(10000)), http_referer="https://shop.example/")


def a_site_without_cookies_is_read(rng):
    for at, facts in visit(rng, 0, 30 * MINUTE, 9000):
        yield at, {**facts, "cookies": "false"}


def an_office_of_200_with_sessions(rng):
    """A talkative application on two hundred desks behind one address: pages, their parts, and a poll every five seconds."""
    for desk in range(200):
        who = {"source_ip": "198.51.100.7", "session": "desk%d" % desk}
        begin = rng.randrange(10 * MINUTE)
        yield from visit(rng, begin, 6 * MINUTE, 30000, **who)
        for at in range(begin, begin + 6 * MINUTE, 5000):
            yield at + desk * 7, {"http_path": "/api/notifications?since=%d" % at, **who}


def an_office_of_200_reads_a_public_site(rng):
    """No session, one address: at any time some forty of them read."""
    for desk in range(200):
        yield from visit(rng, rng.randrange(25 * MINUTE), 5 * MINUTE, 25000, site=3000, source_ip="198.51.100.8")


def an_office_works_on_tickets(rng):
    for desk in range(100):
        for at in range(rng.randrange(60000), 30 * MINUTE, 45000):
            yield at, page("/tickets/%d" % rng.randrange(40000, 41000), source_ip="198.51.100.9", session="desk%d" % desk,
                           http_referer="https://shop.example/tickets")


def webdav_syncs_a_folder(rng):
    """A tree of sources: what is not there yet answers 404, among them names that scanners look for."""
    at = 0
    for n in range(1500):
        name = "/dav/files/ann/project/%s" % rng.choice([".git/config", ".env", "src/f%d.c" % n, "doc/p%d.txt" % n, "d%d" % n])
        yield at, {"http_verb": "PROPFIND", "http_path": name, "http_status": "404", "http_user_agent": "Mirall/3.13", "cookies": "false"}
        yield at + 20, {"http_verb": "GET", "http_path": name, "http_status": "404" if n % 3 else "200", "http_user_agent": "Mirall/3.13",
                        "cookies": "false"}
        yield at + 40, {"http_verb": "PUT", "http_path": name, "http_status": "201", "http_user_agent": "Mirall/3.13", "cookies": "false"}
        at += 120


def a_windows_drive_asks_without_a_password_first(rng):
    """Each request is sent twice: 401, then with credentials. A 401 to a request without any is no failure."""
    for n in range(600):
        for status in ("401", "207"):
            yield n * 500, {"http_verb": "PROPFIND", "http_path": "/webdav/f%d" % (n % 90), "http_status": status,
                            "http_user_agent": "Microsoft-WebDAV-MiniRedir/10.0", "cookies": "false"}


def nextcloud_polls(rng):
    for device in range(3):
        who = {"http_user_agent": "Mozilla/5.0 (Linux) mirall/3.13.%d" % device, "source_ip": "203.0.113.5", "session": "nc%d" % device}
        for at in range(device * 1000, HOUR, 30000):
            yield at, {"http_path": "/ocs/v2.php/apps/notifications/api/v2/notifications?format=json", **who}
            yield at + 50, {"http_verb": "PROPFIND", "http_path": "/remote.php/dav/files/ann/", "http_status": "207", **who}
        for n in range(120):  # a folder of photographs is opened
            yield 5 * MINUTE + n * 40, {"http_path": "/index.php/core/preview?fileId=%d&x=256&y=256" % (9000 + n),
                                        "http_status": "404" if n % 4 == 0 else "200", **who}
        for n in range(60):
            yield 9 * MINUTE + n * 50, {"http_path": "/remote.php/dav/avatars/user%d/64.png" % n, "http_status": "404" if n % 2 else "200", **who}


def matrix_long_polls(rng):
    """A client starts with a few hundred rooms: profiles and pictures that are gone, then waits for news."""
    who = {"source_ip": "203.0.113.6", "cookies": "false", "http_user_agent": "Element/1.11"}
    for n in range(250):
        yield n * 25, {"http_path": "/_matrix/media/v3/thumbnail/example.org/aVatar%dx?width=48&height=48" % n,
                       "http_status": "404" if n % 3 == 0 else "200", **who}
        yield n * 25 + 10, {"http_path": "/_matrix/client/v3/rooms/!r%d:example.org/state/m.room.avatar" % n,
                            "http_status": "404" if n % 2 else "200", **who}
    for n in range(400):
        yield 20000 + n * 4000, {"http_path": "/_matrix/client/v3/sync?since=s%d&timeout=30000" % n, **who}


def feeds_are_read(rng):
    """A server that reads thirty of our feeds for its users, all at once every five minutes; some are gone."""
    for start in range(0, 2 * HOUR, 5 * MINUTE):
        for n in range(30):
            yield start + n * 60, {"http_path": "/feeds/%d.atom" % n, "http_status": "410" if n < 10 else "304", "cookies": "false",
                                   "http_user_agent": "FreshRSS/1.24 (Linux; https://freshrss.org)"}


def a_rest_client_pages(rng):
    for n in range(500):
        yield n * 60, {"http_path": "/api/v2/orders?page=%d&per_page=100" % n, "cookies": "false", "http_user_agent": "python-requests/2.32"}


def a_rest_client_fetches_a_backlog(rng):
    for n in range(2000):
        yield n * 50, {"http_path": "/api/v2/orders/%d" % (70000 + n), "cookies": "false", "http_user_agent": "Go-http-client/1.1",
                       "http_status": "404" if n % 400 == 0 else "200"}


def a_mobile_app_opens(rng):
    for start in range(0, HOUR, 4 * MINUTE):
        for n in range(40):
            yield start + n * 30, {"http_path": "/v1/feed/item%d?locale=en" % (start // 1000 + n), "cookies": "false",
                                   "http_user_agent": "ShopApp/7.2 (iPhone; iOS 17.5)"}


def a_gallery_is_opened(rng):
    for n in range(600):
        yield n * 12, {"http_path": "/api/assets/%08x/thumbnail?size=preview" % rng.getrandbits(32), "session": "g"}


def a_map_is_moved(rng):
    for n in range(1500):
        yield n * 40, {"http_path": "/tiles?z=14&x=%d&y=%d" % (8000 + n % 70, 5000 + n // 70), "session": "m"}


def someone_types_into_a_search(rng):
    for n in range(300):
        yield n * 150, {"http_path": "/search?q=" + "abcdefghijklmnop"[:n % 16 + 1], "session": "t"}


def a_crawler_that_behaves(rng):
    """A page every two seconds for two hours, no cookies, a tenth of them gone, from an address that is not verified."""
    for n in range(3600):
        yield n * 2000, page("/archive/entry-%s" % rng.choice("abc") + str(n), cookies="false", fingerprint="bot",
                             http_status="404" if n % 10 == 0 else "200",
                             http_user_agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")


def a_verified_crawler_is_fast(rng):
    for n in range(3000):
        yield n * 100, page("/product/%d" % n, cookies="false", fingerprint="bot", bot="search", bot_verified="true",
                            http_status="404" if n % 3 == 0 else "200")


def monitors_look_every_ten_seconds(rng):
    """From sixty places in the world, with one program."""
    for n in range(720):
        yield n * 10000, page("/", source_ip="203.0.%d.7" % (n % 60), cookies="false", fingerprint="monitor",
                              http_user_agent="UptimeProbe/2.0")


def a_link_is_shared(rng):
    """Eight hundred servers of the Fediverse fetch the preview in a minute; each names itself. And people follow it."""
    for n in range(800):
        yield n * 70, page("/news/1", source_ip="10.%d.%d.9" % (n // 200, n % 200), cookies="false", fingerprint="instance%d" % n,
                           http_user_agent="Mastodon/4.2.9 (http.rb/5.1.1; +https://m%d.example/) Bot" % n)
    for n in range(2000):
        who = {"source_ip": "10.9.%d.%d" % (n // 250, n % 250)}
        yield n * 300, page("/news/1", cookies="false", http_referer="https://m.example/" if rng.random() < 0.5 else "", **who)
        yield n * 300 + 200, {"http_path": "/static/site.css", "cookies": "false", **who}
        if rng.random() < 0.3:
            yield n * 300 + 20000, page("/news/2", http_referer="https://shop.example/news/1", **who)


def new_visitors_come_to_a_site_without_cookies(rng):
    """Five a second with the most common browser; most of them by a search."""
    for n in range(6000):
        who = {"source_ip": "10.%d.%d.3" % (20 + n // 250, n % 250), "cookies": "false"}
        yield n * 200, page("/article/%d" % (n % 40), http_referer="https://search.example/" if rng.random() < 0.6 else "", **who)
        yield n * 200 + 100, {"http_path": "/style.css", "http_referer": "https://shop.example/", **who}


def login(outcome, user, **more):
    failed = {"sub_type": "auth_fail", "http_status": "401"} if outcome == "failure" else {}
    return {"http_verb": "POST", "http_path": "/login", "route": "login", "login": outcome, "user": user, **failed, **more}


def someone_has_forgotten_the_password(rng):
    for n in range(6):
        yield n * 7000, login("failure", "ann")
    yield 6 * 7000, login("success", "ann")


def a_class_of_30_logs_in_at_eight(rng):
    for n in range(30):
        at, who = rng.randrange(3 * MINUTE), {"source_ip": "198.51.100.30", "session": "p%d" % n}
        if n % 10 == 0:
            yield at - at % 10, login("failure", "pupil%d" % n, **who)
            at += 8000
        yield at, login("success", "pupil%d" % n, **who)


def an_office_of_200_logs_in_at_nine(rng):
    for n in range(200):
        at, who = rng.randrange(15 * MINUTE), {"source_ip": "198.51.100.31"}
        for again in range(2 if n % 20 == 0 else 1 if n % 10 == 0 else 0):
            yield at, login("failure", "staff%d" % n, **who)
            at += 9000
        yield at, login("success", "staff%d" % n, **who)


def a_university_logs_in(rng):
    """Three thousand in an hour from one /24, and from one provider."""
    for n in range(3000):
        at, who = rng.randrange(HOUR), {"source_ip": "198.18.7.%d" % (n % 200), "ASNumber": "64500"}
        if n % 12 == 0:
            yield at, login("failure", "student%d" % n, **who)
            at += 9000
        yield at, login("success", "student%d" % n, **who)


def a_device_has_an_old_password(rng):
    """A calendar asks every half a minute, for a day, and changes between home and mobile networks."""
    for n in range(2880):
        home = (n // 120) % 4
        yield n * 30000, {"http_verb": "PROPFIND", "http_path": "/caldav/ann/", "http_status": "401", "sub_type": "auth_fail",
                          "source_ip": "203.0.113.%d" % (40 + home), "cookies": "false", "http_user_agent": "DAVx5/4.4"}


def someone_pays(rng):
    for n in range(40):
        who = {"source_ip": "198.51.100.%d" % (60 + n), "fingerprint": "checkout", "route": "payment", "http_verb": "POST"}
        for again in range(n % 3):
            yield n * 20000 + again * 15000, {"http_path": "/checkout/pay", "http_status": "402", **who}
        yield n * 20000 + 60000, {"http_path": "/checkout/pay", "http_status": "303", **who}


def a_canteen_orders_at_noon(rng):
    for n in range(120):
        yield rng.randrange(40 * MINUTE), {"source_ip": "198.51.100.70", "session": "c%d" % n, "http_path": "/pay", "route": "payment",
                                           "http_verb": "POST", "http_status": "200"} if n % 4 == 0 else {
                                               "source_ip": "198.51.100.70", "session": "c%d" % n, "http_path": "/menu"}


def people_wait_for_a_sale(rng):
    for n in range(60):
        who = {"source_ip": "10.40.0.%d" % n, "session": "w%d" % n, "route": "scalping"}
        for at in range(0, 100 * 1000, 1000 + 25 * n):
            yield at, page("/tickets/final", **who)
            yield at + 300, {"http_path": "/static/app.js", "http_status": "304", **who, "route": ""}  # a reload asks for the parts again
        yield 101000 + n * 50, {"http_verb": "POST", "http_path": "/tickets/final/order", "http_referer": "https://shop.example/", **who}


def a_draft_is_refused_again_and_again(rng):
    for n in range(180):
        yield n * 10000, {"log_type": "appsec-block", "rule_name": "embergate/sql-union", "http_path": "/wp-admin/admin-ajax.php",
                          "http_verb": "POST"}


def builds_ask_for_artefacts(rng):
    for n in range(900):
        yield n * 40, {"http_path": "/repository/org/x%d/1.0/x%d-1.0.%s" % (n, n, rng.choice(["pom", "jar", "jar.sha1"])),
                       "http_status": "404" if n % 2 else "200", "cookies": "false", "http_user_agent": "Apache-Maven/3.9"}
    for n in range(60):
        yield n * 100, {"http_verb": "HEAD", "http_path": "/v2/team/app/blobs/sha256:%064x" % n, "http_status": "404", "cookies": "false",
                        "http_user_agent": "docker/26.1"}


STREAMS = [f for name, f in list(globals().items())
           if callable(f) and getattr(f, "__code__", None) and f.__code__.co_varnames[:f.__code__.co_argcount] == ("rng",)]


def all_streams():
    """(name, events by time)."""
    for stream in STREAMS:
        yield stream.__name__.replace("_", " "), sorted(stream(random.Random(stream.__name__)), key=lambda e: e[0])
