// One directory of entries; the key is a hash of name and realm.
#include <errno.h>

#include "user/user.h"
#include "worker/directory.h"

struct user_table {
    struct hash_key key;
    struct directory *directory;
    struct memory memory;
};

int user_table_create(struct user_table **created, uint32_t users, const struct hash_key *key,
                      struct rte_rcu_qsbr *qsbr, const struct memory *memory)
{
    const struct directory_setup setup = {
        .entries = users, .bytes = sizeof(struct user), .qsbr = qsbr, .memory = memory};

    if (users == 0 || users > USER_USERS_MAX)
        return -EINVAL;
    struct user_table *table = memory->take(memory->owner, sizeof(*table), MEMORY_ANY_NODE);
    if (table == NULL)
        return -ENOMEM;
    // Its own key: signatures and places say nothing of other tables'.
    *table = (struct user_table){.key = {key->k0 ^ 'u', key->k1}, .memory = *memory};
    int error = directory_create(&table->directory, &setup);
    if (error != 0) {
        user_table_destroy(table);
        return error;
    }
    *created = table;
    return 0;
}

void user_table_destroy(struct user_table *table)
{
    if (table == NULL)
        return;
    struct memory memory = table->memory;

    directory_destroy(table->directory);
    memory.give(memory.owner, table, sizeof(*table));
}

static bool is_good(struct slice text, uint32_t max)
{
    for (uint32_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c <= ' ' || c == 0x7f || c == '"' || c == '\\' || c == ':' || c == ',')
            return false;
    }
    return text.len > 0 && text.len <= max;
}

bool user_name_is_good(struct slice name)
{
    return is_good(name, USER_NAME_MAX);
}

// A realm may be an IPv6 address.
bool user_realm_is_good(struct slice realm)
{
    bool good = realm.len > 0 && realm.len <= USER_REALM_MAX;

    for (uint32_t i = 0; good && i < realm.len; i++)
        good = realm.at[i] == ':' || is_good(slice_of(realm.at + i, 1), 1);
    return good;
}

// What is too long is cut here, and refused elsewhere.
static struct hash128 key_of(const struct user_table *table, struct slice name, struct slice realm)
{
    char text[USER_NAME_MAX + 1 + USER_REALM_MAX];
    uint32_t len = name.len < USER_NAME_MAX ? name.len : USER_NAME_MAX;
    uint32_t realm_len = realm.len < USER_REALM_MAX ? realm.len : USER_REALM_MAX;

    if (len > 0)
        memcpy(text, name.at, len);
    text[len++] = ':';
    if (realm_len > 0)
        memcpy(text + len, realm.at, realm_len);
    return hash_sip13(&table->key, text, len + realm_len);
}

bool user_find(const struct user_table *table, struct slice name, struct slice realm, struct user *found)
{
    if (table == NULL) {
        memset(found, 0, sizeof(*found));
        return false;
    }
    struct hash128 key = key_of(table, name, realm);
    const struct user *user = directory_find(table->directory, key);
    // Whoever asks for the same name again finds this one in the cache, too.
    *found = *(user != NULL ? user : (const struct user *)directory_decoy(table->directory, key));
    return user != NULL && name.len <= USER_NAME_MAX && realm.len <= USER_REALM_MAX;
}

void user_expire(struct user_table *table)
{
    directory_expire(table->directory);
}

int user_put(struct user_table *table, struct slice name, struct slice realm, const struct user *user)
{
    if (!user_name_is_good(name) || !user_realm_is_good(realm))
        return -EINVAL;
    return directory_put(table->directory, key_of(table, name, realm), user);
}

bool user_remove(struct user_table *table, struct slice name, struct slice realm)
{
    return user_name_is_good(name) && user_realm_is_good(realm) &&
           directory_remove(table->directory, key_of(table, name, realm));
}

void user_usage(const struct user_table *table, struct user_usage *usage)
{
    *usage = (struct user_usage){
        .users = table == NULL ? 0 : directory_count(table->directory),
        .users_max = table == NULL ? 0 : directory_max(table->directory),
    };
}
