/* xmldoc_names.h - names of elements with their namespaces, for a parser that hands over the names as they are written.
 *
 * libxml2 can do this itself, at a seventh of the time of a whole feed: it looks up every part of every name again.
 * Here a name is looked up once, until another namespace is declared or one ends. Namespaces in XML 1.0; an
 * undeclared prefix has no uri, and a name that is no QName is kept whole. */
#ifndef XMLDOC_NAMES_H
#define XMLDOC_NAMES_H

#include "xmldoc.h"

#include <libxml/tree.h>

#define LIMIT_XML_NAMESPACES 256 /* declared at the same time */
#define XML_NAMES_CACHED 256     /* power of two */

struct xml_binding {
    const xmlChar *prefix; /* NULL = the default namespace */
    const xmlChar *uri;    /* NULL = none any more */
    int depth;             /* of the element that declared it */
};

struct xml_names {
    xmlDictPtr dict; /* the parser's; not owned */
    struct xml_binding bindings[LIMIT_XML_NAMESPACES];
    int n_bindings;
    unsigned version; /* of the bindings */
    struct {
        const xmlChar *written;
        unsigned version;
        struct xmldoc_name name;
    } cache[XML_NAMES_CACHED];
};

/* Takes the declarations among the attributes (name, value, ..., NULL; may be NULL) of an element at a depth.
 * RC_INVALID: too many of them. RC_DOWN: out of memory. */
enum rc xml_names_open(struct xml_names *n, int depth, const xmlChar **attrs, struct err *e);
/* The element at a depth is over, and what it declared. */
void xml_names_close(struct xml_names *n, int depth);
/* The name that is written so, here; `written` is interned in the dictionary. NULL: out of memory. */
const struct xmldoc_name *xml_names_find(struct xml_names *n, const xmlChar *written);
/* Whether an attribute declares a namespace. */
bool xml_names_declares(const xmlChar *attr);

#endif
