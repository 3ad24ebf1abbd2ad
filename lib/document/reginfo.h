// document/reginfo: what is registered, as package `reg` tells it (RFC 3680): application/reginfo+xml.
//
// begin, then for each address of record registration, its contacts, registration_end, then end; the error is asked of
// the text (document_text_error). Pure: any thread.
#ifndef DOCUMENT_REGINFO_H
#define DOCUMENT_REGINFO_H

#include "document/document.h"

enum document_registration_state { // RFC 3680 3.7.1
    DOCUMENT_REGISTRATION_INIT,
    DOCUMENT_REGISTRATION_ACTIVE,
    DOCUMENT_REGISTRATION_TERMINATED,
};

enum document_contact_event { // RFC 3680 3.7.2: what brought the contact into its state; the first four make it active
    DOCUMENT_CONTACT_REGISTERED,
    DOCUMENT_CONTACT_CREATED,
    DOCUMENT_CONTACT_REFRESHED,
    DOCUMENT_CONTACT_SHORTENED,
    DOCUMENT_CONTACT_EXPIRED,
    DOCUMENT_CONTACT_DEACTIVATED,
    DOCUMENT_CONTACT_PROBATION,
    DOCUMENT_CONTACT_UNREGISTERED,
    DOCUMENT_CONTACT_REJECTED,
};

struct document_contact {
    struct slice id;           // of the binding, for as long as it lives
    struct slice uri;          // not escaped
    struct slice display_name; // not escaped; empty: none
    struct slice call_id;      // of its REGISTER, not escaped; empty: not said
    uint32_t cseq;             // said with the Call-ID only
    enum document_contact_event event;
    int64_t expires_s;    // left; negative: not said. Needed with SHORTENED (RFC 3680 5.3.3)
    int64_t registered_s; // since the binding was made; negative: not said
    uint16_t q;           // thousandths; over 1000: not said
};

// `version` starts at 0 and grows by 1 with each document of a subscription; a document that is not `full` tells of
// the registrations that changed (RFC 3680 5.1).
void document_reginfo_begin(struct document_text *text, uint32_t version, bool full);
void document_reginfo_registration(struct document_text *text, struct slice aor, struct slice id,
                                   enum document_registration_state state);
void document_reginfo_contact(struct document_text *text, const struct document_contact *contact);
void document_reginfo_registration_end(struct document_text *text);
void document_reginfo_end(struct document_text *text);

#endif
