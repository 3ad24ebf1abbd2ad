// Tags as they are written: prefixes of our own, and what else is needed declared where it is used.
#include "document/cut.h"

// The number of the unknown namespace `uri` among those in scope; it is declared with this element when it is new.
static unsigned foreign_of(struct document_cut *cut, struct slice uri)
{
    unsigned i = cut->foreigns;
    uint32_t end = 0;

    while (i-- > 0) {
        const struct document_foreign *foreign = &cut->foreign[i];
        if (slice_equal(slice_of(cut->uris + foreign->at, foreign->len), uri))
            return i;
    }
    if (cut->foreigns > 0)
        end = (uint32_t)cut->foreign[cut->foreigns - 1].at + cut->foreign[cut->foreigns - 1].len;
    if (cut->foreigns == DOCUMENT_NAMESPACES_MAX || uri.len > DOCUMENT_FOREIGN_MAX - end) {
        document_cut_fail(cut, DOCUMENT_TOO_LARGE);
        return 0;
    }
    memcpy(cut->uris + end, uri.at, uri.len);
    cut->foreign[cut->foreigns] = (struct document_foreign){
        .at = (uint16_t)end, .len = (uint16_t)uri.len, .depth = (uint16_t)cut->depth};
    return cut->foreigns++;
}

static void add_foreign(struct document_cut *cut, unsigned foreign)
{
    document_text_literal(&cut->text, "n");
    document_text_number(&cut->text, foreign + 1);
}

// With the prefix that it has here. Attributes never are in the default namespace (Namespaces in XML 6.2).
static void add_name(struct document_cut *cut, const struct document_name *name, bool attribute)
{
    bool unprefixed = name->space == DOCUMENT_NS_NONE ||
                      (!attribute && name->space == document_namespace_default(cut->kind));

    if (unprefixed) {
        document_text_add(&cut->text, name->local);
        return;
    }
    struct slice prefix = SLICE("");
    if (name->space != DOCUMENT_NS_OTHER)
        prefix = document_namespace_prefix(name->space);
    if (prefix.len == 0) {
        add_foreign(cut, foreign_of(cut, name->uri));
        prefix = SLICE(":");
    } else if (name->space < DOCUMENT_NS_DECLARED) {
        cut->namespaces |= 1u << name->space;
    }
    document_text_add(&cut->text, prefix);
    document_text_add(&cut->text, name->local);
}

static void add_value(struct document_cut *cut, struct slice value)
{
    if (cut->plain)
        document_text_add(&cut->text, value);
    else
        document_text_quote(&cut->text, value);
}

static void add_attribute(struct document_cut *cut, const struct document_attribute *attribute)
{
    document_text_literal(&cut->text, " ");
    add_name(cut, &attribute->name, true);
    document_text_literal(&cut->text, "=\"");
    add_value(cut, attribute->value);
    document_text_literal(&cut->text, "\"");
}

// Not passed on: hints to validators, and the ids of RFC 4480 within pieces, which are unique within a publication at
// best. A piece's own id has been written.
static bool dropped(const struct document_name *element, const struct document_attribute *attribute,
                    bool piece)
{
    bool id = attribute->name.space == DOCUMENT_NS_NONE && slice_equal(attribute->name.local, SLICE("id"));

    return attribute->name.space == DOCUMENT_NS_XSI || (id && (piece || element->space == DOCUMENT_NS_RPID));
}

static void add_id(struct document_cut *cut, struct slice id)
{
    struct document_piece *piece = &cut->piece[cut->pieces - 1];

    document_text_literal(&cut->text, " id=\"");
    uint32_t at = cut->text.len;
    add_value(cut, id);
    uint32_t len = cut->text.len - at;
    document_text_literal(&cut->text, "\"");
    if (len > DOCUMENT_ID_MAX || at - piece->at > UINT8_MAX) {
        document_cut_fail(cut, DOCUMENT_TOO_LARGE);
        return;
    }
    piece->id_at = (uint8_t)(at - piece->at);
    piece->id_len = (uint8_t)len;
}

// The root's language is that of the notes which say nothing (XML 1.0 2.12): their root will be another.
static void add_language(struct document_cut *cut, const struct document_name *name,
                         const struct document_attribute *attributes, unsigned count)
{
    struct document_element *element = &cut->open[cut->depth];

    element->language = cut->depth > 1 && cut->open[cut->depth - 1].language;
    for (unsigned i = 0; i < count; i++)
        element->language |= document_is_language(&attributes[i].name);
    if (element->language || !slice_equal(name->local, SLICE("note")))
        return;
    document_text_literal(&cut->text, " xml:lang=\"");
    add_value(cut, slice_of(cut->language, cut->language_len));
    document_text_literal(&cut->text, "\"");
}

void document_tag_open(struct document_cut *cut, const struct document_name *name,
                       const struct document_attribute *attributes, unsigned count)
{
    struct document_element *element = &cut->open[cut->depth];
    unsigned declared = cut->foreigns;
    bool piece = cut->depth == 1 && cut->piece[cut->pieces - 1].kind != DOCUMENT_OTHER;

    document_text_literal(&cut->text, "<");
    element->name_at = cut->text.len;
    add_name(cut, name, false);
    element->name_len = (uint16_t)(cut->text.len - element->name_at);
    for (unsigned i = 0; piece && i < count; i++) {
        if (attributes[i].name.space == DOCUMENT_NS_NONE &&
            slice_equal(attributes[i].name.local, SLICE("id")))
            add_id(cut, attributes[i].value);
    }
    for (unsigned i = 0; i < count; i++) {
        if (!dropped(name, &attributes[i], piece))
            add_attribute(cut, &attributes[i]);
    }
    if (cut->language_len > 0)
        add_language(cut, name, attributes, count);
    for (; declared < cut->foreigns; declared++) {
        const struct document_foreign *foreign = &cut->foreign[declared];
        document_text_literal(&cut->text, " xmlns:");
        add_foreign(cut, declared);
        document_text_literal(&cut->text, "=\"");
        add_value(cut, slice_of(cut->uris + foreign->at, foreign->len));
        document_text_literal(&cut->text, "\"");
    }
    cut->tag = true;
}

void document_tag_close(struct document_cut *cut)
{
    const struct document_element *element = &cut->open[cut->depth];

    if (cut->tag) {
        document_text_literal(&cut->text, "/>");
    } else {
        document_text_literal(&cut->text, "</");
        document_text_add(&cut->text, slice_of(cut->text.at + element->name_at, element->name_len));
        document_text_literal(&cut->text, ">");
    }
    cut->tag = false;
    while (cut->foreigns > 0 && cut->foreign[cut->foreigns - 1].depth >= cut->depth)
        cut->foreigns--;
}
