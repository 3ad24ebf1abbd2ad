// branch: the branch parameter of the Vias that this server pushes (RFC 3261 16.6 step 8, 16.11, RFC 5393
// 4.2).
//
//   z9hG4bKstg.WWWWLLSSSSSSSSTTTTTTTTTTTTTTTTPPPPPPPP      in hexadecimal
//              |   | |       |               loop part: what routing depended on; equal again means a loop
//              |   | |       transaction part: without a record, the same for a request, its retransmissions, its
//              |   | |         CANCEL and its ACK; with one, the branch's number (2 digits) and the record's check
//              |   | slot of the record that knows it, or one of the two that no record has
//              |   listener the request came in on: the response leaves by it (RFC 3581 4)
//              worker that served the request: it gets the response
// Pure: any thread.
#ifndef ROLE_BRANCH_H
#define ROLE_BRANCH_H

#include "gateway/gateway.h"
#include "role/request.h"

#define ROLE_BRANCH_MARK "z9hG4bKstg."
#define ROLE_BRANCH_LEN  (sizeof(ROLE_BRANCH_MARK) - 1 + 4 + 2 + 8 + 16 + 8)

#define ROLE_BRANCH_STATELESS  UINT32_MAX           // slot: nobody knows it (RFC 3261 16.11)
#define ROLE_BRANCH_PROBE      (UINT32_MAX - 1)     // slot: an OPTIONS of our own, see proxy/probe.h
#define ROLE_BRANCH_NOTIFY     UINT32_C(0xe0000000) // slot: this and a subscription's, see presence/presence.h
#define ROLE_BRANCH_CHECK_BITS 56

struct role_branch {
    uint64_t transaction;
    uint32_t slot;
    uint32_t loop;
    uint16_t worker;
    uint8_t listener;
};

// True when `branch` is of this form, whoever wrote it.
bool role_branch_parse(struct slice branch, struct role_branch *parsed);

// The first of this form anywhere in `via`; what lies behind it is `*rest`. Needs no parsed Via.
bool role_branch_find(struct slice via, struct role_branch *parsed, struct slice *rest);

// Writes ROLE_BRANCH_LEN bytes.
void role_branch_write(const struct role_branch *branch, char text[ROLE_BRANCH_LEN]);

// The branch of a request as it was received, for forwarding without a record; its loop part is the one for
// branches with a record, too.
struct role_branch role_branch_stateless(const struct role_request *request);

// A NOTIFY of our own: the transaction part is its subscription's check, the loop part its CSeq.
static inline bool role_branch_is_notify(uint32_t slot)
{
    return slot >> 28 == ROLE_BRANCH_NOTIFY >> 28;
}

// The transaction part of a branch that has a record.
static inline uint64_t role_branch_part(unsigned number, uint64_t check)
{
    return (uint64_t)number << ROLE_BRANCH_CHECK_BITS | check;
}

static inline unsigned role_branch_number(const struct role_branch *branch)
{
    return (unsigned)(branch->transaction >> ROLE_BRANCH_CHECK_BITS);
}

static inline uint64_t role_branch_check(const struct role_branch *branch)
{
    return branch->transaction & ((UINT64_C(1) << ROLE_BRANCH_CHECK_BITS) - 1);
}

#endif
