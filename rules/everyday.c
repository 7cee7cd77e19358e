/* everyday.c -- paths, arguments, cookies, fields and texts without malice. */
#include "rules/everyday.h"

static const char *const values[] = {
	"/", "/index.html", "/favicon.ico", "/robots.txt", "/blog/2026/11/24/hello-world/",
	"/assets/app-3f9a1c.min.js", "/assets/css/style.css?v=12", "/images/logo@2x.png",
	"/api/v1/users/42/orders?page=2&sort=-created_at", "/products/blue-shirt-xl", "/search",
	"/wp-content/uploads/2025/03/photo-1024x683.jpg", "/en/about-us.php", "/account/login",
	"/static/fonts/inter-var.woff2", "/docs/v2/guide#install", "/cart/checkout", "/graphql",
	"/download/report_2026-q3.pdf", "/socket.io/?eio=4&transport=polling&t=pb9zq3k",
	"1", "42", "true", "2026-11-24", "desc", "en-us", "name", "page", "q", "id", "a", "",
	"john.doe@example.com", "blue shirts & trousers", "what's new in 2026?", "(555) 010-9999",
	"https://www.example.com/landing?utm_source=newsletter&utm_medium=email", "50%", "c++ tutorial",
	"3f2504e0-4f89-11d3-9a0c-0305e82c3301", "eyjhbgcioijiuzi1nij9.eyjzdwiioiixmjm0nty3odkwin0",
	"select a size and add it to the cart", "the union of two sets, and where to find it",
	"dear team,\r\nplease find the minutes attached.\r\n- anna", "#ff8800", "o'reilly", "7.99",
	"ga1.2.1234567890.1700000000", "sid=s%3aj9x0a2.kq", "dark", "{\"theme\":\"dark\",\"size\":[12,14]}",
	"session", "csrftoken", "_ga", "phpsessid", "4kq2m9v8c7x1z5b3n6a0s1d2f3", "k8s-7f9c",
	"mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/131.0.0.0 safari/537.36",
	"mozilla/5.0 (iphone; cpu iphone os 17_5 like mac os x) applewebkit/605.1.15 (khtml, like gecko) mobile/15e148",
	"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
	"gzip, deflate, br", "en-us,en;q=0.5", "keep-alive", "no-cache", "www.example.com", "same-origin",
	"\"chromium\";v=\"131\", \"not_a brand\";v=\"24\"", "bytes=0-1023", "w/\"5f3-17a\"",
	"application/x-www-form-urlencoded", "multipart/form-data; boundary=----webkitformboundary7ma4ywxk",
	"sec-fetch-dest", "sec-fetch-mode", "document", "navigate", "upgrade-insecure-requests", "return_to",
	"session_hint", "accept-encoding", "content-length", "https://shop.example.com/garden/",
	"newsletter-2026-07-summer-campaign", "/account/orders/2026-07-24?view=compact&lang=en",
	"59a7bd9c084e92c1a0ec3d00def35ddd582007da4012cfb09c51f63401fe9b8f",
	"the quick delivery of our garden chair was good, thanks to the friendly support team for that",
	"wed, 21 oct 2026 07:28:00 gmt", "xmlhttprequest", "content-type", "accept-language",
};

unsigned everyday_percent(const struct op *op, const struct operand *o)
{
	unsigned passed = 0;

	for (size_t i = 0; i < nelems(values); i++) {
		struct span s;

		passed += op->test(o, bytes_of(values[i]), &s) != ANSWER_NO;
	}
	return passed * 100 / (unsigned)nelems(values);
}

double everyday_share(const struct bytes *texts, size_t n, bool caseless)
{
	size_t has = 0;

	for (size_t i = 0; i < nelems(values); i++)
		for (size_t k = 0; k < n; k++) {
			struct bytes v = bytes_of(values[i]);

			if ((caseless ? bytes_find_nocase(v, texts[k]) : bytes_find(v, texts[k])) == SIZE_MAX)
				continue;
			has++;
			break;
		}
	return (double)has / (double)nelems(values);
}
