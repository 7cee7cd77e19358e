/* choose.c -- which parser reads a body: by its media type, or by its looks. */
#include "rules/body/parser.h"

static const struct {
	const char *media; /* one that starts with '+' is a structured suffix (RFC 6839) */
	const struct body_parser *parser;
} media[] = {
	{ "application/x-www-form-urlencoded", &body_urlencoded },
	{ "multipart/form-data",               &body_multipart  },
	{ "application/json",                  &body_json       },
	{ "text/json",                         &body_json       },
	{ "application/csp-report",            &body_json       },
	{ "+json",                             &body_json       },
	{ "application/xml",                   &body_xml        },
	{ "text/xml",                          &body_xml        },
	{ "+xml",                              &body_xml        },
};

/* image/svg+xml is a file that is stored, not a message that is read: drawing
 * programs write entities into it. Its looks are still looked at. */
static bool is_picture(const struct content_type *type)
{
	return bytes_starts(type->media, BYTES("image/"));
}

const struct body_parser *body_parser_of(const struct content_type *type)
{
	for (size_t i = 0; i < nelems(media); i++) {
		struct bytes m = bytes_of(media[i].media);

		if (m.at[0] == '+' ? bytes_ends(type->media, m) && !is_picture(type) : bytes_eq(type->media, m))
			return media[i].parser;
	}
	return NULL;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A name of a form: no blank, nothing that text, JSON or XML begins with. */
static bool is_form_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_.-~%+*[]!'():;$@", c));
}

static bool looks_urlencoded(struct bytes s)
{
	size_t i = 0;

	while (i < s.len && is_form_name(s.at[i]))
		i++;
	return i > 0 && i < s.len && s.at[i] == '=';
}

const struct body_parser *body_parser_by_looks(struct bytes head)
{
	if (bytes_starts(head, BYTES("\xef\xbb\xbf"))) /* a byte order mark */
		head = bytes_from(head, 3);
	while (head.len && is_space(head.at[0]))
		head = bytes_from(head, 1);
	if (head.len == 0)
		return NULL;
	if (head.at[0] == '<')
		return &body_xml;
	if (looks_urlencoded(head))
		return &body_urlencoded;
	return head.at[0] == '{' || head.at[0] == '[' ? &body_json : NULL;
}
