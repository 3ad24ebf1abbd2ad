// Who is watched, and who watches: the workers' tables of presence, walked without locks.
#include "control/aor.h"
#include "control/command_run.h"
#include "control/parts.h"
#include "location/location.h"
#include "presence/package.h"
#include "role/policy.h"
#include "sip/address.h"

#define PLACES_A_PAGE 65536 // of a table, well under a millisecond

// What is asked for, and how far the walk is.
struct walk {
    struct control_command *command;
    struct control_json *reply;
    struct slice aor; // empty: all
    unsigned last;    // the shard behind the last one
};

static const struct subscription_table *table_of(const struct control *control, unsigned shard)
{
    return presence_table(control->setup.workers[shard]->role->presence);
}

static void put_subscription(const struct walk *walk, const struct subscription_table *table,
                             const struct subscription *subscription,
                             const struct subscription_presentity *presentity)
{
    static const char *const states[] = {"", "pending", "active", "terminated"};
    const struct presence_package *package = presence_package_at(presentity->package);
    uint64_t now_ms = walk->command->control->now_ms;
    struct sip_address watcher;
    struct slice remote = subscription_text(table, subscription, SUBSCRIPTION_REMOTE_URI);
    struct slice asserted = subscription_text(table, subscription, SUBSCRIPTION_WATCHER);
    struct endpoint to = subscription->to;

    if (subscription->state == 0 || subscription->state > 3 || package == NULL)
        return;
    control_json_open(walk->reply, NULL, '{');
    control_json_text(walk->reply, "presentity", subscription_presentity_owner(table, presentity));
    control_json_text(walk->reply, "package", package->name);
    control_json_text(walk->reply, "watcher",
                      asserted.len > 0                                ? asserted
                      : sip_address_parse(remote, &watcher) == SIP_OK ? watcher.uri.text
                                                                      : remote);
    control_json_text(walk->reply, "state", slice_text(states[subscription->state]));
    control_json_number(walk->reply, "expires_s",
                        subscription->expires_ms > now_ms ? (subscription->expires_ms - now_ms + 999) / 1000
                                                          : 0);
    control_json_endpoint(walk->reply, "next_hop", &to);
    control_json_text(walk->reply, "contact", subscription_text(table, subscription, SUBSCRIPTION_TARGET));
    control_json_text(walk->reply, "call_id", subscription_text(table, subscription, SUBSCRIPTION_CALL_ID));
    control_json_number(walk->reply, "cseq", subscription->local_cseq);
    control_json_close(walk->reply, '}');
}

static unsigned step_subscriptions(const struct walk *walk, unsigned places)
{
    struct control_command *command = walk->command;
    const struct subscription_table *table = table_of(command->control, command->shard);
    uint64_t before = command->position;
    const struct subscription *subscription = subscription_walk(table, &command->position, places);
    const struct subscription_presentity *presentity =
        subscription == NULL ? NULL : subscription_presentity_of(table, subscription);

    if (presentity != NULL &&
        (walk->aor.len == 0 || slice_equal(walk->aor, subscription_presentity_owner(table, presentity))))
        put_subscription(walk, table, subscription, presentity);
    return (unsigned)(command->position - before);
}

static void put_presentity(const struct walk *walk, const struct subscription_table *table,
                           const struct subscription_presentity *presentity)
{
    const struct presence_package *package = presence_package_at(presentity->package);
    const struct subscription_body *document = subscription_body(table, presentity->forms[0]);

    if (package == NULL)
        return;
    control_json_open(walk->reply, NULL, '{');
    control_json_text(walk->reply, "presentity", subscription_presentity_owner(table, presentity));
    control_json_text(walk->reply, "package", package->name);
    control_json_number(walk->reply, "publications", presentity->publications_n);
    control_json_number(walk->reply, "subscriptions", presentity->subscriptions_n);
    control_json_number(walk->reply, "version", presentity->version);
    if (walk->aor.len > 0 && document != NULL && document->type == package->type)
        control_json_text(walk->reply, "document", slice_of(document->bytes, document->len));
    control_json_close(walk->reply, '}');
}

static unsigned step_presentities(const struct walk *walk, unsigned places)
{
    struct control_command *command = walk->command;
    const struct subscription_table *table = table_of(command->control, command->shard);
    uint64_t before = command->position;
    const struct subscription_presentity *presentity =
        subscription_presentity_walk(table, &command->position, places);

    if (presentity != NULL &&
        (walk->aor.len == 0 || slice_equal(walk->aor, subscription_presentity_owner(table, presentity))))
        put_presentity(walk, table, presentity);
    return (unsigned)(command->position - before);
}

// A page, or an empty one where that takes too long. True: there is more.
static bool put_page(const struct walk *walk, unsigned (*step)(const struct walk *walk, unsigned places))
{
    struct control_command *command = walk->command;
    unsigned places = PLACES_A_PAGE;

    while (command->shard < walk->last && places > 0 &&
           control_json_slice(walk->reply).len < CONTROL_REPLY_FULL) {
        unsigned taken = step(walk, places);
        if (command->position == SUBSCRIPTION_WALK_END) {
            command->shard++;
            command->position = 0;
            continue;
        }
        places -= taken < places ? taken : places;
    }
    return command->shard < walk->last;
}

// Only the owner's table where somebody is named. False: refused.
static bool begin(struct walk *walk, struct control_aor *aor)
{
    struct control_command *command = walk->command;
    const struct control *control = command->control;

    if (control->setup.policy == NULL || *control->setup.policy == NULL ||
        control->setup.workers[0]->role == NULL || control->setup.workers[0]->role->presence == NULL) {
        control_command_refuse(walk->reply, "this server does not serve presence: see [presence] serve");
        return false;
    }
    walk->last = control->setup.workers_n;
    if (command->words_n == 0)
        return true;
    const char *what = control_aor_read_own((*control->setup.policy)->route, command->words[0], aor);
    if (what != NULL) {
        control_command_refuse(walk->reply, "\"%.*s\" %s", SLICE_PRINT(command->words[0]), what);
        return false;
    }
    const struct location *location = control->setup.location;
    walk->aor = control_aor_slice(aor);
    unsigned owner = location_owner(location, location_key(location, walk->aor));
    command->shard = command->shard > owner ? command->shard : owner;
    walk->last = owner + 1;
    return true;
}

static enum control_command_outcome run(struct control_command *command, struct control_json *reply,
                                        unsigned (*step)(const struct walk *walk, unsigned places))
{
    const struct control *control = command->control;
    unsigned reader = control->setup.workers_n;
    struct walk walk = {.command = command, .reply = reply};
    struct control_aor aor;

    if (!begin(&walk, &aor))
        return CONTROL_COMMAND_DONE;
    // The number behind the last worker's is control's, see control/command_location.c.
    rte_rcu_qsbr_thread_register(control->setup.qsbr, reader);
    rte_rcu_qsbr_thread_online(control->setup.qsbr, reader);
    control_json_open(reply, "rows", '[');
    bool more = put_page(&walk, step);
    control_json_close(reply, ']');
    rte_rcu_qsbr_thread_offline(control->setup.qsbr, reader);
    rte_rcu_qsbr_thread_unregister(control->setup.qsbr, reader);
    return more ? CONTROL_COMMAND_MORE : CONTROL_COMMAND_DONE;
}

enum control_command_outcome control_command_subscriptions(struct control_command *command,
                                                           struct control_json *reply)
{
    return run(command, reply, step_subscriptions);
}

enum control_command_outcome control_command_presentities(struct control_command *command,
                                                          struct control_json *reply)
{
    return run(command, reply, step_presentities);
}
