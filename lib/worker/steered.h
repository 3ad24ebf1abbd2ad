// steered: what was read of a message to find its worker, so that serving it reads it no second time. A plain value
// that points into the message.
#ifndef WORKER_STEERED_H
#define WORKER_STEERED_H

#include "base/hash.h"
#include "sip/address.h"
#include "sip/via.h"

enum steered_by {
    STEERED_BY_NOTHING = 0, // `named` is not set
    STEERED_BY_URI,         // named.uri is the request-URI
    STEERED_BY_TO,          // `named` is the To
};

struct steered {
    struct hash128 transaction; // what its server transaction is found by, valid when has_transaction
    struct hash128 aor;         // the key that will be looked up, valid when has_aor: the one of named.uri
    uint32_t slot;              // of the record that a response is for, or UINT32_MAX
    uint16_t worker;            // that must serve the message
    int16_t listener; // these three: whose named.uri is, as role/route.h has it in struct role_where
    int16_t domain;
    uint8_t place;
    uint8_t by; // enum steered_by
    bool has_aor;
    bool has_transaction;
    bool has_via; // of a request: `via` is its top one
    struct sip_address named;
    struct sip_via via;
};

#endif
