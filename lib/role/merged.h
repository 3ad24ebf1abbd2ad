// merged: requests that were forked on their way here and met again (RFC 3261 8.2.2.2).
//
// Only what this server answers itself is looked at: a proxy forwards both, and the user agent that gets them says 482.
// Those seen last are kept by a keyed hash of From tag, Call-ID and CSeq; one that falls on another's place takes it,
// so the table is bounded and misses few. Belongs to one worker; zeroed it is empty.
#ifndef ROLE_MERGED_H
#define ROLE_MERGED_H

#include <stdint.h>

#define ROLE_MERGED_MAX 512

struct role_merged {
    struct {
        uint64_t request; // From tag, Call-ID, CSeq
        uint64_t via;     // what makes it another transaction
        uint64_t until_ms;
    } seen[ROLE_MERGED_MAX];
};

#endif
