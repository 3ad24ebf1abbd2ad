#include "user/record.h"

#define VERSION 1

// In the order of the format.
static const struct {
    uint8_t algorithm, bit, len;
} parts[CONF_DIGESTS] = {
    {CONF_DIGEST_SHA256, 1, 32},
    {CONF_DIGEST_SHA512_256, 2, 32},
    {CONF_DIGEST_MD5, 4, 16},
};

unsigned user_record_key_write(struct slice name, struct slice realm, char key[USER_KEY_MAX])
{
    if (!user_name_is_good(name) || !user_realm_is_good(realm) || slice_find(realm, '@') != realm.len)
        return 0;
    memcpy(key, name.at, name.len);
    key[name.len] = '@';
    memcpy(key + name.len + 1, realm.at, realm.len);
    return name.len + 1 + realm.len;
}

// The last "@": a name may have some.
bool user_record_key_read(struct slice key, struct slice *name, struct slice *realm)
{
    uint32_t at = key.len;

    while (at > 0 && key.at[at - 1] != '@')
        at--;
    if (at == 0)
        return false;
    *name = slice_of(key.at, at - 1);
    *realm = slice_of(key.at + at, key.len - at);
    return user_name_is_good(*name) && user_realm_is_good(*realm);
}

unsigned user_record_write(const struct user *user, uint8_t value[USER_RECORD_MAX])
{
    unsigned len = 2;

    value[0] = VERSION;
    value[1] = 0;
    for (unsigned i = 0; i < CONF_DIGESTS; i++) {
        if (!(user->has >> parts[i].algorithm & 1))
            continue;
        value[1] |= parts[i].bit;
        memcpy(value + len, user->ha1[parts[i].algorithm], parts[i].len);
        len += parts[i].len;
    }
    return len;
}

bool user_record_read(struct slice value, struct user *user)
{
    const uint8_t *at = (const uint8_t *)value.at;
    unsigned len = 2, known = 0;

    memset(user, 0, sizeof(*user));
    if (value.len < 2 || at[0] != VERSION)
        return false;
    for (unsigned i = 0; i < CONF_DIGESTS; i++) {
        known |= parts[i].bit;
        if (!(at[1] & parts[i].bit))
            continue;
        if (value.len < len + parts[i].len)
            return false;
        user->has |= (uint8_t)(1u << parts[i].algorithm);
        memcpy(user->ha1[parts[i].algorithm], at + len, parts[i].len);
        len += parts[i].len;
    }
    return len == value.len && (at[1] & ~known) == 0 && user->has != 0;
}
