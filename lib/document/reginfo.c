#include "document/reginfo.h"

#include "document/text.h"

void document_reginfo_begin(struct document_text *text, uint32_t version, bool full)
{
    document_text_declaration(text);
    document_text_literal(text, "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\"");
    document_text_count(text, SLICE("version"), version);
    document_text_attribute(text, SLICE("state"), full ? SLICE("full") : SLICE("partial"));
    document_text_literal(text, ">");
}

void document_reginfo_registration(struct document_text *text, struct slice aor, struct slice id,
                                   enum document_registration_state state)
{
    static const struct slice states[] = {
        [DOCUMENT_REGISTRATION_INIT] = SLICE("init"),
        [DOCUMENT_REGISTRATION_ACTIVE] = SLICE("active"),
        [DOCUMENT_REGISTRATION_TERMINATED] = SLICE("terminated"),
    };

    document_text_literal(text, "<registration");
    document_text_attribute(text, SLICE("aor"), aor);
    document_text_attribute(text, SLICE("id"), id);
    document_text_attribute(text, SLICE("state"), states[state]);
    document_text_literal(text, ">");
}

// A decimal from 0 to 1 (RFC 3261 25.1 qvalue).
static void add_q(struct document_text *text, uint16_t thousandths)
{
    const char q[] = {(char)('0' + thousandths / 1000), '.', (char)('0' + thousandths / 100 % 10),
                      (char)('0' + thousandths / 10 % 10), (char)('0' + thousandths % 10)};

    document_text_attribute(text, SLICE("q"), slice_of(q, sizeof(q)));
}

static void add_attributes(struct document_text *text, const struct document_contact *contact)
{
    if (contact->expires_s >= 0)
        document_text_count(text, SLICE("expires"), (uint64_t)contact->expires_s);
    if (contact->registered_s >= 0)
        document_text_count(text, SLICE("duration-registered"), (uint64_t)contact->registered_s);
    if (contact->q <= 1000)
        add_q(text, contact->q);
    if (contact->call_id.len > 0) {
        document_text_attribute(text, SLICE("callid"), contact->call_id);
        document_text_count(text, SLICE("cseq"), contact->cseq);
    }
}

void document_reginfo_contact(struct document_text *text, const struct document_contact *contact)
{
    static const struct slice events[] = {
        [DOCUMENT_CONTACT_REGISTERED] = SLICE("registered"),
        [DOCUMENT_CONTACT_CREATED] = SLICE("created"),
        [DOCUMENT_CONTACT_REFRESHED] = SLICE("refreshed"),
        [DOCUMENT_CONTACT_SHORTENED] = SLICE("shortened"),
        [DOCUMENT_CONTACT_EXPIRED] = SLICE("expired"),
        [DOCUMENT_CONTACT_DEACTIVATED] = SLICE("deactivated"),
        [DOCUMENT_CONTACT_PROBATION] = SLICE("probation"),
        [DOCUMENT_CONTACT_UNREGISTERED] = SLICE("unregistered"),
        [DOCUMENT_CONTACT_REJECTED] = SLICE("rejected"),
    };
    bool active = contact->event < DOCUMENT_CONTACT_EXPIRED;

    document_text_literal(text, "<contact");
    document_text_attribute(text, SLICE("id"), contact->id);
    document_text_attribute(text, SLICE("state"), active ? SLICE("active") : SLICE("terminated"));
    document_text_attribute(text, SLICE("event"), events[contact->event]);
    add_attributes(text, contact);
    document_text_literal(text, "><uri>");
    document_text_escape(text, contact->uri);
    document_text_literal(text, "</uri>");
    if (contact->display_name.len > 0) {
        document_text_literal(text, "<display-name>");
        document_text_escape(text, contact->display_name);
        document_text_literal(text, "</display-name>");
    }
    document_text_literal(text, "</contact>");
}

void document_reginfo_registration_end(struct document_text *text)
{
    document_text_literal(text, "</registration>");
}

void document_reginfo_end(struct document_text *text)
{
    document_text_literal(text, "</reginfo>\n");
}
