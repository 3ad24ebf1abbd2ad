#include "document/rlmi.h"

#include "document/text.h"

void document_related_type(struct document_text *text, struct slice boundary, struct slice cid)
{
    document_text_literal(text, "multipart/related;type=\"" DOCUMENT_TYPE_RLMI "\";start=\"<");
    document_text_add(text, cid);
    document_text_literal(text, ">\";boundary=\"");
    document_text_add(text, boundary);
    document_text_literal(text, "\"");
}

static void add_head(struct document_text *text, struct slice boundary, struct slice cid, struct slice type)
{
    document_text_literal(text, "--");
    document_text_add(text, boundary);
    document_text_literal(text, "\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <");
    document_text_add(text, cid);
    document_text_literal(text, ">\r\nContent-Type: ");
    document_text_add(text, type);
    document_text_literal(text, "\r\n\r\n");
}

void document_related_begin(struct document_text *text, struct slice boundary, struct slice cid)
{
    add_head(text, boundary, cid, SLICE(DOCUMENT_TYPE_RLMI));
}

// RFC 2046 5.1.1: the line end before a boundary is the boundary's.
void document_related_part(struct document_text *text, struct slice boundary, struct slice cid,
                           struct slice type)
{
    document_text_literal(text, "\r\n");
    add_head(text, boundary, cid, type);
}

void document_related_end(struct document_text *text, struct slice boundary)
{
    document_text_literal(text, "\r\n--");
    document_text_add(text, boundary);
    document_text_literal(text, "--\r\n");
}

static void add_name(struct document_text *text, struct slice name)
{
    if (name.len == 0)
        return;
    document_text_literal(text, "<name>");
    document_text_escape(text, name);
    document_text_literal(text, "</name>");
}

void document_rlmi_begin(struct document_text *text, struct slice uri, uint32_t version, bool full,
                         struct slice name)
{
    document_text_declaration(text);
    document_text_literal(text, "<list xmlns=\"urn:ietf:params:xml:ns:rlmi\"");
    document_text_count(text, SLICE("version"), version);
    document_text_attribute(text, SLICE("uri"), uri);
    document_text_attribute(text, SLICE("fullState"), full ? SLICE("true") : SLICE("false"));
    document_text_literal(text, ">");
    add_name(text, name);
}

void document_rlmi_resource(struct document_text *text, struct slice uri, struct slice name)
{
    document_text_literal(text, "<resource");
    document_text_attribute(text, SLICE("uri"), uri);
    document_text_literal(text, ">");
    add_name(text, name);
}

void document_rlmi_instance(struct document_text *text, const struct document_instance *instance)
{
    static const struct slice states[] = {
        [DOCUMENT_INSTANCE_ACTIVE] = SLICE("active"),
        [DOCUMENT_INSTANCE_PENDING] = SLICE("pending"),
        [DOCUMENT_INSTANCE_TERMINATED] = SLICE("terminated"),
    };

    document_text_literal(text, "<instance");
    document_text_attribute(text, SLICE("id"), instance->id);
    document_text_attribute(text, SLICE("state"), states[instance->state]);
    if (instance->reason.len > 0)
        document_text_attribute(text, SLICE("reason"), instance->reason);
    if (instance->cid.len > 0)
        document_text_attribute(text, SLICE("cid"), instance->cid);
    document_text_literal(text, "/>");
}

void document_rlmi_resource_end(struct document_text *text)
{
    document_text_literal(text, "</resource>");
}

void document_rlmi_end(struct document_text *text)
{
    document_text_literal(text, "</list>\n");
}
