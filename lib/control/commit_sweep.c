// Bindings that died leave the workers' tables by themselves; here they leave the store. One pass over all keys takes
// as long as it takes: what is dead and still there is left out when the store is loaded.
#include "control/commit_parts.h"
#include "registrar/stored.h"

#define LOOKS_MAX   1000 // keys in one go
#define REMOVES_MAX 64
#define GRACE_S     60 // the wall clock may be set

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

    if (value.at != NULL && registrar_stored_expires(value) + GRACE_S < look->unix_s) {
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

    commit->sweep_len = 0; // at the end it begins anew
    if (store_each_after(commit->setup.store, STORE_BINDINGS, after, look_at, &look) != 0 ||
        look.removes == 0)
        return false;
    for (unsigned i = 0; i < look.removes; i++)
        changes[i] = (struct store_change){STORE_BINDINGS, slice_of(look.key[i], look.len[i]), {NULL, 0}};
    if (control_commit_write(commit, changes, look.removes, false) != 0)
        return false;
    commit->counters.swept += look.removes;
    return true;
}
