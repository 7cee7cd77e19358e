/* xml.h -- XML bodies, through libxml2's push parser.
 *
 * Text and attribute values are told under the path of their element (xml.a.b
 * and xml.a.b.@c, local names without prefixes), text that is only white space
 * is not. CDATA, comments and processing instructions do not split a text. At
 * the end all text is told once more, joined, as XPath's string value has it.
 *
 * No network, no DTD, no entity: a DOCTYPE that names an external subset or
 * declares an entity is FAULT_ENTITY. Other encodings arrive as UTF-8. */
#ifndef RULES_BODY_XML_H
#define RULES_BODY_XML_H
#include "rules/body/body.h"
#endif
