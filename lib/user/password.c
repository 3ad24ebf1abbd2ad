#include "user/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

static const struct {
    const char *prefix; // in a file of users
    const char *name;   // OpenSSL's
    unsigned len;
} algorithms[CONF_DIGESTS] = {
    [CONF_DIGEST_SHA256] = {"sha256:", "SHA256", 32},
    [CONF_DIGEST_SHA512_256] = {"sha512-256:", "SHA512-256", 32},
    [CONF_DIGEST_MD5] = {"md5:", "MD5", 16},
};

static bool hash(EVP_MD_CTX *context, unsigned algorithm, const struct slice *parts, unsigned n, uint8_t *ha1)
{
    EVP_MD *md = EVP_MD_fetch(NULL, algorithms[algorithm].name, NULL);
    bool good = md != NULL && EVP_DigestInit_ex2(context, md, NULL);

    for (unsigned i = 0; i < n && good; i++)
        good = EVP_DigestUpdate(context, parts[i].at, parts[i].len) != 0;
    good = good && EVP_DigestFinal_ex(context, ha1, NULL);
    EVP_MD_free(md);
    return good;
}

bool user_password_hash(struct user *user, struct slice name, struct slice realm, struct slice password)
{
    const struct slice parts[] = {name, SLICE(":"), realm, SLICE(":"), password};
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL;

    memset(user, 0, sizeof(*user));
    for (unsigned i = 0; i < CONF_DIGESTS && good; i++) {
        good = hash(context, i, parts, sizeof(parts) / sizeof(*parts), user->ha1[i]);
        user->has |= (uint8_t)(1u << i);
    }
    EVP_MD_CTX_free(context);
    return good;
}

void user_password_wipe(char *at, size_t len)
{
    OPENSSL_cleanse(at, len);
}

static int hex_digit(char c)
{
    c = slice_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(struct slice hex, unsigned len, uint8_t *bytes)
{
    if (hex.len != 2 * len)
        return false;
    for (unsigned i = 0; i < len; i++) {
        int high = hex_digit(hex.at[2 * i]), low = hex_digit(hex.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

// Which algorithm's hash a field begins as; CONF_DIGESTS: none's.
static unsigned algorithm_of(struct slice field)
{
    for (unsigned i = 0; i < CONF_DIGESTS; i++) {
        struct slice prefix = slice_text(algorithms[i].prefix);
        if (field.len >= prefix.len && slice_equal_nocase(slice_of(field.at, prefix.len), prefix))
            return i;
    }
    return CONF_DIGESTS;
}

static struct slice take_field(struct slice *rest)
{
    uint32_t end = slice_find(*rest, ',');
    struct slice field = slice_trim(slice_of(rest->at, end));
    uint32_t taken = end < rest->len ? end + 1 : end;

    *rest = slice_of(rest->at + taken, rest->len - taken);
    return field;
}

static const char *read_hashes(struct slice rest, struct user *user)
{
    while (rest.len > 0) {
        struct slice field = take_field(&rest);
        unsigned algorithm = algorithm_of(field);
        if (algorithm == CONF_DIGESTS)
            return "expected md5:HEX, sha256:HEX or sha512-256:HEX behind a hash";
        if (user->has >> algorithm & 1)
            return "the same kind of hash twice";
        uint32_t prefix = (uint32_t)strlen(algorithms[algorithm].prefix);
        if (!read_hex(slice_of(field.at + prefix, field.len - prefix), algorithms[algorithm].len,
                      user->ha1[algorithm]))
            return "expected 32 hexadecimal digits behind md5:, 64 behind sha256: and sha512-256:";
        user->has |= (uint8_t)(1u << algorithm);
    }
    return NULL;
}

const char *user_line_read(struct slice line, struct user_line *read)
{
    struct slice rest = slice_trim(line);

    memset(read, 0, sizeof(*read));
    read->name = take_field(&rest);
    read->domain = take_field(&rest);
    if (!user_name_is_good(read->name))
        return "expected a user's name of up to 128 bytes, without quotation marks, backslashes, colons or "
               "spaces";
    if (!user_realm_is_good(read->domain))
        return "expected a domain behind the user's name";
    rest = slice_trim(rest);
    if (rest.len == 0)
        return "expected a password or hashes behind the domain";
    if (algorithm_of(rest) < CONF_DIGESTS)
        return read_hashes(rest, &read->user);
    read->password = rest;
    return NULL;
}
