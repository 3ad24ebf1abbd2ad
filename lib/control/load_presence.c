#include "control/load_presence.h"

#include <errno.h>
#include <string.h>

#include "presence/durable.h"

struct loading {
    struct presence *const *all;
    const struct location *location;
    const struct conf *conf;
    const struct clock *now;
    enum store_kind kind;
    uint64_t loaded, dead;
    int error;
};

static bool load_one(void *owner, struct slice key, struct slice value)
{
    struct loading *loading = owner;
    int result = value.at == NULL ? -EPROTO
                                  : presence_restore(loading->all, loading->location, loading->conf,
                                                     loading->now, (uint8_t)loading->kind, key, value);

    if (result < 0)
        loading->error = result;
    else if (result > 0)
        loading->dead++;
    else
        loading->loaded++;
    return loading->error == 0;
}

static void complain(const struct loading *loading, int error, FILE *errors)
{
    const char *what = loading->kind == STORE_PUBLICATIONS ? "publications" : "subscriptions";

    if (error == -ENOSPC)
        fprintf(
            errors,
            "strowger: the store has more %s than there is room for: raise [presence] presentities_max or "
            "%s_max\n",
            what, what);
    else if (error == -EPROTO)
        fprintf(errors,
                "strowger: the store is damaged: its %s cannot be read; it is left as it is: put a copy of "
                "it back, "
                "or move it away and begin anew\n",
                what);
    else
        fprintf(errors, "strowger: cannot read the store: %s\n", strerror(-error));
}

static int load_kind(struct store *store, struct loading *loading, FILE *errors)
{
    int error = store_each(store, loading->kind, load_one, loading);

    if (loading->error != 0)
        error = loading->error;
    if (error != 0)
        complain(loading, error, errors);
    return error;
}

int control_load_presence(struct store *store, struct presence *const *all, const struct location *location,
                          const struct conf *conf, const struct clock *now,
                          struct control_load_presence *loaded, FILE *errors)
{
    struct loading publications = {all, location, conf, now, .kind = STORE_PUBLICATIONS};
    struct loading subscriptions = {all, location, conf, now, .kind = STORE_SUBSCRIPTIONS};
    uint64_t began_ms = clock_monotonic_ms();
    int error = load_kind(store, &publications, errors);

    if (error == 0)
        error = load_kind(store, &subscriptions, errors);
    *loaded = (struct control_load_presence){
        .publications = publications.loaded,
        .subscriptions = subscriptions.loaded,
        .dead = publications.dead + subscriptions.dead,
        .ms = clock_monotonic_ms() - began_ms,
    };
    return error;
}
