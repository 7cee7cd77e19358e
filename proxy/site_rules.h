/* site_rules.h -- which rule files an app's `waf` means, loaded once for all apps
 * that mean the same. */
#ifndef PROXY_SITE_RULES_H
#define PROXY_SITE_RULES_H
#include "proxy/site.h"

/* Sets app->rules; the site owns what is made. */
bool site_rules(const struct process *, struct site *, struct app *, struct err *);
#endif
