// document/rlmi: a list of resources in one body (RFC 4662): multipart/related, of which the first part is the list.
//
//   Content-Type  document_related_type
//   body          document_related_begin (boundary, cid of the list)
//                   document_rlmi_begin; per resource: document_rlmi_resource, _instance, _resource_end; _end
//                 for each instance with a body: document_related_part, and the body behind it (document_text_add)
//                 document_related_end
//
// A boundary is drawn at random by the caller, so that no body can hold it: 1 to 70 of the letters and digits. A cid is
// "local@host" without brackets, unique among all of this server (RFC 2392). The error is asked of the text
// (document_text_error). Pure: any thread.
#ifndef DOCUMENT_RLMI_H
#define DOCUMENT_RLMI_H

#include "document/document.h"

enum document_instance_state { // RFC 4662 5.4
    DOCUMENT_INSTANCE_ACTIVE,
    DOCUMENT_INSTANCE_PENDING,
    DOCUMENT_INSTANCE_TERMINATED,
};

struct document_instance {
    struct slice id; // of the subscription to it, within the resource
    enum document_instance_state state;
    struct slice reason; // when terminated: as in Subscription-State; empty: none
    struct slice cid;    // of the part with its state; empty: none is there
};

// `multipart/related;type="application/rlmi+xml";start="<cid>";boundary="…"`, without a line end.
void document_related_type(struct document_text *text, struct slice boundary, struct slice cid);
// The first part's head: of the list itself.
void document_related_begin(struct document_text *text, struct slice boundary, struct slice cid);
// Ends the part before and begins one with Content-Type `type`; its content is written behind.
void document_related_part(struct document_text *text, struct slice boundary, struct slice cid,
                           struct slice type);
void document_related_end(struct document_text *text, struct slice boundary);

// `version` starts at 0 and grows by 1 with each document of a subscription (RFC 4662 5.1). `name` of the list may be
// empty, as that of a resource.
void document_rlmi_begin(struct document_text *text, struct slice uri, uint32_t version, bool full,
                         struct slice name);
void document_rlmi_resource(struct document_text *text, struct slice uri, struct slice name);
void document_rlmi_instance(struct document_text *text, const struct document_instance *instance);
void document_rlmi_resource_end(struct document_text *text);
void document_rlmi_end(struct document_text *text);

#endif
