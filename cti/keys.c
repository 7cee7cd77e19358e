/* keys.c -- bouncers and machines in memory. There are few: a list each, and a look at every digest. */
#include "cti/keys_parts.h"
#include "base/clock.h"
#include "base/tls.h"
#include <stdio.h>
#include <stdlib.h>

enum { SEEN_EVERY_MS = 60000 };

static struct key **list_of(struct keys *k, bool machine)
{
	return machine ? &k->machines : &k->bouncers;
}

struct key *keys_find(struct keys *k, bool machine, struct bytes name)
{
	struct key *key = *list_of(k, machine);

	while (key && !bytes_eq(bytes_of(key->info.name), name))
		key = key->next;
	return key;
}

/* ---- life ---- */

struct keys *keys_open(struct store *store, struct err *e)
{
	struct keys *k = calloc(1, sizeof *k);

	if (!k) {
		err_set(e, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	k->store = store;
	if (keys_read(k, e))
		return k;
	keys_free(k);
	return NULL;
}

static void free_list(struct key *key)
{
	for (struct key *next; key; key = next) {
		next = key->next;
		free(key);
	}
}

void keys_free(struct keys *k)
{
	free_list(k->bouncers);
	free_list(k->machines);
	free(k);
}

void keys_close(struct keys *k)
{
	if (!k)
		return;
	k->closing = true;
	if (!k->logins)
		keys_free(k);
}

/* ---- adding and deleting ---- */

static bool is_name(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		char c = byte_lower(b.at[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '@' || c == ':' || c == '-'))
			return false;
	}
	return b.len > 0 && b.len < KEY_NAME_MAX;
}

/* A place in the list, not in the table yet. */
static struct key *add(struct keys *k, bool machine, struct bytes name, struct err *e)
{
	struct key **at = list_of(k, machine), *key;

	if (!is_name(name)) {
		err_set(e, SIDE_CLIENT, 400, "a name is 1 to 63 letters, digits and . _ @ : -");
	} else if (keys_find(k, machine, name)) {
		err_set(e, SIDE_CLIENT, 403, "%s '%.*s' exists", machine ? "machine" : "bouncer", BYTES_ARG(name));
	} else if (k->n >= KEYS_MAX || !(key = calloc(1, sizeof *key))) {
		err_set(e, SIDE_SELF, 503, "there are too many");
	} else {
		memcpy(key->info.name, name.at, name.len);
		key->info.made_ms = clock_wall_ms();
		while (*at && strcmp((*at)->info.name, key->info.name) < 0)
			at = &(*at)->next;
		key->next = *at;
		*at = key;
		k->n++;
		return key;
	}
	return NULL;
}

static void drop(struct keys *k, bool machine, struct key *key)
{
	struct key **at = list_of(k, machine);

	while (*at != key)
		at = &(*at)->next;
	*at = key->next;
	k->n--;
	free(key);
}

bool keys_add_bouncer(struct keys *k, struct bytes name, unsigned scopes, struct bytes wanted, char secret[65], struct err *e)
{
	struct key *key;

	if (wanted.len && (wanted.len < KEY_WANTED_MIN || wanted.len > 64))
		return err_set(e, SIDE_CLIENT, 400, "a key of one's own has %d to 64 characters", KEY_WANTED_MIN);
	if (!(key = add(k, false, name, e)))
		return false;
	snprintf(secret, 65, "%.*s", BYTES_ARG(wanted));
	key->info.scopes = scopes ? scopes : KEY_BOUNCER;
	if ((wanted.len || tls_make_secret(secret)) && tls_sha512(bytes_of(secret), key->hash) && keys_keep_bouncer(k, key))
		return true;
	drop(k, false, key);
	return err_set(e, SIDE_SELF, 503, "it could not be kept");
}

bool keys_add_machine(struct keys *k, struct bytes name, struct bytes password, bool validated, struct err *e)
{
	struct key *key;

	if (password.len == 0 || password.len >= PASSWORD_MAX)
		return err_set(e, SIDE_CLIENT, 400, "a password has 1 to %d bytes", PASSWORD_MAX - 1);
	key = add(k, true, name, e);
	if (!key)
		return false;
	key->info.validated = validated;
	if (keys_keep_machine(k, key, password))
		return true;
	drop(k, true, key);
	return err_set(e, SIDE_SELF, 503, "it could not be kept");
}

bool keys_validate(struct keys *k, struct bytes name)
{
	struct key *key = keys_find(k, true, name);

	if (key)
		key->info.validated = true;
	return key && keys_keep_seen(k, key);
}

bool keys_delete(struct keys *k, bool machine, struct bytes name)
{
	struct key *key = keys_find(k, machine, name);

	if (!key || !keys_keep_deleted(k, key))
		return false;
	drop(k, machine, key);
	return true;
}

size_t keys_list(struct keys *k, bool machine, struct key_info *out, size_t max)
{
	size_t n = 0;

	for (const struct key *key = *list_of(k, machine); key; key = key->next, n++)
		if (n < max)
			out[n] = key->info;
	return n;
}

/* ---- asking ---- */

const struct key_info *keys_bouncer(struct keys *k, struct bytes secret)
{
	const struct key_info *found = NULL;
	uint8_t hash[SHA512];

	if (secret.len == 0 || secret.len > PASSWORD_MAX || !tls_sha512(secret, hash))
		return NULL;
	for (const struct key *key = k->bouncers; key; key = key->next)
		if (tls_same(key->hash, hash, sizeof hash))
			found = &key->info;
	return found;
}

const struct key_info *keys_machine(struct keys *k, struct bytes name)
{
	const struct key *key = keys_find(k, true, name);

	return key && key->info.validated ? &key->info : NULL;
}

/* Printable ASCII of it, as much as fits. */
static bool set_word(char *to, size_t cap, struct bytes from)
{
	char was[64];
	size_t n = 0;

	snprintf(was, sizeof was, "%s", to);
	for (size_t i = 0; i < from.len && n + 1 < cap; i++)
		if (from.at[i] > ' ' && from.at[i] < 0x7f)
			to[n++] = from.at[i];
	to[n] = '\0';
	return strcmp(was, to) != 0;
}

/* "crowdsec-firewall-bouncer/v0.0.25 ..." */
void keys_seen(struct keys *k, const struct key_info *info, struct bytes agent, const struct ip *from)
{
	struct key *key = (struct key *)(uintptr_t)info;
	char at[48];
	struct text t = text_over(at, sizeof at);
	struct bytes word, kind;
	bool changed = false;

	key->info.seen_ms = clock_wall_ms();
	if (bytes_cut(&agent, ' ', &word) && bytes_cut(&word, '/', &kind)) {
		changed = set_word(key->info.kind, sizeof key->info.kind, kind);
		changed = set_word(key->info.version, sizeof key->info.version, word) || changed;
	}
	ip_text(&t, from);
	changed = set_word(key->info.address, sizeof key->info.address, text_bytes(&t)) || changed;
	/* A client that changes its name with every request does not make us write with every one. */
	if (key->info.seen_ms - key->kept_seen_ms >= (changed ? SEEN_EVERY_MS / 60 : SEEN_EVERY_MS) && keys_keep_seen(k, key))
		key->kept_seen_ms = key->info.seen_ms;
}
