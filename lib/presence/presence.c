#include "presence/presence.h"

#include <errno.h>

#include "presence/parts.h"

static struct subscription_timers timers_of(const struct conf *conf)
{
    return (struct subscription_timers){.t1_ms = conf->t1_ms, .t2_ms = conf->t2_ms};
}

// One source's subscriptions are spread over the workers as those of all are.
static uint32_t per_source(const struct conf *conf, unsigned workers)
{
    return (uint32_t)subscription_share(conf->watches_source_max, workers);
}

static int make_table(struct presence *presence, const struct presence_setup *setup)
{
    const struct conf *conf = setup->conf;
    const struct subscription_timers timers = timers_of(conf);
    const struct subscription_limits limits = {
        .presentities = subscription_share(conf->presentities_max, setup->workers),
        .publications = subscription_share(conf->publications_max, setup->workers),
        .subscriptions = subscription_share(conf->subscriptions_max, setup->workers),
        .watchers = conf->watchers_max,
        .per_source = per_source(conf, setup->workers),
        .node = setup->node,
    };

    return subscription_table_create(&presence->table, &limits, &timers, setup->key, setup->qsbr,
                                     setup->memory);
}

// False: it is the same as before.
static bool note_policy(struct presence *presence, const struct conf *conf)
{
    bool same = presence->policy == conf->presence_policy && presence->polite == conf->presence_polite &&
                presence->registered == conf->presence_registered;

    presence->policy = (uint8_t)conf->presence_policy;
    presence->polite = conf->presence_polite;
    presence->registered = conf->presence_registered;
    return !same;
}

int presence_create(struct presence **created, const struct presence_setup *setup)
{
    const struct memory *memory = setup->memory;
    struct presence *presence = memory->take(memory->owner, sizeof(*presence), setup->node);
    int error;

    if (presence == NULL)
        return -ENOMEM;
    presence->memory = *memory;
    note_policy(presence, setup->conf);
    presence->anew = SUBSCRIPTION_WALK_END;
    presence->reader = document_reader_create(memory, setup->node, setup->salt);
    error = presence->reader == NULL ? -ENOMEM : make_table(presence, setup);
    if (error != 0) {
        presence_destroy(presence);
        return error;
    }
    *created = presence;
    return 0;
}

void presence_destroy(struct presence *presence)
{
    if (presence == NULL)
        return;
    struct memory memory = presence->memory;

    subscription_table_destroy(presence->table);
    document_reader_destroy(presence->reader);
    memory.give(memory.owner, presence, sizeof(*presence));
}

void presence_join(struct presence *presence, struct presence *const *all, unsigned n)
{
    presence->all = all;
    presence->all_n = n;
}

struct subscription_table *presence_table(const struct presence *presence)
{
    return presence->table;
}

const struct presence_counters *presence_counters(const struct presence *presence)
{
    return &presence->counters;
}

void presence_renew(struct presence *presence, const struct conf *conf)
{
    const struct subscription_timers timers = timers_of(conf);

    subscription_table_time(presence->table, &timers);
    subscription_table_bound(presence->table, conf->watchers_max, per_source(conf, presence->all_n));
    if (note_policy(presence, conf))
        presence->anew = 0;
}

// RFC 3261 8.2.2: merged requests, then what they require.
void presence_serve(struct role_request *request)
{
    bool publishes = request->message->method == SIP_METHOD_PUBLISH;

    if (role_is_merged(request) ||
        !role_supports(request, SIP_HEADER_REQUIRE, publishes ? SLICE("") : SLICE("eventlist")))
        return;
    if (publishes)
        presence_publish(request);
    else
        presence_subscribe(request);
}
