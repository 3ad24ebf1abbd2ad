// RFC 7616 3.4.1 to 3.4.3, 3.5.
#include "role/auth.h"

static void put_colon(struct role_hash *hash, struct slice text)
{
    role_hash_put(hash, text);
    role_hash_put(hash, SLICE(":"));
}

// A2 is METHOD ":" URI, and of our own proof ":" URI.
static struct slice hash_a2(enum conf_digest algorithm, struct slice method, struct slice uri,
                            char hex[ROLE_HASH_HEX])
{
    struct role_hash hash;

    role_hash_begin(&hash, algorithm);
    put_colon(&hash, method);
    role_hash_put(&hash, uri);
    return slice_of(hex, role_hash_end(&hash, hex));
}

// All that both proofs begin with.
static void begin(struct role_hash *hash, const struct role_asking *asking, const struct user *user)
{
    const struct sip_credentials *given = &asking->given;
    unsigned len = role_hash_len(asking->algorithm);
    char ha1[ROLE_HASH_HEX];

    role_hash_write_hex(user->ha1[asking->algorithm], len / 2, ha1);
    role_hash_begin(hash, asking->algorithm);
    put_colon(hash, slice_of(ha1, len));
    put_colon(hash, given->nonce);
    if (given->qop.at == NULL) // RFC 2069
        return;
    put_colon(hash, given->nc);
    put_colon(hash, given->cnonce);
    put_colon(hash, given->qop);
}

// Every byte is looked at, wherever the first that differs is.
static bool same(struct slice a, struct slice b)
{
    unsigned different = a.len != b.len;

    for (uint32_t i = 0; i < a.len && i < b.len; i++)
        different |= (unsigned char)(a.at[i] ^ b.at[i]);
    return different == 0;
}

bool role_proof_check(struct role_request *request, const struct role_asking *asking, const struct user *user)
{
    const struct sip_credentials *given = &asking->given;
    struct slice method = sip_message_span(request->message, request->message->method_text);
    struct role_hash hash, again;
    char ha2[ROLE_HASH_HEX], response[ROLE_HASH_HEX];

    begin(&hash, asking, user);
    again = hash;
    role_hash_put(&hash, hash_a2(asking->algorithm, method, given->uri, ha2));
    bool right = same(slice_of(response, role_hash_end(&hash, response)), given->response);
    request->proof.rspauth_len = 0;
    if (!right || !asking->server || given->qop.at == NULL)
        return right;
    role_hash_put(&again, hash_a2(asking->algorithm, SLICE(""), given->uri, ha2));
    request->proof.rspauth_len = (uint8_t)role_hash_end(&again, request->proof.rspauth);
    request->proof.cnonce = given->cnonce;
    request->proof.nc = given->nc;
    return true;
}

void role_auth_put_info(const struct role_request *request, struct role_text *lines)
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
