#include "role/branch.h"

#include "role/digest.h"

#define MARK_LEN (sizeof(ROLE_BRANCH_MARK) - 1)

static char *write_hex(char *at, uint64_t number, unsigned digits)
{
    static const char hex[16] = "0123456789abcdef";

    for (unsigned i = digits; i-- > 0; number >>= 4)
        at[i] = hex[number & 15];
    return at + digits;
}

static bool read_hex(const char *at, unsigned digits, uint32_t *number)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < digits; i++) {
        unsigned char c = (unsigned char)at[i];
        if (c >= '0' && c <= '9')
            value = value << 4 | (c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (c - 'a' + 10u);
        else
            return false;
    }
    *number = value;
    return true;
}

// `at` has ROLE_BRANCH_LEN bytes.
static bool read_branch(const char *at, struct role_branch *parsed)
{
    uint32_t worker, listener, transaction;

    at += MARK_LEN;
    if (!read_hex(at, 4, &worker) || !read_hex(at + 4, 2, &listener) || !read_hex(at + 6, 8, &transaction) ||
        !read_hex(at + 14, 8, &transaction) || !read_hex(at + 22, 8, &parsed->loop))
        return false;
    parsed->worker = (uint16_t)worker;
    parsed->listener = (uint8_t)listener;
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

// Everything that decides where a request goes, and Call-ID and CSeq so that two transactions do not share a
// collision (RFC 5393 4.2.4). Nothing in it may differ between an INVITE and its CANCEL or ACK: no method, no To tag,
// and no Proxy-Require, which a CANCEL does not carry (RFC 3261 9.1).
uint32_t role_branch_loop(const struct role_request *request)
{
    const struct sip_message *message = request->message;
    struct role_digest digest;

    role_digest_begin(&digest, &request->role->secret, ROLE_DIGEST_LOOP);
    role_digest_put(&digest, sip_message_span(message, message->uri));
    SIP_FOREACH_LINE(line, message, SIP_HEADER_ROUTE)
        role_digest_put(&digest, sip_message_value(message, line));
    role_digest_put(&digest, request->call_id);
    role_digest_put_number(&digest, request->cseq.number);
    return (uint32_t)role_digest_end(&digest).low;
}

// RFC 3261 16.11: of the received branch when it is unique by itself, else of what tells transactions apart. The
// To tag that 16.11 lists is left out: the ACK to a negative answer carries one that its INVITE did not, and must get
// the same branch (17.1.1.3).
static uint64_t transaction_part(const struct role_request *request)
{
    const struct sip_message *message = request->message;
    struct slice branch = request->via.branch;
    struct role_digest digest;

    role_digest_begin(&digest, &request->role->secret, ROLE_DIGEST_TRANSACTION);
    if (branch.len > sizeof(SIP_BRANCH_COOKIE) - 1 && slice_starts(branch, SLICE(SIP_BRANCH_COOKIE))) {
        role_digest_put(&digest, branch);
        return role_digest_end(&digest).low;
    }
    role_digest_put(&digest, request->via.text);
    role_digest_put(&digest, request->from_tag);
    role_digest_put(&digest, request->call_id);
    role_digest_put_number(&digest, request->cseq.number);
    role_digest_put(&digest, sip_message_span(message, message->uri));
    return role_digest_end(&digest).low;
}

void role_branch_write(const struct role_request *request, uint32_t loop, char text[ROLE_BRANCH_LEN])
{
    memcpy(text, ROLE_BRANCH_MARK, MARK_LEN);
    text = write_hex(text + MARK_LEN, request->arrival->worker, 4);
    text = write_hex(text, request->arrival->listener, 2);
    text = write_hex(text, transaction_part(request), 16);
    write_hex(text, loop, 8);
}
