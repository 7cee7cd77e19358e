/* challenge_page.c -- the page's words, and filling it in. */
#include "proxy/challenge_page.h"
#include "base/text.h"
#include "proxy/page.h"

static const unsigned char page_bytes[] = {
#include "challenge_page.inc"
};

enum { PAGE_MAX = 16 << 10 };

/* ---- words ---- */

enum word {
	WORD_TITLE, WORD_WORK, WORD_CAPTCHA, WORD_DONE, WORD_PASSED, WORD_COOKIES, WORD_FAILED, WORD_CROWDED, WORD_NO_JS,
	WORD_NEED_JS, WORD_GO, WORD_WHY_RULE, WORD_WHY_LIMIT, WORD_WHY_OTHER, WORD_CONTACT, WORD_ID, WORDS
};

static const struct language {
	const char *code;
	const char *words[WORDS];
} languages[] = {
	{ "en", {
		[WORD_TITLE] = "One moment, please",
		[WORD_WORK] = "Your browser is being checked. This takes a few seconds.",
		[WORD_CAPTCHA] = "Please show that you are a person.",
		[WORD_DONE] = "Done. The page is on its way.",
		[WORD_PASSED] = "The check succeeded. You can close this page and go back.",
		[WORD_COOKIES] = "The check needs cookies, and your browser does not take them. Please allow cookies for this site and load the page again.",
		[WORD_FAILED] = "The check did not succeed. Please load the page again.",
		[WORD_CROWDED] = "There were too many checks from your network. Please try again later.",
		[WORD_NO_JS] = "Without JavaScript this takes a little longer; the page goes on by itself.",
		[WORD_NEED_JS] = "The check needs JavaScript.",
		[WORD_GO] = "Go on without the check",
		[WORD_WHY_RULE] = "This part of the site is protected against programs.",
		[WORD_WHY_LIMIT] = "There were many requests from your network.",
		[WORD_WHY_OTHER] = "Something about the request was unusual.",
		[WORD_CONTACT] = "Contact",
		[WORD_ID] = "Request id",
	} },
	{ "de", {
		[WORD_TITLE] = "Einen Moment, bitte",
		[WORD_WORK] = "Ihr Browser wird geprüft. Das dauert einige Sekunden.",
		[WORD_CAPTCHA] = "Bitte zeigen Sie, dass Sie ein Mensch sind.",
		[WORD_DONE] = "Fertig. Die Seite wird geladen.",
		[WORD_PASSED] = "Die Prüfung ist bestanden. Sie können diese Seite schließen und zurückgehen.",
		[WORD_COOKIES] = "Die Prüfung braucht Cookies, und Ihr Browser nimmt keine an. Bitte erlauben Sie Cookies für diese Website und laden Sie die Seite neu.",
		[WORD_FAILED] = "Die Prüfung ist nicht gelungen. Bitte laden Sie die Seite neu.",
		[WORD_CROWDED] = "Aus Ihrem Netz kamen zu viele Prüfungen. Bitte versuchen Sie es später noch einmal.",
		[WORD_NO_JS] = "Ohne JavaScript dauert es etwas länger; die Seite geht von selbst weiter.",
		[WORD_NEED_JS] = "Die Prüfung braucht JavaScript.",
		[WORD_GO] = "Ohne Prüfung weiter",
		[WORD_WHY_RULE] = "Dieser Teil der Website ist gegen Programme geschützt.",
		[WORD_WHY_LIMIT] = "Aus Ihrem Netz kamen viele Anfragen.",
		[WORD_WHY_OTHER] = "Etwas an der Anfrage war ungewöhnlich.",
		[WORD_CONTACT] = "Kontakt",
		[WORD_ID] = "Kennung der Anfrage",
	} },
	{ "fr", {
		[WORD_TITLE] = "Un instant, s’il vous plaît",
		[WORD_WORK] = "Votre navigateur est en cours de vérification. Cela prend quelques secondes.",
		[WORD_CAPTCHA] = "Veuillez montrer que vous êtes une personne.",
		[WORD_DONE] = "C’est fait. La page arrive.",
		[WORD_PASSED] = "La vérification a réussi. Vous pouvez fermer cette page et revenir en arrière.",
		[WORD_COOKIES] = "La vérification a besoin de cookies, et votre navigateur ne les accepte pas. Veuillez autoriser les cookies pour ce site et recharger la page.",
		[WORD_FAILED] = "La vérification a échoué. Veuillez recharger la page.",
		[WORD_CROWDED] = "Il y a eu trop de vérifications depuis votre réseau. Veuillez réessayer plus tard.",
		[WORD_NO_JS] = "Sans JavaScript, cela prend un peu plus de temps ; la page continue d’elle-même.",
		[WORD_NEED_JS] = "La vérification a besoin de JavaScript.",
		[WORD_GO] = "Continuer sans vérification",
		[WORD_WHY_RULE] = "Cette partie du site est protégée contre les programmes.",
		[WORD_WHY_LIMIT] = "Il y a eu beaucoup de requêtes depuis votre réseau.",
		[WORD_WHY_OTHER] = "Quelque chose dans la requête était inhabituel.",
		[WORD_CONTACT] = "Contact",
		[WORD_ID] = "Identifiant de la requête",
	} },
	{ "es", {
		[WORD_TITLE] = "Un momento, por favor",
		[WORD_WORK] = "Se está comprobando su navegador. Tarda unos segundos.",
		[WORD_CAPTCHA] = "Por favor, demuestre que es una persona.",
		[WORD_DONE] = "Listo. La página está en camino.",
		[WORD_PASSED] = "La comprobación ha salido bien. Puede cerrar esta página y volver atrás.",
		[WORD_COOKIES] = "La comprobación necesita cookies y su navegador no las acepta. Permita las cookies de este sitio y vuelva a cargar la página.",
		[WORD_FAILED] = "La comprobación no ha salido bien. Vuelva a cargar la página.",
		[WORD_CROWDED] = "Ha habido demasiadas comprobaciones desde su red. Inténtelo más tarde.",
		[WORD_NO_JS] = "Sin JavaScript tarda un poco más; la página continúa sola.",
		[WORD_NEED_JS] = "La comprobación necesita JavaScript.",
		[WORD_GO] = "Continuar sin comprobación",
		[WORD_WHY_RULE] = "Esta parte del sitio está protegida contra programas.",
		[WORD_WHY_LIMIT] = "Ha habido muchas peticiones desde su red.",
		[WORD_WHY_OTHER] = "Algo en la petición era inusual.",
		[WORD_CONTACT] = "Contacto",
		[WORD_ID] = "Identificador de la petición",
	} },
};

static const struct language *language_named(struct bytes tag)
{
	struct bytes primary = bytes_sub(tag, 0, bytes_index(tag, '-'));

	for (size_t i = 0; i < nelems(languages); i++)
		if (bytes_eq_nocase(primary, bytes_of(languages[i].code)))
			return &languages[i];
	return NULL;
}

/* "0.8" in thousandths; what cannot be read is 1000. */
static unsigned thousandths(struct bytes q)
{
	unsigned value = 0, digit = 1000;

	for (size_t i = 0; i < q.len && i < 5; i++)
		if (q.at[i] >= '0' && q.at[i] <= '9') {
			value += (unsigned)(q.at[i] - '0') * digit;
			digit /= 10;
		}
	return q.len == 0 || value > 1000 ? 1000 : value;
}

/* Of those that we have, the one liked best; of equals the first (RFC 9110 12.5.4). */
static const struct language *language_for(struct bytes accept)
{
	const struct language *best = &languages[0];
	unsigned best_q = 0;
	struct bytes range;

	while (bytes_cut(&accept, ',', &range)) {
		size_t semicolon = bytes_index(range, ';');
		const struct language *l = language_named(bytes_trim(bytes_sub(range, 0, semicolon)));
		struct bytes weight = semicolon == SIZE_MAX ? (struct bytes){ 0 } : bytes_trim(bytes_from(range, semicolon + 1));
		unsigned q = thousandths(bytes_starts_nocase(weight, BYTES("q=")) ? bytes_from(weight, 2) : (struct bytes){ 0 });

		if (l && q > best_q) {
			best = l;
			best_q = q;
		}
	}
	return best;
}

/* ---- filling in ---- */

struct filling {
	struct text *out;
	const struct challenge_view *view;
	const struct language *language;
};

static const char *message_of(const struct filling *f)
{
	static const enum word of[] = { [VIEW_PASSED] = WORD_PASSED, [VIEW_COOKIES] = WORD_COOKIES,
					[VIEW_FAILED] = WORD_FAILED, [VIEW_CROWDED] = WORD_CROWDED };
	const struct challenge_view *v = f->view;

	if (v->kind == VIEW_ASK)
		return f->language->words[v->level == CHALLENGE_CAPTCHA ? WORD_CAPTCHA : WORD_WORK];
	return f->language->words[of[v->kind]];
}

/* What is not in the catalogue. */
static void put_slot(const struct filling *f, struct bytes name)
{
	const struct challenge_view *v = f->view;
	const struct { const char *name; struct bytes text; } texts[] = {
		{ "lang", bytes_of(f->language->code) }, { "nonce", v->nonce }, { "token", v->token }, { "prefix", v->prefix },
		{ "id", v->id }, { "site", v->look->title }, { "message", bytes_of(message_of(f)) },
		{ "why", bytes_of(f->language->words[WORD_WHY_RULE + v->why]) }, { "script", v->script },
		{ "widget", v->widget }, { "sitekey", v->sitekey },
	};

	for (size_t i = 0; i < nelems(texts); i++)
		if (bytes_eq(name, bytes_of(texts[i].name))) {
			text_html(f->out, texts[i].text);
			return;
		}
	if (bytes_eq(name, BYTES("bits")))
		text_u64(f->out, v->bits);
	else if (bytes_eq(name, BYTES("seconds")))
		text_u64(f->out, v->wait_s);
	else if (bytes_eq(name, BYTES("delay")))
		text_u64(f->out, (uint64_t)v->wait_s * 1000);
	else if (bytes_eq(name, BYTES("contact")))
		page_put_contact(f->out, v->look->contact);
}

static void put(const struct filling *f, struct bytes name)
{
	static const struct { const char *name; enum word word; } words[] = {
		{ "title", WORD_TITLE }, { "done", WORD_DONE }, { "cookies", WORD_COOKIES }, { "failed", WORD_FAILED },
		{ "crowded", WORD_CROWDED }, { "nojs", WORD_NO_JS }, { "needjs", WORD_NEED_JS }, { "go", WORD_GO },
		{ "contactlabel", WORD_CONTACT }, { "idlabel", WORD_ID },
	};

	for (size_t i = 0; i < nelems(words); i++)
		if (bytes_eq(name, bytes_of(words[i].name))) {
			text_html(f->out, bytes_of(f->language->words[words[i].word]));
			return;
		}
	put_slot(f, name);
}

static bool section_applies(const struct challenge_view *v, struct bytes name)
{
	bool ask = v->kind == VIEW_ASK;
	const struct { const char *name; bool applies; } sections[] = {
		{ "ask", ask },
		{ "wait", ask && v->may_wait },
		{ "stop", ask && !v->may_wait && !v->may_puzzle },
		{ "puzzle", ask && v->may_puzzle },
		{ "delay", ask && v->level == CHALLENGE_WAIT },
		{ "work", ask && v->level == CHALLENGE_POW },
		{ "captcha", ask && v->level == CHALLENGE_CAPTCHA },
		{ "brand", v->look->title.len > 0 },
		{ "contact", v->look->contact.len > 0 },
	};

	for (size_t i = 0; i < nelems(sections); i++)
		if (bytes_eq(name, bytes_of(sections[i].name)))
			return sections[i].applies;
	return false;
}

/* Sections do not nest. */
static void fill(const struct filling *f)
{
	struct bytes rest = { (const char *)page_bytes, sizeof page_bytes };
	bool shown = true;
	size_t open;

	while ((open = bytes_find(rest, BYTES("{{"))) != SIZE_MAX) {
		struct bytes after = bytes_from(rest, open + 2);
		size_t close = bytes_find(after, BYTES("}}"));
		struct bytes name = bytes_sub(after, 0, close);

		if (shown)
			text_put(f->out, bytes_sub(rest, 0, open));
		if (bytes_starts(name, BYTES("?")))
			shown = section_applies(f->view, bytes_from(name, 1));
		else if (bytes_eq(name, BYTES("/")))
			shown = true;
		else if (shown)
			put(f, name);
		rest = bytes_from(after, close + 2);
	}
	text_put(f->out, rest);
}

struct bytes challenge_page(struct arena *a, const struct challenge_view *view)
{
	struct text out = text_over(arena_raw(a, PAGE_MAX), PAGE_MAX);
	struct filling f = { &out, view, language_for(view->accept_language) };

	if (!out.at)
		return (struct bytes){ 0 };
	fill(&f);
	return out.full ? (struct bytes){ 0 } : text_bytes(&out);
}
