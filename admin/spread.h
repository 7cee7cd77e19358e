/* spread.h -- inside admin/: what was changed here in the overrides is offered to the other gates of the installation.
 *
 *   changed, and nobody has to confirm it any more  ->  "/overrides/offer?from=3&base=H&hash=H&by=ada" to all (cti/share_ask.h)
 *   each whose own are still `base`  ->  "/overrides?of=3"  ->  parsed, built, written and swapped in, as any change of its own
 *   ->  what came of it, gate by gate
 *
 * Only where both gates have `admin: {cluster_writes: on}`. A gate whose overrides were other ones before says `differs` and
 * changes nothing: only a person there can take those of another over (POST /config/take). */
#ifndef ADMIN_SPREAD_H
#define ADMIN_SPREAD_H
#include "admin/edit.h"

struct share_node;
/* applied; same: it had them; differs: its own were others before; off: it takes none; refused: `why`; silent. */
struct spread_gate { const char *node; struct bytes state, why; };
struct spread_told { const struct spread_gate *at; size_t n; };
typedef void spread_done(void *ctx, const struct spread_told *);

uint64_t spread_hash(struct admin *, struct arena *); /* of the overrides, as they run */

/* After a change, which is good while this runs; `base`: their hash before it. True: done(ctx) is called when all have answered,
 * or their time is over; false: nothing is offered, or only when it is confirmed. done NULL: nobody wants to know. */
bool spread_changed(struct admin *, const struct edit_ask *, const struct edit_outcome *, uint64_t base, spread_done *done, void *ctx);
void spread_confirmed(struct admin *); /* the change that waited stays */
void spread_lapsed(struct admin *);    /* it was taken back */
void spread_close(struct admin *);     /* from admin_close: what is answered now is noted nowhere */

/* The overrides of the gate of that number; text.at == NULL: `why`. Good while it is told; false: not asked, and not told. */
typedef void spread_got(void *ctx, struct bytes text, const char *why);
bool spread_fetch(struct admin *, unsigned gate, spread_got *got, void *ctx);

bool spread_gate_of(const struct admin *, bool (*is)(const struct share_node *, const void *arg), const void *arg, struct share_node *out);
bool spread_is_self(const struct share_node *, const void *arg);
bool spread_is_named(const struct share_node *, const void *arg);  /* a C string */
bool spread_is_number(const struct share_node *, const void *arg); /* an unsigned */
#endif
