/* xmldoc_names.c - which namespaces are declared at a place in a document, and the names that were looked up there. */
#include "xmldoc_names.h"

#include "str.h"

#include <string.h>

bool xml_names_declares(const xmlChar *attr)
{
    const char *name = (const char *)attr;

    return str_starts(name, "xmlns") && (name[5] == '\0' || name[5] == ':');
}

static enum rc declare(struct xml_names *n, int depth, const xmlChar *attr, const xmlChar *value,
                       struct err *e)
{
    struct xml_binding b = { .depth = depth };

    if (n->n_bindings == LIMIT_XML_NAMESPACES)
        return err_set(e, RC_INVALID, "more than %d namespaces are declared", LIMIT_XML_NAMESPACES);
    if (attr[5] == ':')
        b.prefix = xmlDictLookup(n->dict, attr + 6, -1);
    if (value != NULL && *value != '\0')
        b.uri = xmlDictLookup(n->dict, value, -1);
    if ((attr[5] == ':' && b.prefix == NULL) || (b.uri == NULL && value != NULL && *value != '\0'))
        return err_set(e, RC_DOWN, "out of memory for a namespace");
    n->bindings[n->n_bindings++] = b;
    n->version++;
    return RC_OK;
}

enum rc xml_names_open(struct xml_names *n, int depth, const xmlChar **attrs, struct err *e)
{
    enum rc rc = RC_OK;

    for (; attrs != NULL && *attrs != NULL && rc == RC_OK; attrs += 2) {
        if (xml_names_declares(attrs[0]))
            rc = declare(n, depth, attrs[0], attrs[1], e);
    }
    return rc;
}

void xml_names_close(struct xml_names *n, int depth)
{
    while (n->n_bindings > 0 && n->bindings[n->n_bindings - 1].depth >= depth) {
        n->n_bindings--;
        n->version++;
    }
}

static const xmlChar *uri_of(const struct xml_names *n, const xmlChar *prefix)
{
    for (int i = n->n_bindings - 1; i >= 0; i--) {
        if (n->bindings[i].prefix == prefix)
            return n->bindings[i].uri;
    }
    return NULL;
}

/* Both parts of prefix:local, when it is that. */
static bool split(struct xml_names *n, const xmlChar *written, struct xmldoc_name *out)
{
    const char *text = (const char *)written, *colon = strchr(text, ':');
    const xmlChar *prefix = NULL, *local = written;

    if (colon != NULL && colon != text && colon[1] != '\0' && strchr(colon + 1, ':') == NULL) {
        prefix = xmlDictLookup(n->dict, written, (int)(colon - text));
        local = xmlDictLookup(n->dict, (const xmlChar *)colon + 1, -1);
        if (prefix == NULL || local == NULL)
            return false;
    }
    out->local = (const char *)local;
    out->prefix = (const char *)prefix;
    out->uri = (const char *)uri_of(n, prefix);
    return true;
}

const struct xmldoc_name *xml_names_find(struct xml_names *n, const xmlChar *written)
{
    uintptr_t key = (uintptr_t)written;
    size_t i = (key ^ (key >> 7)) & (XML_NAMES_CACHED - 1);

    if (n->cache[i].written == written && n->cache[i].version == n->version)
        return &n->cache[i].name;
    if (!split(n, written, &n->cache[i].name)) {
        n->cache[i].written = NULL;
        return NULL;
    }
    n->cache[i].written = written;
    n->cache[i].version = n->version;
    return &n->cache[i].name;
}
