// Bindings, publications and subscriptions that died leave the workers' tables by themselves; here they leave the store,
// one kind after the other. One pass over all keys takes
// as long as it takes: what is dead and still there is left out when the store is loaded.
#include "control/commit_parts.h"
#include "presence/stored.h"
#include "registrar/stored.h"

#define LOOKS_MAX   1000 // keys in one go
#define REMOVES_MAX 64
#define GRACE_S     60 // the wall clock may be set

static const struct {
    enum store_kind kind;
    uint64_t (*expires)(struct slice value);
} kinds[] = {
    {STORE_BINDINGS, registrar_stored_expires},
    {STORE_PUBLICATIONS, presence_stored_expires},
    {STORE_SUBSCRIPTIONS, presence_stored_expires},
};

struct look {
    struct control_commit *commit;
    uint64_t unix_s;
    unsigned looks, removes;
    uint32_t len[REMOVES_MAX];
    char key[REMOVES_MAX][STORE_KEY_MAX];
};

static bool look_at(void *owner, struct slice key, struct slice value)
{
    struct look *look = owner;
    struct control_commit *commit = look->commit;

    if (value.at != NULL && kinds[commit->sweep_kind].expires(value) + GRACE_S < look->unix_s) {
        memcpy(look->key[look->removes], key.at, key.len);
        look->len[look->removes++] = key.len;
    }
    if (++look->looks < LOOKS_MAX && look->removes < REMOVES_MAX)
        return true;
    memcpy(commit->sweep_key, key.at, key.len); // the next look goes on behind it
    commit->sweep_len = key.len;
    return false;
}

bool control_commit_sweep(struct control_commit *commit, uint64_t unix_s)
{
    struct store_change changes[REMOVES_MAX];
    struct look look = {.commit = commit, .unix_s = unix_s};
    struct slice after = slice_of(commit->sweep_key, commit->sweep_len);
    enum store_kind kind = kinds[commit->sweep_kind].kind;

    commit->sweep_len = 0;
    int error = store_each_after(commit->setup.store, kind, after, look_at, &look);
    if (commit->sweep_len == 0) // at the end of one it begins with the next
        commit->sweep_kind = (commit->sweep_kind + 1) % (sizeof(kinds) / sizeof(*kinds));
    if (error != 0 || look.removes == 0)
        return false;
    for (unsigned i = 0; i < look.removes; i++)
        changes[i] = (struct store_change){kind, slice_of(look.key[i], look.len[i]), {NULL, 0}};
    if (control_commit_write(commit, changes, look.removes, false) != 0)
        return false;
    commit->counters.swept += look.removes;
    return true;
}
