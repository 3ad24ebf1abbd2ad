// branch: the branch parameter of the Vias that this server pushes (RFC 3261 16.6 step 8, 16.11, RFC 5393
// 4.2).
//
//   z9hG4bKstg.WWWWLLTTTTTTTTTTTTTTTTPPPPPPPP      in hexadecimal
//              |   | |               loop part: what routing depended on; equal again means a loop
//              |   | transaction part: the same for a request, its retransmissions, its CANCEL and its ACK
//              |   listener the request came in on: the response leaves by it (RFC 3581 4)
//              worker that served the request: it gets the response
// Pure: any thread.
#ifndef ROLE_BRANCH_H
#define ROLE_BRANCH_H

#include "role/request.h"

#define ROLE_BRANCH_MARK "z9hG4bKstg."
#define ROLE_BRANCH_LEN  (sizeof(ROLE_BRANCH_MARK) - 1 + 4 + 2 + 16 + 8)

struct role_branch {
    uint16_t worker;
    uint8_t listener;
    uint32_t loop;
};

// True when `branch` is of this form, whoever wrote it.
bool role_branch_parse(struct slice branch, struct role_branch *parsed);

// The first of this form anywhere in `via`; what lies behind it is `*rest`. Needs no parsed Via.
bool role_branch_find(struct slice via, struct role_branch *parsed, struct slice *rest);

// What the branch of a request as it was received is made of.
struct role_branch_parts {
    uint64_t transaction;
    uint32_t loop;
};
struct role_branch_parts role_branch_parts(const struct role_request *request);

// Writes ROLE_BRANCH_LEN bytes.
void role_branch_write(const struct role_request *request, struct role_branch_parts parts,
                       char text[ROLE_BRANCH_LEN]);

#endif
