// parts.mjs -- the dashboard's modules that need no browser: node --test tests/ui/parts.mjs
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { diff_lines } from "../../admin/ui/src/diff.js";
import { in_network, is_meant } from "../../admin/ui/src/events_of.js";
import { exception_body, exception_words, exception_yaml, exceptions_proposed } from "../../admin/ui/src/exceptions.js";
import { ago, bytes, micros, rate, short, span } from "../../admin/ui/src/format.js";
import { with_receiver } from "../../admin/ui/src/receiver.js";
import { qr } from "../../admin/ui/src/qr.js";
import { sse_parser } from "../../admin/ui/src/sse.js";

test("every number has its unit, what is not known has a dash", () => {
	assert.equal(micros(412), "412 µs");
	assert.equal(micros(1250), "1.3 ms");
	assert.equal(bytes(2e9), "2 GB");
	assert.equal(rate(12345), "12.3 k/s");
	assert.equal(rate(0.02), "1.2/min");
	assert.equal(rate(0, 0.0005), "0/h");
	assert.equal(short(9999), "9,999");
	assert.equal(short(null), "–");
	assert.equal(span(3 * 3600 + 60), "3 h");
	assert.equal(span(90061), "1 d 1 h");
	assert.equal(ago(new Date(Date.now() - 5 * 60000).toISOString()), "5 min ago");
	assert.equal(ago(new Date(Date.now() + 3601000).toISOString()), "in 1 h");
});

test("a receiver goes where the others are", () => {
	const form = { url: "https://h.example/a", events: ["attack"], every: "1m", min: "5", secret: "file:/x", full: true };
	const text = '  - url: "https://h.example/a"\n    events: [attack]\n    every: 1m\n    min: 5\n    secret: "file:/x"\n    full: on\n';
	const plain = { url: 'https://h.example/"', events: [], every: "1h", min: "1", secret: "", full: false };

	assert.equal(with_receiver("", form), `notify:\n${text}`);
	assert.equal(with_receiver("# head\napps:\n  shop: {}\n", form), `# head\napps:\n  shop: {}\nnotify:\n${text}`);
	assert.equal(with_receiver("notify: # ours\n  - url: b\napps: {}\n", plain),
		'notify: # ours\n  - url: "https://h.example/\\""\n    every: 1h\n  - url: b\napps: {}\n');
});

test("a stream may be cut anywhere", () => {
	const text = ": hello\r\n\r\nevent: security\nid: 7\ndata: {\"a\":\ndata: 1}\n\nevent: stats\ndata:{}\n\ndata: half";
	const expected = [{ event: "security", data: "{\"a\":\n1}", id: "7" }, { event: "stats", data: "{}", id: undefined }];

	for (let size = 1; size <= text.length; size++) {
		const got = [], parse = sse_parser((e) => got.push(e));

		for (let at = 0; at < text.length; at += size)
			parse(text.slice(at, at + size));
		assert.deepEqual(got, expected, `in pieces of ${size}`);
	}
});

test("a diff has the numbers of its lines", () => {
	const lines = diff_lines("--- a\n+++ b\n@@ -3,2 +3,3 @@\n same\n-gone\n+new\n+--- not a head\n");

	assert.deepEqual(lines.map((l) => [l.kind, l.old, l.new, l.text]).slice(1), [
		["same", 3, 3, "same"], ["del", 4, undefined, "gone"], ["add", undefined, 4, "new"], ["add", undefined, 5, "--- not a head"],
	]);
});

test("networks of both families", () => {
	assert.ok(in_network("192.0.2.77", "192.0.2.0/24"));
	assert.ok(!in_network("192.0.3.77", "192.0.2.0/24"));
	assert.ok(in_network("2001:db8::17", "2001:db8::/32"));
	assert.ok(!in_network("2001:db9::17", "2001:db8::/32"));
	assert.ok(!in_network("192.0.2.77", "2001:db8::/32"));
	assert.ok(in_network("255.0.0.1", "0.0.0.0/0"));
	assert.ok(!in_network("192.0.2.1", "nonsense/8"));
	assert.ok(!in_network("192.0.2.1", "192.0.2.0/99"));
});

test("a filter means what the gate means", () => {
	const event = { id: "01M8", app: "shop", action: "deny", source: "rule", rules: ["942100"], rule: "942100", client: "192.0.2.1",
		country: "DE", as: 3320, ja4: "t13d1516h2_8daaf6152771_e5627efa2ab1", path: "/Login", method: "POST", status: 403, host: "shop.example", reason: "SQL" };

	assert.ok(is_meant(event, { rule: "942100", country: "de", as: "AS3320", path: "/login", status: "403", id: "01m8", q: "sql" }));
	assert.ok(is_meant(event, { ja4: "t13d1516h2_" }));
	assert.ok(!is_meant(event, { ja4: "8daaf6152771" }));
	assert.ok(!is_meant({ ...event, ja4: undefined }, { ja4: "t13" }));
	assert.ok(!is_meant(event, { rule: "9421" }));
	assert.ok(!is_meant(event, { app: "wiki" }));
});

test("what is proposed is read, and written as it was", () => {
	const text = "  if this is legitimate, in the configuration under apps.shop:\n    exceptions:\n" +
		"      - {path: \"/a \\\"b\\\"\", rules: [embergate/sqli, 942100], args: [\"q, ]\", \"x\"], reason: \"...\"}\n" +
		"      - {path: \"/\", rules: [920350], headers: [\"Host\"], reason: \"...\"}\n      # not all rules\n";
	const [first, second, ...more] = exceptions_proposed(text);

	assert.deepEqual(first, { path: "/a \"b\"", rules: ["embergate/sqli", "942100"], args: ["q, ]", "x"] });
	assert.deepEqual(second, { path: "/", rules: ["920350"], headers: ["Host"] });
	assert.equal(more.length, 0);
	assert.equal(exception_yaml(first), "- {path: \"/a \\\"b\\\"\", rules: [embergate/sqli, 942100], args: [\"q, ]\", \"x\"]}");
	assert.equal(exception_words(second), "rule 920350 does not look at header Host of /");
	assert.deepEqual(exception_body("shop", { ...second, cookies: [], reason: "" }), { app: "shop", path: "/", rules: ["920350"], headers: ["Host"] });
	assert.deepEqual(exceptions_proposed(null), []);
});

const digest = (rows) => createHash("sha256").update(rows.map((r) => r.map(Number).join("")).join()).digest("hex").slice(0, 16);

// When these digests were taken, another program (jsQR) had read the codes of all lengths from 1 to 230 back.
test("QR codes that were read are made the same", () => {
	assert.deepEqual([1, 100, 120, 230].map((n) => digest(qr("otpauth://totp/".repeat(16).slice(0, n)))), ["a69c2e0081867b42", "10bc5e0180804b1a", "88cc58a279037792", "71dae2d24ee05932"]);
});

test("a QR code has its patterns, its size, and its end", () => {
	for (const [n, size] of [[1, 21], [17, 21], [18, 25], [106, 37], [107, 41], [154, 45], [230, 53]]) {
		const rows = qr("x".repeat(n));

		assert.equal(rows.length, size, `${n} bytes`);
		assert.ok(rows.every((r) => r.length === size && r.every((m) => typeof m === "boolean")));
		assert.ok([0, 6].every((at) => rows[at].slice(0, 7).every(Boolean)), "the finder's edge");
		assert.ok(rows[size - 8][8], "the dark module");
		assert.ok(rows[6].every((on, c) => c < 8 || c > size - 9 || on === (c % 2 === 0)), "the timing");
	}
	assert.equal(qr("x".repeat(231)), null);
});
