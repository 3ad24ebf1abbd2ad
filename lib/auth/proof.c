// RFC 7616 3.4.1 to 3.4.3, 3.5.
#include "auth/asking.h"
#include "auth/auth.h"

// What is hashed, in one piece: bounded by credentials.c.
struct text {
    unsigned len;
    char bytes[2 * ROLE_HASH_HEX + 3 * AUTH_CREDENTIAL_MAX];
};

static void put(struct text *text, struct slice piece)
{
    memcpy(text->bytes + text->len, piece.at, piece.len);
    text->len += piece.len;
}

static void put_colon(struct text *text, struct slice piece)
{
    put(text, piece);
    text->bytes[text->len++] = ':';
}

// A2 is METHOD ":" URI, and of our own proof ":" URI.
static void hash_a2(enum conf_digest algorithm, struct slice method, struct slice uri,
                    char hex[ROLE_HASH_HEX])
{
    struct role_hash hash;

    role_hash_begin(&hash, algorithm);
    role_hash_put(&hash, method);
    role_hash_put(&hash, SLICE(":"));
    role_hash_put(&hash, uri);
    role_hash_end(&hash, hex);
}

// Both, where they are asked for: mostly of the REGISTERs of one domain, which have the same URI.
static const struct role_a2 *a2_of(struct role_request *request, const struct auth_asking *asking,
                                   struct role_a2 *room)
{
    struct slice method = sip_message_span(request->message, request->message->method_text);
    struct slice uri = asking->given.uri;
    struct role_a2 *a2 = &request->role->a2;
    bool kept = request->message->method == SIP_METHOD_REGISTER && uri.len > 0 && uri.len <= sizeof(a2->uri);

    if (kept && a2->algorithm == asking->algorithm && slice_equal(slice_of(a2->uri, a2->uri_len), uri))
        return a2;
    if (!kept)
        a2 = room;
    hash_a2(asking->algorithm, method, uri, a2->theirs);
    if (asking->server)
        hash_a2(asking->algorithm, SLICE(""), uri, a2->ours);
    a2->algorithm = (uint8_t)asking->algorithm;
    a2->uri_len = kept && asking->server ? (uint16_t)uri.len : 0; // only what is whole
    if (a2->uri_len > 0)
        memcpy(a2->uri, uri.at, uri.len);
    return a2;
}

// All that both proofs begin with.
static void begin(struct role_hash *hash, const struct auth_asking *asking, const struct user *user)
{
    const struct sip_credentials *given = &asking->given;
    unsigned len = role_hash_len(asking->algorithm);
    struct text text;

    text.len = len;

    role_hash_write_hex(user->ha1[asking->algorithm], len / 2, text.bytes);
    put_colon(&text, SLICE(""));
    put_colon(&text, given->nonce);
    if (given->qop.at != NULL) { // else RFC 2069
        put_colon(&text, given->nc);
        put_colon(&text, given->cnonce);
        put_colon(&text, given->qop);
    }
    role_hash_begin(hash, asking->algorithm);
    role_hash_put(hash, slice_of(text.bytes, text.len));
}

// Every byte is looked at, wherever the first that differs is.
static bool same(struct slice a, struct slice b)
{
    unsigned different = a.len != b.len;

    for (uint32_t i = 0; i < a.len && i < b.len; i++)
        different |= (unsigned char)(a.at[i] ^ b.at[i]);
    return different == 0;
}

bool auth_proof_check(struct role_request *request, const struct auth_asking *asking, const struct user *user)
{
    const struct sip_credentials *given = &asking->given;
    unsigned len = role_hash_len(asking->algorithm);
    char response[ROLE_HASH_HEX];
    struct role_hash hash, again;
    struct role_a2 room;

    const struct role_a2 *a2 = a2_of(request, asking, &room);
    begin(&hash, asking, user);
    again = hash;
    role_hash_put(&hash, slice_of(a2->theirs, len));
    bool right = same(slice_of(response, role_hash_end(&hash, response)), given->response);
    request->proof.rspauth_len = 0;
    if (!right || !asking->server || given->qop.at == NULL)
        return right;
    role_hash_put(&again, slice_of(a2->ours, len));
    request->proof.rspauth_len = (uint8_t)role_hash_end(&again, request->proof.rspauth);
    request->proof.cnonce = given->cnonce;
    request->proof.nc = given->nc;
    return true;
}

void auth_put_info(const struct role_request *request, struct role_text *lines)
{
    const struct role_proof *proof = &request->proof;

    if (!proof->given || proof->rspauth_len == 0)
        return;
    role_text_put(lines, SLICE("Authentication-Info: qop=auth, rspauth=\""));
    role_text_put(lines, slice_of(proof->rspauth, proof->rspauth_len));
    role_text_put(lines, SLICE("\", cnonce=\""));
    role_text_put(lines, proof->cnonce);
    role_text_put(lines, SLICE("\", nc="));
    role_text_put(lines, proof->nc);
    role_text_put(lines, SLICE("\r\n"));
}
