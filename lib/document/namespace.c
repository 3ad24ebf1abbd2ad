#include "document/namespace.h"
#include "document/text.h"

static const struct {
    struct slice uri, prefix;
} table[] = {
    [DOCUMENT_NS_PIDF] = {SLICE("urn:ietf:params:xml:ns:pidf"), SLICE("")},
    [DOCUMENT_NS_DIALOG] = {SLICE("urn:ietf:params:xml:ns:dialog-info"), SLICE("")},
    [DOCUMENT_NS_MODEL] = {SLICE("urn:ietf:params:xml:ns:pidf:data-model"), SLICE("dm:")},
    [DOCUMENT_NS_RPID] = {SLICE("urn:ietf:params:xml:ns:pidf:rpid"), SLICE("rpid:")},
    [DOCUMENT_NS_CIPID] = {SLICE("urn:ietf:params:xml:ns:pidf:cipid"), SLICE("cipid:")},
    [DOCUMENT_NS_CAPS] = {SLICE("urn:ietf:params:xml:ns:pidf:caps"), SLICE("caps:")},
    [DOCUMENT_NS_GEOPRIV] = {SLICE("urn:ietf:params:xml:ns:pidf:geopriv10"), SLICE("gp:")},
    [DOCUMENT_NS_CIVIC] = {SLICE("urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr"), SLICE("ca:")},
    [DOCUMENT_NS_GML] = {SLICE("http://www.opengis.net/gml"), SLICE("gml:")},
    [DOCUMENT_NS_XML] = {SLICE("http://www.w3.org/XML/1998/namespace"), SLICE("xml:")},
    [DOCUMENT_NS_XSI] = {SLICE("http://www.w3.org/2001/XMLSchema-instance"), SLICE("")},
};

enum document_namespace document_namespace_find(struct slice uri)
{
    if (uri.len == 0)
        return DOCUMENT_NS_NONE;
    for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (slice_equal(uri, table[i].uri))
            return (enum document_namespace)i;
    }
    return DOCUMENT_NS_OTHER;
}

struct slice document_namespace_prefix(enum document_namespace name)
{
    return table[name].prefix;
}

enum document_namespace document_namespace_default(enum document_kind kind)
{
    return kind == DOCUMENT_DIALOG ? DOCUMENT_NS_DIALOG : DOCUMENT_NS_PIDF;
}

void document_namespace_declare(struct document_text *text, enum document_kind kind, uint32_t bits)
{
    enum document_namespace plain = document_namespace_default(kind);

    document_text_literal(text, " xmlns=\"");
    document_text_add(text, table[plain].uri);
    document_text_literal(text, "\"");
    for (unsigned i = 0; i < DOCUMENT_NS_DECLARED; i++) {
        struct slice prefix = table[i].prefix;
        if (!(bits & 1u << i) || prefix.len == 0)
            continue;
        document_text_literal(text, " xmlns:");
        document_text_add(text, slice_of(prefix.at, prefix.len - 1));
        document_text_literal(text, "=\"");
        document_text_add(text, table[i].uri);
        document_text_literal(text, "\"");
    }
}
