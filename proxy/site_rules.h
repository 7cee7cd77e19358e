/* site_rules.h -- which rule files an app's `waf` means, loaded once for all apps
 * that mean the same. */
#ifndef PROXY_SITE_RULES_H
#define PROXY_SITE_RULES_H
#include "proxy/site.h"

/* Sets app->rules; the site owns what is made. */
bool site_rules(const struct process *, struct site *, struct app *, struct err *);
/* The same rules once more with `text` among the app's own files, sought by what is compiled in a moment. Any thread; the
 * arena lives until it is there. NULL: err. */
struct ruleset *site_rules_with(struct arena *, const struct waf_config *, const struct ruleset_text *text, struct err *);
#endif
