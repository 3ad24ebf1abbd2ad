#include "role/branch.h"

#include "role/digest.h"
#include "role/hex.h"

#define MARK_LEN (sizeof(ROLE_BRANCH_MARK) - 1)

// `at` has ROLE_BRANCH_LEN bytes.
static bool read_branch(const char *at, struct role_branch *parsed)
{
    uint32_t origin, high, low;

    // worker and listener are six digits
    at += MARK_LEN;
    if (!role_hex_read(at, &origin) || !role_hex_read(at + 6, &parsed->slot) ||
        !role_hex_read(at + 14, &high) || !role_hex_read(at + 22, &low) ||
        !role_hex_read(at + 30, &parsed->loop))
        return false;
    parsed->worker = (uint16_t)(origin >> 16);
    parsed->listener = (uint8_t)(origin >> 8);
    parsed->transaction = (uint64_t)high << 32 | low;
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
struct role_branch role_branch_stateless(const struct role_request *request)
{
    const struct sip_message *message = request->message;
    const struct arrival *arrival = request->arrival;
    struct slice branch = request->via.branch;
    const struct hash_key *secret = &request->role->secret;
    uint64_t parts[2] = {ROLE_DIGEST_BRANCH, request->cseq.number};

    // told apart by a mix, which costs half; hidden by a hash of that, so that nobody gets at the secret
    parts[0] = role_digest_mix(parts[0] ^ secret->k1, sip_message_span(message, message->uri));
    SIP_FOREACH_LINE(line, message, SIP_HEADER_ROUTE)
        parts[0] = role_digest_mix(parts[0], sip_message_value(message, line));
    parts[0] = role_digest_mix(parts[0], request->call_id);
    struct hash128 routed = hash_sip13(secret, parts, sizeof(parts));
    struct role_branch made = {
        .transaction = routed.high,
        .slot = ROLE_BRANCH_STATELESS,
        .loop = (uint32_t)routed.low,
        .worker = arrival->worker,
        .listener = arrival->listener,
    };
    if (role_via_is_unique(&request->via)) {
        made.transaction = role_digest_mix(made.transaction, branch);
    } else {
        made.transaction = role_digest_mix(made.transaction, request->via.text);
        made.transaction = role_digest_mix(made.transaction, request->from_tag);
    }
    return made;
}

void role_branch_write(const struct role_branch *branch, char text[ROLE_BRANCH_LEN])
{
    // worker and listener are six digits; the two behind them are written over
    memcpy(text, ROLE_BRANCH_MARK, MARK_LEN);
    role_hex_write(text + MARK_LEN, (uint32_t)branch->worker << 16 | (uint32_t)branch->listener << 8);
    text = role_hex_write(text + MARK_LEN + 6, branch->slot);
    text = role_hex_write(text, (uint32_t)(branch->transaction >> 32));
    text = role_hex_write(text, (uint32_t)branch->transaction);
    role_hex_write(text, branch->loop);
}
