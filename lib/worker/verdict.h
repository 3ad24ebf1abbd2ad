// verdict: what becomes of a message. A role says it; the data path carries it out. A plain value.
#ifndef WORKER_VERDICT_H
#define WORKER_VERDICT_H

#include "base/endpoint.h"
#include "worker/drop.h"

enum verdict_kind {
    VERDICT_DROP = 0, // `drop` says why
    VERDICT_FORWARD,  // apply the edits and send to `to` from `listener`
    VERDICT_REPLY, // the edits make it a response; send to `to` from `listener`; `status` is for the counters
    VERDICT_PARK,  // it waits until control has asked the DNS for `name`, and is then served anew
};

struct buffer; // worker/outlet.h

struct verdict {
    struct endpoint to; // next hop, with port
    struct buffer *
        *keep;         // forward, reply: where a reference to the message as it leaves is put; NULL: nowhere.
                       // Left NULL where rewriting fails and the message is dropped, or
                       // where no buffer may be kept and it leaves all the same
    struct slice name; // park: a host name or a number; points into the message or the configuration
    uint16_t name_port; // park: struct name_question
    uint8_t name_kind;
    uint8_t name_transport;
    uint16_t status;  // reply: its status
    uint8_t kind;     // enum verdict_kind
    uint8_t listener; // index into conf->listeners: the source address of what leaves
    uint8_t drop;     // enum drop
    bool waits;       // reply: it leaves when the record that was staged in the journal is on the disk
};

#endif
