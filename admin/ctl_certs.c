/* ctl_certs.c -- `embergate ctl cert`: what listeners show, and until when. */
#include "admin/ctl.h"
#include "base/clock.h"
#include <stdlib.h>

enum { DAY_S = 24 * 3600 };

struct certs {
	const struct admin_status *status;
	uint64_t now_s;
};

static int64_t days_left(const struct certs *c, const struct admin_cert *cert)
{
	return ((int64_t)cert->expires_s - (int64_t)c->now_s) / DAY_S;
}

static void write_table(void *arg, struct text *t)
{
	const struct certs *c = arg;

	for (size_t i = 0; i < c->status->ncerts; i++) {
		const struct admin_cert *cert = &c->status->certs[i];

		text_plain(t, cert->listener);
		text_str(t, "  ");
		text_plain(t, cert->hosts);
		text_str(t, "  by ");
		text_plain(t, cert->issuer);
		text_str(t, "  until ");
		clock_rfc3339(t, cert->expires_s * 1000);
		text_printf(t, "  (%lld days)\n", (long long)days_left(c, cert));
	}
	if (!c->status->ncerts)
		text_str(t, "no listener speaks TLS\n");
}

static void write_json(void *arg, struct text *t)
{
	const struct certs *c = arg;

	text_byte(t, '[');
	for (size_t i = 0; i < c->status->ncerts; i++) {
		const struct admin_cert *cert = &c->status->certs[i];

		text_str(t, i ? ",{\"listener\":" : "{\"listener\":");
		text_json(t, cert->listener);
		text_str(t, ",\"hosts\":");
		text_json(t, cert->hosts);
		text_str(t, ",\"issuer\":");
		text_json(t, cert->issuer);
		text_str(t, ",\"expires\":\"");
		clock_rfc3339(t, cert->expires_s * 1000);
		text_printf(t, "\",\"days\":%lld}", (long long)days_left(c, cert));
	}
	text_str(t, "]\n");
}

void ctl_certs(const struct ctl_ask *ask)
{
	const struct admin_hooks *h = &ask->admin->hooks;
	struct arena *a = arena_new(1 << 20);
	struct admin_status s = { .config = "" };
	struct certs c = { &s, clock_wall_ms() / 1000 };

	if (!a) {
		admin_answer(ask->answer, false, "out of memory");
	} else if (ask->nargs && !bytes_eq(ask->args[0], BYTES("list"))) {
		admin_answer(ask->answer, false, "cert list is all there is: files are renewed by whoever made them, then `ctl reload`");
	} else {
		h->status(h->ctx, a, &s);
		ctl_reply_text(ask->answer, ask->answer->json ? write_json : write_table, &c);
	}
	arena_free(a);
}
