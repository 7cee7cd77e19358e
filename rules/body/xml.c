/* xml.c -- SAX events -> names and values.
 *
 * libxml2 has memory and limits of its own (names, depth, 10 MB a text); ours
 * are lower and are checked in each event. An event that fails stops it. Two
 * things cost it the square of their number before any event: the attributes of
 * one tag, and the namespaces in scope. They have bounds here. */
#include "rules/body/xml.h"
#include "rules/body/parser.h"
#include <libxml/parser.h>

enum {
	SLICE = 2048,     /* bytes given at once: what a tag may hold past its bound */
	ATTRIBUTES = 256, /* in one tag */
	NAMESPACES = 256, /* declared in the document */
};

struct xml {
	struct body body;
	xmlParserCtxtPtr parser;
	struct buffer path; /* "xml.a.b" */
	size_t *outer;      /* the path's length around each open element */
	size_t depth, cap, nodes, namespaces;
	struct buffer text, all;
	uint64_t text_at;
	uint64_t tag_at;             /* of a tag that is not whole yet: where it begins, */
	size_t tag_seen, tag_values; /* what of it was counted, and how many attributes */
};

static struct bytes of_xml(const xmlChar *s)
{
	return bytes_of((const char *)s);
}

/* Of what was parsed last, in bytes after conversion to UTF-8. */
static uint64_t offset(const struct xml *x)
{
	const xmlParserInput *in = x->parser->input;

	return in ? in->consumed + (uint64_t)(in->cur - in->base) : 0;
}

static void stop(struct xml *x)
{
	xmlStopParser(x->parser);
}

static bool fail(struct xml *x, enum body_fault fault, const char *why)
{
	return body_fail(&x->body, fault, offset(x), why);
}

static bool node_count(struct xml *x)
{
	return x->nodes++ < x->body.setup.limits.nodes ||
	       fail(x, FAULT_NODES, "too many elements, attributes and texts");
}

static bool namespaces_count(struct xml *x, int n)
{
	x->namespaces += (size_t)n;
	return x->namespaces <= NAMESPACES || fail(x, FAULT_NODES, "too many namespaces");
}

static bool name_put(struct xml *x, struct bytes more)
{
	return buffer_put(&x->body, &x->path, more, x->body.setup.limits.name_bytes, FAULT_NAME);
}

static bool tell(struct xml *x, enum value_kind kind, struct bytes value, uint64_t at)
{
	struct bytes name = { x->path.at, x->path.len };

	return body_tell_copy(&x->body, kind, name, value, at);
}

static bool is_blank(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] != ' ' && (text.at[i] < '\t' || text.at[i] > '\r'))
			return false;
	return true;
}

/* The text before a tag is whole. */
static bool text_end(struct xml *x)
{
	struct bytes text = { x->text.at, x->text.len };

	x->text.len = 0;
	return is_blank(text) || (node_count(x) && tell(x, VALUE_XML_TEXT, text, x->text_at));
}

static bool element_enter(struct xml *x, struct bytes name)
{
	size_t *grown;

	if (!node_count(x))
		return false;
	if (x->depth >= x->body.setup.limits.depth)
		return fail(x, FAULT_DEPTH, "nested too deeply");
	grown = arena_grow(x->body.arena, x->outer, &x->cap, x->depth + 1, sizeof *grown);
	if (!grown)
		return fail(x, FAULT_MEMORY, "no memory is left for this request");
	x->outer = grown;
	x->outer[x->depth++] = x->path.len;
	return name_put(x, BYTES(".")) && name_put(x, name);
}

/* libxml2 leaves an ampersand in a value as &#38; for its tree builder. */
static bool attribute_value(struct xml *x, struct bytes raw, struct buffer *out)
{
	size_t cap = x->body.setup.limits.value_bytes, at;

	while ((at = bytes_find(raw, BYTES("&#38;"))) != SIZE_MAX) {
		if (!buffer_put(&x->body, out, bytes_sub(raw, 0, at + 1), cap, FAULT_VALUE))
			return false;
		raw = bytes_from(raw, at + strlen("&#38;"));
	}
	return buffer_put(&x->body, out, raw, cap, FAULT_VALUE);
}

/* at: local name, prefix, URI, begin and end of the value. */
static bool attribute_tell(struct xml *x, const xmlChar **at)
{
	struct bytes raw = { (const char *)at[3], (size_t)(at[4] - at[3]) };
	size_t path_len = x->path.len;
	struct bytes value;
	bool ok = node_count(x) && name_put(x, BYTES(".@")) && name_put(x, of_xml(at[0])) &&
		  attribute_value(x, raw, &x->text);

	value = (struct bytes){ x->text.at, x->text.len };
	x->text.len = 0;
	ok = ok && tell(x, VALUE_XML_ATTRIBUTE, value, offset(x));
	x->path.len = path_len;
	return ok;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int nnamespaces, const xmlChar **namespaces, int nattributes, int ndefaulted,
		     const xmlChar **attributes)
{
	struct xml *x = ctx;
	bool ok = !x->body.fault && text_end(x) && namespaces_count(x, nnamespaces) &&
		  element_enter(x, of_xml(name));

	(void)prefix, (void)uri, (void)namespaces, (void)ndefaulted;
	for (int i = 0; ok && i < nattributes; i++)
		ok = attribute_tell(x, attributes + (ptrdiff_t)i * 5);
	if (!ok)
		stop(x);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml *x = ctx;

	(void)name, (void)prefix, (void)uri;
	if (x->body.fault || !text_end(x))
		stop(x);
	else if (x->depth)
		x->path.len = x->outer[--x->depth];
}

static void on_text(void *ctx, const xmlChar *at, int len)
{
	struct xml *x = ctx;
	const struct body_limits *l = &x->body.setup.limits;
	struct bytes run = { (const char *)at, (size_t)len };

	if (x->text.len == 0)
		x->text_at = offset(x);
	if (x->body.fault || !buffer_put(&x->body, &x->text, run, l->value_bytes, FAULT_VALUE) ||
	    !buffer_put(&x->body, &x->all, run, l->total_bytes, FAULT_TOTAL))
		stop(x);
}

static void on_subset(void *ctx, const xmlChar *name, const xmlChar *public_id,
		      const xmlChar *system_id)
{
	struct xml *x = ctx;

	(void)name;
	/* A PUBLIC one names a standard (SVG, property lists, XHTML); nothing is
	 * loaded here, and readers know those by heart. */
	if (public_id || !system_id)
		return;
	fail(x, FAULT_ENTITY, "a DOCTYPE with an external subset");
	stop(x);
}

static void on_entity(void *ctx, const xmlChar *name, int type, const xmlChar *public_id,
		      const xmlChar *system_id, xmlChar *content)
{
	struct xml *x = ctx;

	(void)name, (void)type, (void)public_id, (void)system_id, (void)content;
	fail(x, FAULT_ENTITY, "an entity is declared");
	stop(x);
}

static void on_unparsed(void *ctx, const xmlChar *name, const xmlChar *public_id,
			const xmlChar *system_id, const xmlChar *notation)
{
	(void)notation;
	on_entity(ctx, name, 0, public_id, system_id, NULL);
}

/* Its own reports go nowhere; what failed is asked for at the end. */
static void on_error(void *ctx, xmlErrorPtr e)
{
	(void)ctx, (void)e;
}

static void on_message(void *ctx, const char *fmt, ...)
{
	(void)ctx, (void)fmt;
}

/* Conversions of character sets report to the thread's handlers, which would
 * write to standard error. */
static void silence(void)
{
	xmlSetStructuredErrorFunc(NULL, on_error);
	xmlSetGenericErrorFunc(NULL, on_message);
}

static const xmlSAXHandler events = {
	.initialized = XML_SAX2_MAGIC,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.characters = on_text,
	.ignorableWhitespace = on_text,
	.cdataBlock = on_text,
	.internalSubset = on_subset,
	.entityDecl = on_entity,
	.unparsedEntityDecl = on_unparsed,
	.serror = on_error,
};

/* A declaration makes libxml2 begin a document, whoever listens. */
static void parser_free(void *parser)
{
	xmlParserCtxtPtr p = parser;

	xmlFreeDoc(p->myDoc);
	xmlFreeParserCtxt(p);
}

static bool open(struct body *b)
{
	struct xml *x = (struct xml *)b;
	xmlSAXHandler handler;

	if (!name_put(x, BYTES("xml")))
		return false;
	silence();
	handler = events;
	x->parser = xmlCreatePushParserCtxt(&handler, x, NULL, 0, NULL); /* copies it */
	if (!x->parser)
		return body_fail(b, FAULT_MEMORY, 0, "no memory is left for this request");
	if (!arena_defer(b->arena, parser_free, x->parser)) {
		parser_free(x->parser);
		return body_fail(b, FAULT_MEMORY, 0, "no memory is left for this request");
	}
	xmlCtxtUseOptions(x->parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	return true;
}

/* libxml2's message ends in a line end. */
static bool malformed(struct xml *x)
{
	const xmlError *e = xmlCtxtGetLastError(x->parser);
	struct bytes why = bytes_of(e && e->message ? e->message : "not well-formed");
	char *text = arena_str(x->body.arena, bytes_sub(why, 0, bytes_index(why, '\n')));

	return fail(x, FAULT_MALFORMED, text ? text : "not well-formed");
}

/* Counts the values in quotes, each of them an attribute's, and says how many
 * bytes need not be read again: a '=' at the end may have its quote to come. */
static size_t quoted_values(struct bytes text, size_t *used)
{
	size_t n = 0, from = 0, at, value;

	for (; (at = bytes_index(bytes_from(text, from), '=')) != SIZE_MAX; from = value) {
		value = from + at + 1;
		while (value < text.len && is_blank(bytes_sub(text, value, value + 1)))
			value++;
		if (value == text.len) {
			*used = from + at;
			return n;
		}
		n += text.at[value] == '"' || text.at[value] == '\'';
	}
	*used = text.len;
	return n;
}

/* A tag that is not whole yet waits in libxml2's buffer, as UTF-8. */
static bool tag_bounded(struct xml *x)
{
	const xmlParserInput *in = x->parser->input;
	struct bytes tag;
	size_t used;

	if (!in || x->parser->instate != XML_PARSER_START_TAG)
		return true;
	if (x->tag_at != offset(x))
		x->tag_seen = x->tag_values = 0;
	x->tag_at = offset(x);
	tag = (struct bytes){ (const char *)in->cur, (size_t)(in->end - in->cur) };
	x->tag_values += quoted_values(bytes_from(tag, x->tag_seen), &used);
	x->tag_seen += used;
	return x->tag_values <= ATTRIBUTES || fail(x, FAULT_NODES, "too many attributes in a tag");
}

static bool feed(struct xml *x, struct bytes piece, bool last)
{
	do {
		struct bytes some = bytes_sub(piece, 0, SLICE);
		int error;

		piece = bytes_from(piece, some.len);
		error = xmlParseChunk(x->parser, some.at, (int)some.len, last && piece.len == 0);
		if (x->body.fault)
			return false;
		if (error || !x->parser->wellFormed)
			return malformed(x);
		if (!tag_bounded(x))
			return false;
	} while (piece.len);
	return true;
}

static bool push(struct body *b, struct bytes piece)
{
	return feed((struct xml *)b, piece, false);
}

static bool end(struct body *b)
{
	struct xml *x = (struct xml *)b;
	struct bytes all;

	if (!feed(x, (struct bytes){ "", 0 }, true))
		return false;
	all = buffer_keep(b, &x->all);
	return all.at && (is_blank(all) || tell(x, VALUE_XML_ALL, all, 0));
}

const struct body_parser body_xml = { "xml", sizeof(struct xml), open, push, end };
