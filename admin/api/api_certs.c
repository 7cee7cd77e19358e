/* api_certs.c -- the certificates that listeners show. */
#include "admin/api/api_tables.h"

static const struct api_field cert_fields[] = {
	{ "listener", API_TEXT, .help = "its address" },
	{ "hosts", API_TEXT, .list = true, .help = "names that it is for" },
	{ "issuer", API_TEXT, .help = "who made it; its own name: it is self-signed" },
	{ "expires", API_TIME, .help = "its end" },
};
static const struct api_shape cert_shape = API_SHAPE("Certificate", cert_fields);
static const struct api_field certs_fields[] = { { "items", API_OBJECT, .list = true, .of = &cert_shape, .help = "by listener" } };
static const struct api_shape certs_shape = API_SHAPE("Certificates", certs_fields);

static void put_cert(struct json_out *o, const struct admin_cert *cert)
{
	struct bytes rest = cert->hosts, host;

	out_object(o, NULL);
	out_text(o, "listener", cert->listener);
	out_list(o, "hosts");
	while (bytes_cut(&rest, ' ', &host))
		if (host.len)
			out_text(o, NULL, host);
	out_end(o);
	out_text(o, "issuer", cert->issuer);
	out_time(o, "expires", cert->expires_s * 1000);
	out_end(o);
}

static void get_certs(struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;
	struct admin_status s = { .config = "" };
	struct json_out o = json_out(API_ANSWER_MAX);
	struct arena *a = arena_new(1 << 20);

	if (!a) {
		api_problem(c, 503, "out of memory");
		return;
	}
	h->status(h->ctx, a, &s);
	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < s.ncerts; i++)
		put_cert(&o, &s.certs[i]);
	out_end(&o);
	out_end(&o);
	arena_free(a);
	api_answer(c, 200, &o);
}

static const struct api_route routes[] = {
	{ "GET", "/certs", ROLE_VIEWER, "certificates", "what listeners show, and until when", NULL, NULL, &certs_shape, get_certs },
};
const struct api_routes api_certs_routes = API_ROUTES(routes);
