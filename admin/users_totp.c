/* users_totp.c -- the second factor is set up, and taken away. */
#include "admin/users_parts.h"
#include "base/clock.h"

bool users_totp_begin(struct users *us, struct bytes name, char secret[CODE_TEXT])
{
	struct user *u = user_find(us, name);

	if (!u || !tls_random(u->wanted_secret, sizeof u->wanted_secret))
		return false;
	u->wants_secret = true;
	code_base32((struct bytes){ (const char *)u->wanted_secret, sizeof u->wanted_secret }, secret);
	return true;
}

bool users_totp_on(struct users *us, struct bytes name, struct bytes code,
		   char recovery[USER_RECOVERY_CODES][CODE_TEXT], struct err *e)
{
	struct user *u = user_find(us, name);
	uint64_t step;

	if (!u || !u->wants_secret)
		return err_set(e, SIDE_CLIENT, 409, "no secret was asked for: POST /session/totp first");
	if (!(step = code_totp_step(u->wanted_secret, code, clock_wall_ms() / 1000, 0)))
		return err_set(e, SIDE_CLIENT, 422, "the code is wrong: is the clock of the phone right?");
	for (unsigned i = 0; i < USER_RECOVERY_CODES; i++)
		if (!code_make(CODE_RECOVERY_BYTES, recovery[i]) || !code_hash(bytes_of(recovery[i]), u->recovery[i]))
			return err_set(e, SIDE_SELF, 0, "no codes can be made");
	memcpy(u->secret, u->wanted_secret, sizeof u->secret);
	if (!tls_seal(us->key, name, (struct bytes){ (const char *)u->secret, sizeof u->secret }, u->sealed))
		return err_set(e, SIDE_SELF, 0, "it cannot be sealed");
	u->knows_secret = true;
	u->wants_secret = false;
	u->nrecovery = USER_RECOVERY_CODES;
	u->step = step;
	u->info.totp = true;
	return user_keep(us, u) || err_set(e, SIDE_SELF, 0, "it could not be kept");
}

bool users_totp_off(struct users *us, struct bytes name)
{
	struct user *u = user_find(us, name);

	if (!u)
		return false;
	u->info.totp = u->wants_secret = u->knows_secret = false;
	u->nrecovery = 0;
	u->step = 0;
	memset(u->secret, 0, sizeof u->secret);
	return user_keep(us, u);
}
