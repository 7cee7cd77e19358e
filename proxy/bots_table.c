/* bots_table.c -- who is known, by what its vendor has published about it.
 *
 * The words are the product tokens of the vendors' documentation; so are the
 * suffixes, and that a list of addresses exists. Google-Extended and
 * Applebot-Extended are words of robots.txt only, and never seen here. What is
 * more special stands first: "Googlebot-Image" holds "Googlebot" too. */
#include "proxy/bots.h"

#define GOOGLE "googlebot", { ".googlebot.com", ".google.com" }
#define GOOGLE_SPECIAL "special-crawlers", { ".google.com" }
#define GOOGLE_USER "user-triggered-fetchers-google", { ".google.com" }
#define BING "bingbot", { ".search.msn.com" }
#define YANDEX NULL, { ".yandex.com", ".yandex.net", ".yandex.ru" }
#define APPLE "applebot", { ".applebot.apple.com" }
#define UNPUBLISHED NULL, { NULL }

const struct bot bots_table[] = {
	/* whose words hold those of others */
	{ "facebook-preview", BOT_PREVIEW, "facebookexternalhit/", "meta", { NULL } },
	{ "google-adsbot", BOT_SEARCH, "AdsBot-Google", GOOGLE_SPECIAL },
	{ "google-ads", BOT_SEARCH, "Mediapartners-Google", GOOGLE_SPECIAL },
	{ "google-apis", BOT_FETCHER, "APIs-Google", GOOGLE_SPECIAL },
	{ "google-safety", BOT_MONITOR, "Google-Safety", GOOGLE_SPECIAL },
	{ "google-translate", BOT_FETCHER, "via translate.google.com", GOOGLE_USER },
	{ "google-read-aloud", BOT_FETCHER, "Google-Read-Aloud", GOOGLE_USER },
	{ "google-verifier", BOT_FETCHER, "Google-Site-Verification", GOOGLE_USER },
	{ "google-feeds", BOT_FEED, "FeedFetcher-Google", GOOGLE_USER },
	{ "google-notebook", BOT_AI_ASSISTANT, "Google-NotebookLM", GOOGLE_USER },
	{ "google-vertex", BOT_AI_TRAINING, "Google-CloudVertexBot", GOOGLE },
	{ "google-inspection", BOT_SEARCH, "Google-InspectionTool", GOOGLE },
	{ "google-other", BOT_AI_TRAINING, "GoogleOther", GOOGLE },
	{ "chatgpt-user", BOT_AI_ASSISTANT, "ChatGPT-User", "chatgpt-user", { NULL } },
	{ "openai-search", BOT_AI_SEARCH, "OAI-SearchBot", "searchbot", { NULL } },
	{ "claude-user", BOT_AI_ASSISTANT, "Claude-User", UNPUBLISHED },
	{ "claude-search", BOT_AI_SEARCH, "Claude-SearchBot", UNPUBLISHED },
	{ "perplexity-user", BOT_AI_ASSISTANT, "Perplexity-User", "perplexity-user", { NULL } },
	{ "meta-fetcher", BOT_AI_ASSISTANT, "meta-externalfetcher", "meta", { NULL } },
	{ "mistral-user", BOT_AI_ASSISTANT, "MistralAI-User", "mistralai-user", { NULL } },
	{ "duckduck-assist", BOT_AI_ASSISTANT, "DuckAssistBot", "duckassistbot", { NULL } },
	/* search */
	{ "googlebot", BOT_SEARCH, "Googlebot", GOOGLE },
	{ "google-storebot", BOT_SEARCH, "Storebot-Google", GOOGLE },
	{ "bing-preview", BOT_PREVIEW, "BingPreview/", BING },
	{ "bingbot", BOT_SEARCH, "bingbot", BING },
	{ "adidxbot", BOT_SEARCH, "adidxbot", BING },
	{ "duckduckbot", BOT_SEARCH, "DuckDuckBot", "duckduckbot", { NULL } },
	{ "applebot", BOT_SEARCH, "Applebot", APPLE },
	{ "yandex", BOT_SEARCH, "YandexBot", YANDEX },
	{ "yandex-other", BOT_SEARCH, "Yandex", YANDEX },
	{ "baidu", BOT_SEARCH, "Baiduspider", NULL, { ".crawl.baidu.com", ".crawl.baidu.jp" } },
	{ "yahoo", BOT_SEARCH, "Yahoo! Slurp", NULL, { ".crawl.yahoo.net" } },
	{ "seznam", BOT_SEARCH, "SeznamBot", NULL, { ".seznam.cz" } },
	{ "qwant", BOT_SEARCH, "Qwantbot", NULL, { ".qwant.com" } },
	{ "naver", BOT_SEARCH, "Yeti/", NULL, { ".naver.com" } },
	{ "mojeek", BOT_SEARCH, "MojeekBot", NULL, { ".mojeek.com" } },
	{ "sogou", BOT_SEARCH, "Sogou web spider", NULL, { ".crawl.sogou.com" } },
	{ "petal", BOT_SEARCH, "PetalBot", NULL, { ".petalsearch.com" } },
	{ "coccoc", BOT_SEARCH, "coccocbot", NULL, { ".coccoc.com" } },
	/* previews of links in messages and posts */
	{ "twitter-preview", BOT_PREVIEW, "Twitterbot/", UNPUBLISHED },
	{ "linkedin-preview", BOT_PREVIEW, "LinkedInBot", NULL, { ".fwd.linkedin.com" } },
	{ "slack-preview", BOT_PREVIEW, "Slackbot", UNPUBLISHED },
	{ "discord-preview", BOT_PREVIEW, "Discordbot", UNPUBLISHED },
	{ "telegram-preview", BOT_PREVIEW, "TelegramBot", UNPUBLISHED },
	{ "whatsapp-preview", BOT_PREVIEW, "WhatsApp/", UNPUBLISHED },
	{ "pinterest", BOT_PREVIEW, "Pinterestbot", NULL, { ".pinterest.com" } },
	{ "skype-preview", BOT_PREVIEW, "SkypeUriPreview", UNPUBLISHED },
	{ "mastodon-preview", BOT_PREVIEW, "Mastodon/", UNPUBLISHED },
	{ "bluesky-preview", BOT_PREVIEW, "Bluesky Cardyb", UNPUBLISHED },
	{ "embedly", BOT_PREVIEW, "Embedly/", UNPUBLISHED },
	{ "iframely", BOT_PREVIEW, "Iframely/", UNPUBLISHED },
	/* AI */
	{ "gptbot", BOT_AI_TRAINING, "GPTBot", "gptbot", { NULL } },
	{ "claudebot", BOT_AI_TRAINING, "ClaudeBot", UNPUBLISHED },
	{ "anthropic", BOT_AI_TRAINING, "anthropic-ai", UNPUBLISHED },
	{ "ccbot", BOT_AI_TRAINING, "CCBot", "ccbot", { ".crawl.commoncrawl.org" } },
	{ "bytespider", BOT_AI_TRAINING, "Bytespider", UNPUBLISHED },
	{ "meta-training", BOT_AI_TRAINING, "meta-externalagent", "meta", { NULL } },
	{ "amazonbot", BOT_AI_TRAINING, "Amazonbot", "amazonbot", { ".crawl.amazonbot.amazon" } },
	{ "perplexity", BOT_AI_SEARCH, "PerplexityBot", "perplexitybot", { NULL } },
	{ "cohere-training", BOT_AI_TRAINING, "cohere-training-data-crawler", UNPUBLISHED },
	{ "cohere", BOT_AI_ASSISTANT, "cohere-ai", UNPUBLISHED },
	{ "diffbot", BOT_AI_TRAINING, "Diffbot", UNPUBLISHED },
	{ "ai2", BOT_AI_TRAINING, "AI2Bot", UNPUBLISHED },
	{ "omgili", BOT_AI_TRAINING, "omgili", UNPUBLISHED },
	{ "webzio", BOT_AI_TRAINING, "webzio-extended", UNPUBLISHED },
	{ "timpi", BOT_AI_TRAINING, "Timpibot", UNPUBLISHED },
	{ "image2dataset", BOT_AI_TRAINING, "img2dataset", UNPUBLISHED },
	{ "you", BOT_AI_SEARCH, "YouBot", UNPUBLISHED },
	/* feeds */
	{ "feedly", BOT_FEED, "Feedly/", UNPUBLISHED },
	{ "inoreader", BOT_FEED, "inoreader.com", UNPUBLISHED },
	{ "newsblur", BOT_FEED, "NewsBlur", UNPUBLISHED },
	{ "feedbin", BOT_FEED, "Feedbin", UNPUBLISHED },
	{ "the-old-reader", BOT_FEED, "theoldreader.com", UNPUBLISHED },
	{ "freshrss", BOT_FEED, "FreshRSS/", UNPUBLISHED },
	{ "miniflux", BOT_FEED, "Miniflux/", UNPUBLISHED },
	{ "tiny-tiny-rss", BOT_FEED, "Tiny Tiny RSS/", UNPUBLISHED },
	/* whether a site is up and well */
	{ "uptimerobot", BOT_MONITOR, "UptimeRobot/", "uptimerobot", { NULL } },
	{ "pingdom", BOT_MONITOR, "Pingdom.com_bot", "pingdom", { NULL } },
	{ "statuscake", BOT_MONITOR, "StatusCake", "statuscake", { NULL } },
	{ "site24x7", BOT_MONITOR, "Site24x7", UNPUBLISHED },
	{ "better-uptime", BOT_MONITOR, "Better Uptime Bot", "betterstack", { NULL } },
	{ "lets-encrypt", BOT_MONITOR, "Let's Encrypt validation server", UNPUBLISHED },
	/* archives */
	{ "internet-archive", BOT_ARCHIVE, "archive.org_bot", NULL, { ".archive.org" } },
	{ "arquivo", BOT_ARCHIVE, "Arquivo-web-crawler", NULL, { ".arquivo.pt" } },
	{ "heritrix", BOT_ARCHIVE, "heritrix/", UNPUBLISHED },
	/* those who sell what they find about sites */
	{ "ahrefs", BOT_SEO, "AhrefsBot", "ahrefsbot", { ".ahrefs.com", ".ahrefs.net" } },
	{ "ahrefs-audit", BOT_SEO, "AhrefsSiteAudit", "ahrefsbot", { ".ahrefs.com", ".ahrefs.net" } },
	{ "semrush", BOT_SEO, "SemrushBot", NULL, { ".semrush.com" } },
	{ "majestic", BOT_SEO, "MJ12bot", UNPUBLISHED },
	{ "moz", BOT_SEO, "DotBot", UNPUBLISHED },
	{ "moz-audit", BOT_SEO, "rogerbot", UNPUBLISHED },
	{ "dataforseo", BOT_SEO, "DataForSeoBot", UNPUBLISHED },
	{ "serpstat", BOT_SEO, "serpstatbot", UNPUBLISHED },
	{ "blexbot", BOT_SEO, "BLEXBot", UNPUBLISHED },
	{ "screaming-frog", BOT_SEO, "Screaming Frog SEO Spider", UNPUBLISHED },
	/* made to copy sites */
	{ "scrapy", BOT_SCRAPER, "Scrapy/", UNPUBLISHED },
	{ "httrack", BOT_SCRAPER, "HTTrack", UNPUBLISHED },
	{ "colly", BOT_SCRAPER, "colly", UNPUBLISHED },
	{ "crawl4ai", BOT_SCRAPER, "Crawl4AI", UNPUBLISHED },
	{ "firecrawl", BOT_SCRAPER, "FirecrawlAgent", UNPUBLISHED },
	{ "sitesucker", BOT_SCRAPER, "SiteSucker", UNPUBLISHED },
	{ "webcopier", BOT_SCRAPER, "WebCopier", UNPUBLISHED },
	{ "node-crawler", BOT_SCRAPER, "node-crawler", UNPUBLISHED },
	/* libraries and tools, in anybody's hands. okhttp, CFNetwork and Dart are those of apps on telephones: not here. */
	{ "curl", BOT_AUTOMATION, "curl/", UNPUBLISHED },
	{ "wget", BOT_AUTOMATION, "Wget/", UNPUBLISHED },
	{ "python-requests", BOT_AUTOMATION, "python-requests/", UNPUBLISHED },
	{ "python-urllib", BOT_AUTOMATION, "Python-urllib/", UNPUBLISHED },
	{ "python-httpx", BOT_AUTOMATION, "python-httpx/", UNPUBLISHED },
	{ "aiohttp", BOT_AUTOMATION, "aiohttp/", UNPUBLISHED },
	{ "go", BOT_AUTOMATION, "Go-http-client/", UNPUBLISHED },
	{ "java", BOT_AUTOMATION, "Java-http-client/", UNPUBLISHED },
	{ "java-urlconnection", BOT_AUTOMATION, "Java/", UNPUBLISHED },
	{ "apache-httpclient", BOT_AUTOMATION, "Apache-HttpClient/", UNPUBLISHED },
	{ "perl", BOT_AUTOMATION, "libwww-perl/", UNPUBLISHED },
	{ "ruby", BOT_AUTOMATION, "Faraday v", UNPUBLISHED },
	{ "php-guzzle", BOT_AUTOMATION, "GuzzleHttp/", UNPUBLISHED },
	{ "node-fetch", BOT_AUTOMATION, "node-fetch", UNPUBLISHED },
	{ "undici", BOT_AUTOMATION, "undici", UNPUBLISHED },
	{ "axios", BOT_AUTOMATION, "axios/", UNPUBLISHED },
	{ "httpie", BOT_AUTOMATION, "HTTPie/", UNPUBLISHED },
	{ "postman", BOT_AUTOMATION, "PostmanRuntime/", UNPUBLISHED },
	{ "headless-chrome", BOT_AUTOMATION, "HeadlessChrome/", UNPUBLISHED },
	{ "phantomjs", BOT_AUTOMATION, "PhantomJS/", UNPUBLISHED },
};

const size_t bots_count = nelems(bots_table);
