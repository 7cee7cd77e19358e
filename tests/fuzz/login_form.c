/* What is no log-in stays none when a second password is added; and a name is what was sent, cut, in lower case. */
#include "tests/fuzz/must.h"
#include "proxy/login_form.h"
#include "rules/form.h"

static const char *const types[] = {
	"application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b", "text/plain", "", "text/xml",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct login_form f = { .passwords = 0 };
	struct bytes body = { (const char *)data + 1, size - 1 };

	if (size < 1)
		return 0;
	form_read(bytes_of(types[data[0] % nelems(types)]), body, login_form_field, &f);
	must(f.len <= LOGIN_NAME_MAX && !f.len == !f.rank);
	for (size_t i = 0; i < f.len; i++)
		must(f.name[i] == byte_lower(f.name[i]));
	login_form_field(&f, BYTES("x[password_repeat]"), BYTES("x"));
	must(!login_form_is_login(&f));
	return 0;
}
