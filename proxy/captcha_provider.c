/* captcha_provider.c -- the providers. All are asked by a form over HTTPS and answer
 * JSON with `success`.
 *
 * sources  developers.cloudflare.com/turnstile, docs.hcaptcha.com,
 *          developers.google.com/recaptcha, docs.friendlycaptcha.com (v1) */
#include "proxy/captcha_parts.h"

static const struct captcha_row providers[] = {
	[CAPTCHA_TURNSTILE] = {
		.word = "turnstile",
		.look = { BYTES_INIT("https://challenges.cloudflare.com/turnstile/v0/api.js"),
			  BYTES_INIT("cf-turnstile"), BYTES_INIT("cf-turnstile-response") },
		.verify_url = BYTES_INIT("https://challenges.cloudflare.com/turnstile/v0/siteverify"),
		.param = BYTES_INIT("response"), .errors = "error-codes", .tells = true,
	},
	[CAPTCHA_HCAPTCHA] = {
		.word = "hcaptcha",
		.look = { BYTES_INIT("https://js.hcaptcha.com/1/api.js"), BYTES_INIT("h-captcha"),
			  BYTES_INIT("h-captcha-response") },
		.verify_url = BYTES_INIT("https://api.hcaptcha.com/siteverify"),
		.param = BYTES_INIT("response"), .errors = "error-codes", .sitekey = true, .tells = true,
	},
	[CAPTCHA_RECAPTCHA] = {
		.word = "recaptcha",
		.look = { BYTES_INIT("https://www.google.com/recaptcha/api.js"), BYTES_INIT("g-recaptcha"),
			  BYTES_INIT("g-recaptcha-response") },
		.verify_url = BYTES_INIT("https://www.google.com/recaptcha/api/siteverify"),
		.param = BYTES_INIT("response"), .errors = "error-codes", .tells = true,
	},
	/* Version 1 tells neither the host nor the time; its solutions are good for one use. */
	[CAPTCHA_FRIENDLY] = {
		.word = "friendly",
		.look = { .widget = BYTES_INIT("frc-captcha"), .field = BYTES_INIT("frc-captcha-solution") },
		.verify_url = BYTES_INIT("https://api.friendlycaptcha.com/api/v1/siteverify"),
		.param = BYTES_INIT("solution"), .errors = "errors", .sitekey = true,
	},
	/* Whatever speaks the same (Cap, mCaptcha, ALTCHA Sentinel): host and time count where they are told. */
	[CAPTCHA_CUSTOM] = { .word = "custom", .param = BYTES_INIT("response"), .errors = "error-codes" },
};

const struct captcha_row *captcha_provider(const struct captcha_config *c)
{
	return &providers[c->provider];
}

struct captcha_look captcha_look(const struct captcha_config *c)
{
	struct captcha_look look = providers[c->provider].look;

	if (c->script.at)
		look.script = c->script;
	if (c->widget.at)
		look.widget = c->widget;
	if (c->field.at)
		look.field = c->field;
	return look;
}
