/* signal.h -- what may leave an installation: a time, an address, a behaviour, and nothing else.
 *
 * With `cti: {share: on}` only, and only of what was seen here and is enforced. Private, loopback and reserved addresses never
 * leave; of IPv6 the /64. The hub that takes signals is not built yet; `embergate ctl privacy` prints them. */
#ifndef CTI_SIGNAL_H
#define CTI_SIGNAL_H
#include "base/decision.h"
#include "base/text.h"

/* {"ts":1790000000,"ip":"203.0.113.7","behaviour":"http:scan"}. False: this one does not leave, and nothing was written. */
bool signal_write(struct text *, const struct decision *, struct bytes behaviour);
#endif
