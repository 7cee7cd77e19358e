/* list_write.h -- what is held, written for others: firewalls, proxies, CrowdSec, and back.
 *
 *   plain, nft, ipset   addresses and blocks that are refused (deny, tarpit), disjoint: what an entry of remedy allow
 *                       covers is cut out of the block around it
 *   haproxy, nginx      the remedy's word for each block, disjoint too; allowed ones are told as "allow"
 *   csv, json           every decision, as `cscli decisions import` and list_read.h read them
 *
 * Simulated decisions are not written, nor those that are over. nft and ipset have each entry's end; the others are of
 * the moment. */
#ifndef CTI_LIST_WRITE_H
#define CTI_LIST_WRITE_H
#include "base/decision.h"
#include "cti/list_read.h"

enum list_form { LIST_AS_PLAIN, LIST_AS_CSV, LIST_AS_JSON, LIST_AS_NFT, LIST_AS_IPSET, LIST_AS_HAPROXY, LIST_AS_NGINX, LIST_FORMS };

extern const char *const list_form_words[LIST_FORMS];
enum list_form list_form_named(struct bytes); /* LIST_FORMS: none */

/* Gives each decision to `take` until it returns false; as decisions_each() does. */
struct list_source {
	void (*each)(void *from, bool (*take)(void *ctx, const struct decision *), void *ctx);
	void *from;
};
/* Nothing waits while the source is asked. *out is the caller's to free(). */
bool list_write(enum list_form, const struct list_source *, uint64_t now_ms, struct bytes *out, struct err *);

/* A record of a list of decisions as one: without a scope by its value, without a duration for four hours, without a type
 * "ban". Slices are the record's. False: err says what of it cannot be. */
bool list_record_decision(const struct list_record *, uint64_t now_ms, struct decision *out, struct err *);
#endif
