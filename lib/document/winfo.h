// document/winfo: who watches, for the watched (RFC 3857, 3858): application/watcherinfo+xml.
//
// begin, a call for each watcher, end; the error is asked of the text (document_text_error). Pure: any thread.
#ifndef DOCUMENT_WINFO_H
#define DOCUMENT_WINFO_H

#include "document/document.h"

enum document_watcher_status { // RFC 3857 4.7.1
    DOCUMENT_WATCHER_PENDING,
    DOCUMENT_WATCHER_ACTIVE,
    DOCUMENT_WATCHER_WAITING,
    DOCUMENT_WATCHER_TERMINATED,
};

enum document_watcher_event { // what brought it there
    DOCUMENT_WATCHER_SUBSCRIBE,
    DOCUMENT_WATCHER_APPROVED,
    DOCUMENT_WATCHER_DEACTIVATED,
    DOCUMENT_WATCHER_PROBATION,
    DOCUMENT_WATCHER_REJECTED,
    DOCUMENT_WATCHER_TIMEOUT,
    DOCUMENT_WATCHER_GIVEUP,
    DOCUMENT_WATCHER_NORESOURCE,
};

struct document_watcher {
    struct slice id;           // of this subscription, for as long as it lives
    struct slice uri;          // the watcher, not escaped
    struct slice display_name; // not escaped; empty: none
    enum document_watcher_status status;
    enum document_watcher_event event;
    int64_t expiration_s; // until the subscription ends; negative: not said
    int64_t subscribed_s; // since it began; negative: not said
};

// `version` starts at 0 and grows by 1 with each document of a subscription. A document that is not `full` names only
// the watchers that changed (RFC 3858 4.1). `package` is the one that is watched: "presence".
void document_winfo_begin(struct document_text *text, uint32_t version, bool full, struct slice resource,
                          struct slice package);
void document_winfo_watcher(struct document_text *text, const struct document_watcher *watcher);
void document_winfo_end(struct document_text *text);

#endif
