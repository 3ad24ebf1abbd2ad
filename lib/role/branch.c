#include "role/branch.h"

#include "role/digest.h"
#include "role/hex.h"

#define MARK_LEN (sizeof(ROLE_BRANCH_MARK) - 1)

// `at` has ROLE_BRANCH_LEN bytes.
static bool read_branch(const char *at, struct role_branch *parsed)
{
    uint32_t origin, transaction;

    // worker and listener are six digits
    at += MARK_LEN;
    if (!role_hex_read(at, &origin) || !role_hex_read(at + 6, &transaction) ||
        !role_hex_read(at + 14, &transaction) || !role_hex_read(at + 22, &parsed->loop))
        return false;
    parsed->worker = (uint16_t)(origin >> 16);
    parsed->listener = (uint8_t)(origin >> 8);
    return true;
}

bool role_branch_parse(struct slice branch, struct role_branch *parsed)
{
    return branch.len == ROLE_BRANCH_LEN && slice_starts(branch, SLICE(ROLE_BRANCH_MARK)) &&
           read_branch(branch.at, parsed);
}

bool role_branch_find(struct slice via, struct role_branch *parsed, struct slice *rest)
{
    while (via.len >= ROLE_BRANCH_LEN) {
        const char *mark = memmem(via.at, via.len - ROLE_BRANCH_LEN + MARK_LEN, ROLE_BRANCH_MARK, MARK_LEN);
        if (mark == NULL)
            return false;
        const char *behind = mark + MARK_LEN;
        *rest = slice_of(behind, (size_t)(via.at + via.len - behind));
        if (read_branch(mark, parsed))
            return true;
        via = *rest;
    }
    return false;
}

// The loop part is of everything that decides where a request goes, and of Call-ID and CSeq so that two
// transactions do not share a collision (RFC 5393 4.2.4). Nothing in it may differ between an INVITE and its
// CANCEL or ACK: no method, no To tag, and no Proxy-Require, which a CANCEL does not carry (RFC 3261 9.1).
// The transaction part adds what RFC 3261 16.11 says: the received branch when it is unique by itself, else
// what tells transactions apart. The To tag that 16.11 lists is left out: the ACK to a negative answer
// carries one that its INVITE did not, and must get the same branch (17.1.1.3).
struct role_branch_parts role_branch_parts(const struct role_request *request)
{
    const struct sip_message *message = request->message;
    struct slice branch = request->via.branch;
    struct role_digest digest;

    role_digest_begin(&digest, &request->role->secret, ROLE_DIGEST_BRANCH);
    role_digest_put(&digest, sip_message_span(message, message->uri));
    SIP_FOREACH_LINE(line, message, SIP_HEADER_ROUTE)
        role_digest_put(&digest, sip_message_value(message, line));
    role_digest_put(&digest, request->call_id);
    role_digest_put_number(&digest, request->cseq.number);
    struct hash128 routed = role_digest_end(&digest);
    struct role_branch_parts parts = {.transaction = routed.high, .loop = (uint32_t)routed.low};
    if (branch.len > sizeof(SIP_BRANCH_COOKIE) - 1 && slice_starts(branch, SLICE(SIP_BRANCH_COOKIE))) {
        parts.transaction = role_digest_mix(parts.transaction, branch);
    } else {
        parts.transaction = role_digest_mix(parts.transaction, request->via.text);
        parts.transaction = role_digest_mix(parts.transaction, request->from_tag);
    }
    return parts;
}

void role_branch_write(const struct role_request *request, struct role_branch_parts parts,
                       char text[ROLE_BRANCH_LEN])
{
    const struct arrival *arrival = request->arrival;

    // worker and listener are six digits; the two behind them are written over
    memcpy(text, ROLE_BRANCH_MARK, MARK_LEN);
    role_hex_write(text + MARK_LEN, (uint32_t)arrival->worker << 16 | (uint32_t)arrival->listener << 8);
    text = role_hex_write(text + MARK_LEN + 6, (uint32_t)(parts.transaction >> 32));
    text = role_hex_write(text, (uint32_t)parts.transaction);
    role_hex_write(text, parts.loop);
}
