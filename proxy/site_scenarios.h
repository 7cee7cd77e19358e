/* site_scenarios.h -- the scenarios and profiles of a site. */
#ifndef PROXY_SITE_SCENARIOS_H
#define PROXY_SITE_SCENARIOS_H
#include "proxy/site.h"

/* Loads them, and sets what each app leaves out. */
bool site_scenarios(struct process *, struct site *, struct err *);
#endif
