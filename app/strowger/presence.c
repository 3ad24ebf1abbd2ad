#include <errno.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "presence/presence.h"
#include "start.h"

static int make(struct strowger *strowger, unsigned id)
{
    struct presence_setup setup = {
        .conf = strowger->conf,
        .key = &strowger->secret,
        .qsbr = strowger->qsbr,
        .memory = &memory_system,
        .workers = strowger->workers_n,
        .node = (int)rte_lcore_to_socket_id(strowger->workers[id]->lcore),
    };

    if (getrandom(&setup.salt, sizeof(setup.salt), 0) != sizeof(setup.salt))
        return -EIO;
    return presence_create(&strowger->presence[id], &setup);
}

// Our tags of dialogs name the worker that has them, by a hash that is another one when the key is.
static void warn_of_key(const struct strowger *strowger)
{
    const struct conf *conf = strowger->conf;

    if (conf->store_path != NULL && conf->secret_file == NULL && strowger->workers_n > 1)
        fprintf(stderr,
                "strowger: warning: [presence] serve with a [store] but without its secret_file: after a\n"
                "strowger: warning: restart watchers are answered 481 when they refresh, and subscribe "
                "anew\n");
}

int start_presence(struct strowger *strowger)
{
    if (!strowger->conf->presence)
        return 0;
    warn_of_key(strowger);
    for (unsigned id = 0; id < strowger->workers_n; id++) {
        int error = make(strowger, id);
        if (error != 0) {
            fprintf(stderr,
                    "strowger: no memory for presence: %s; lower [presence] presentities_max, "
                    "publications_max or "
                    "subscriptions_max\n",
                    strerror(-error));
            stop_presence(strowger);
            return error;
        }
    }
    for (unsigned id = 0; id < strowger->workers_n; id++) {
        struct role *role = strowger->workers[id]->role;
        presence_join(strowger->presence[id], strowger->presence, strowger->workers_n);
        role->presence = strowger->presence[id];
        role->subscriptions = presence_table(strowger->presence[id]);
    }
    return 0;
}

void stop_presence(struct strowger *strowger)
{
    for (unsigned id = 0; id < strowger->workers_n; id++) {
        if (strowger->workers[id] != NULL && strowger->workers[id]->role != NULL) {
            strowger->workers[id]->role->presence = NULL;
            strowger->workers[id]->role->subscriptions = NULL;
        }
        presence_destroy(strowger->presence[id]);
        strowger->presence[id] = NULL;
    }
}
