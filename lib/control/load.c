#include "control/load.h"

#include <errno.h>

#include "base/clock.h"
#include "registrar/stored.h"

// A look-up in a large table is a miss of every cache: so many are under way at a time.
#define BATCH       16
#define KEYS_A_LOOK 65536 // between looks at the clock
#define PROGRESS_MS 1000

struct waiting {
    struct slice aor, value; // in the store's memory, which stays while it is walked
    struct hash128 key;
};

struct loading {
    struct location *location;
    const struct conf *conf;
    const struct clock *now;
    struct control_load *loaded;
    FILE *errors;
    uint64_t looked, began_ms, told_ms;
    int error;
    unsigned n;
    struct waiting batch[BATCH];
};

static bool fail(struct loading *loading, int error, struct slice aor)
{
    loading->error = error;
    if (error == -ENOSPC)
        fprintf(
            loading->errors,
            "strowger: the store has more bindings than the location table has room for: raise [location] "
            "bindings_max (%lu)\n",
            loading->conf->bindings_max);
    else
        fprintf(loading->errors,
                "strowger: the store is damaged: the bindings of \"%.*s\" cannot be read; it is left as it "
                "is: put a "
                "copy of it back, or move it away and begin anew\n",
                SLICE_PRINT(aor));
    return false;
}

static bool put_one(struct loading *loading, const struct waiting *one)
{
    struct location_binding bindings[LOCATION_CONTACTS_MAX];
    unsigned n;

    if (!registrar_stored_read(loading->conf, loading->now, one->value, bindings, &n))
        return fail(loading, -EPROTO, one->aor);
    if (n == 0) {
        loading->loaded->dead++;
        return true;
    }
    for (unsigned i = 0; i < n; i++)
        endpoint_flow_end(&bindings[i].received);
    int error = location_put(loading->location, one->key, one->aor, bindings, n, loading->now->ms);
    if (error != 0)
        return fail(loading, error == -ENOSPC ? error : -EPROTO, one->aor);
    loading->loaded->aors++;
    loading->loaded->bindings += n;
    return true;
}

static bool put_batch(struct loading *loading)
{
    bool good = true;

    for (unsigned i = 0; good && i < loading->n; i++)
        good = put_one(loading, &loading->batch[i]);
    loading->n = 0;
    return good;
}

static void tell(struct loading *loading)
{
    uint64_t now_ms = clock_monotonic_ms();

    if (now_ms < loading->told_ms + PROGRESS_MS)
        return;
    loading->told_ms = now_ms;
    fprintf(loading->errors, "strowger: loading the store: %lu bindings in %lu s\n",
            loading->loaded->bindings, (now_ms - loading->began_ms) / 1000);
}

static bool load_one(void *owner, struct slice key, struct slice value)
{
    struct loading *loading = owner;
    struct waiting *one = &loading->batch[loading->n++];

    if (value.at == NULL)
        return fail(loading, -EPROTO, key);
    *one = (struct waiting){key, value, location_key(loading->location, key)};
    location_prefetch_bucket(loading->location, one->key);
    if (++loading->looked % KEYS_A_LOOK == 0)
        tell(loading);
    return loading->n < BATCH || put_batch(loading);
}

int control_load(struct store *store, struct location *location, unsigned shards, const struct conf *conf,
                 const struct clock *now, struct control_load *loaded, FILE *errors)
{
    uint64_t began_ms = clock_monotonic_ms();
    struct loading loading = {.location = location,
                              .conf = conf,
                              .now = now,
                              .loaded = loaded,
                              .errors = errors,
                              .began_ms = began_ms,
                              .told_ms = began_ms};

    *loaded = (struct control_load){0};
    // The wheels learn which second it is, or everything would stand in their last one.
    for (unsigned shard = 0; shard < shards; shard++)
        location_expire(location, shard, now->ms, 1);
    int error = store_each(store, STORE_BINDINGS, load_one, &loading);
    if (loading.error == 0 && error == 0)
        put_batch(&loading);
    if (loading.error == 0 && error != 0)
        fprintf(errors, "strowger: cannot read the store: %s\n", strerror(-error));
    loaded->ms = clock_monotonic_ms() - began_ms;
    return loading.error != 0 ? loading.error : error;
}
