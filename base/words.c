/* words.c -- the names of remedies, sources, scopes and kinds of bots. */
#include "base/decision.h"

static const char *const remedies[REMEDY_COUNT] = {
	[REMEDY_ALLOW] = "allow",         [REMEDY_LOG] = "log",
	[REMEDY_THROTTLE] = "throttle",   [REMEDY_CHALLENGE] = "challenge",
	[REMEDY_CAPTCHA] = "captcha",     [REMEDY_TARPIT] = "tarpit",
	[REMEDY_DENY] = "deny",
};

static const char *const sources[SOURCE_COUNT] = {
	[SOURCE_NONE] = "none",           [SOURCE_PROTOCOL] = "protocol",
	[SOURCE_RULE] = "rule",           [SOURCE_OWN_RULE] = "own_rule",
	[SOURCE_LIMIT] = "limit",         [SOURCE_CTI] = "cti",
	[SOURCE_SCENARIO] = "scenario",   [SOURCE_BOT] = "bot",
	[SOURCE_ATTACK] = "attack_mode",
};

const char *remedy_word(enum remedy_kind r)
{
	return remedies[r];
}

bool remedy_from_word(struct bytes word, enum remedy_kind *out)
{
	for (int r = 0; r < REMEDY_COUNT; r++)
		if (bytes_eq(word, bytes_of(remedies[r]))) {
			*out = (enum remedy_kind)r;
			return true;
		}
	return false;
}

const char *source_word(enum source s)
{
	return sources[s];
}

static const char *const scopes[SCOPE_COUNT] = {
	[SCOPE_IP] = "Ip",           [SCOPE_RANGE] = "Range",       [SCOPE_AS] = "AS",
	[SCOPE_COUNTRY] = "Country", [SCOPE_SESSION] = "Session",   [SCOPE_USERNAME] = "Username",
	[SCOPE_OTHER] = "Other",
};

const char *scope_word(enum scope s)
{
	return scopes[s];
}

enum scope scope_from_word(struct bytes word)
{
	for (int s = 0; s < SCOPE_OTHER; s++)
		if (bytes_eq_nocase(word, bytes_of(scopes[s])))
			return (enum scope)s;
	return SCOPE_OTHER;
}

static const char *const categories[BOT_CATEGORIES] = {
	[BOT_SEARCH] = "search",           [BOT_PREVIEW] = "preview",
	[BOT_FETCHER] = "fetcher",         [BOT_FEED] = "feed",
	[BOT_MONITOR] = "monitor",         [BOT_ARCHIVE] = "archive",
	[BOT_SEO] = "seo",                 [BOT_AI_SEARCH] = "ai-search",
	[BOT_AI_ASSISTANT] = "ai-assistant", [BOT_AI_TRAINING] = "ai-training",
	[BOT_SCRAPER] = "scrapers",        [BOT_AUTOMATION] = "automation",
};

const char *bot_category_word(enum bot_category c)
{
	return categories[c];
}
