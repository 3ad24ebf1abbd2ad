#include "control/roster.h"

#include <errno.h>

#include "control/roster_parts.h"
#include "roster/record.h"

int control_roster_store(const struct control_roster *roster, const struct store_change *changes, unsigned n)
{
    return roster->commit == NULL ? 0 : control_commit_apply(roster->commit, changes, n);
}

const char *control_roster_fault(int error)
{
    switch (error) {
    case 0:
        return NULL;
    case -ENOSPC:
        return "there is no room: raise [presence] rules_max or members_max, [store] size_max, or look at "
               "the disk";
    case -EAGAIN:
    case -EBUSY:
    case -ETIMEDOUT:
        return "too much is under way, and whether this is stored is not known: try again";
    case -E2BIG:
        return "that is too much for one list";
    case -EINVAL:
        return "that is too long";
    case -ESTALE:
        return "the configuration has changed meanwhile: import it again";
    default:
        return "the store cannot be written; the log says why";
    }
}

static struct control_fault tell(const struct control_roster *roster, struct slice aor)
{
    bool told = roster->changed == NULL || roster->changed(roster->owner, aor);

    return (struct control_fault){
        .what = told ? NULL
                     : "it is kept, but no worker could be told: who watches already hears of it when he "
                       "subscribes again"};
}

struct control_fault control_roster_settle(const struct control_roster *roster, struct roster_draft *draft,
                                           struct slice aor, int error)
{
    if (error != 0) {
        if (draft->entry != NULL)
            roster_discard(roster->roster, draft);
        return (struct control_fault){.what = control_roster_fault(error)};
    }
    roster_publish(roster->roster, draft);
    return tell(roster, aor);
}

struct control_fault control_roster_removed(const struct control_roster *roster, struct slice aor, int error)
{
    return error == 0 ? tell(roster, aor) : (struct control_fault){.what = control_roster_fault(error)};
}

struct rule {
    struct control_aor presentity, watcher;
    char key[ROSTER_KEY_MAX];
    unsigned key_len;
};

static struct control_fault read_rule(const struct control_roster *roster, struct slice presentity,
                                      struct slice watcher, struct rule *rule)
{
    const char *what = control_aor_read_own(roster->route, presentity, &rule->presentity);

    if (what != NULL)
        return (struct control_fault){presentity, what};
    what = control_aor_read_watcher(roster->route, watcher, &rule->watcher);
    if (what != NULL)
        return (struct control_fault){watcher, what};
    rule->key_len = roster_record_key_write(control_aor_slice(&rule->presentity),
                                            control_aor_slice(&rule->watcher), rule->key);
    return (struct control_fault){.what = rule->key_len == 0 ? control_roster_fault(-EINVAL) : NULL};
}

struct control_fault control_roster_rule_put(const struct control_roster *roster, struct slice presentity,
                                             struct slice watcher, enum roster_decision decision)
{
    uint8_t value[ROSTER_RULE_VALUE];
    struct roster_draft draft;
    struct rule rule;
    struct control_fault fault = read_rule(roster, presentity, watcher, &rule);

    if (fault.what != NULL)
        return fault;
    roster_record_rule_write(decision, value);
    const struct store_change change = {STORE_RULES, slice_of(rule.key, rule.key_len),
                                        slice_of((const char *)value, sizeof(value))};
    int error = roster_rule_draft(roster->roster, control_aor_slice(&rule.presentity),
                                  control_aor_slice(&rule.watcher), decision, &draft);
    if (error == 0)
        error = control_roster_store(roster, &change, 1);
    return control_roster_settle(roster, &draft, control_aor_slice(&rule.presentity), error);
}

struct control_fault control_roster_rule_remove(const struct control_roster *roster, struct slice presentity,
                                                struct slice watcher)
{
    struct rule rule;
    struct control_fault fault = read_rule(roster, presentity, watcher, &rule);

    if (fault.what != NULL)
        return fault;
    struct slice whom = control_aor_slice(&rule.presentity), who = control_aor_slice(&rule.watcher);
    if (roster_rule_exact(roster->roster, whom, who) == ROSTER_UNDECIDED)
        return (struct control_fault){watcher, "has no rule of this user"};
    const struct store_change change = {STORE_RULES, slice_of(rule.key, rule.key_len), {NULL, 0}};
    int error = control_roster_store(roster, &change, 1);
    if (error == 0)
        roster_rule_remove(roster->roster, whom, who);
    return control_roster_removed(roster, whom, error);
}

struct loading {
    struct roster *roster;
    FILE *errors;
    int error;
};

static bool loaded(struct loading *loading, struct roster_draft *draft, const char *kind, struct slice key)
{
    if (loading->error == 0)
        roster_publish(loading->roster, draft);
    else if (loading->error == -ENOSPC)
        fputs("strowger: the store has more rules or members of lists than [presence] rules_max and "
              "members_max allow: "
              "raise them\n",
              loading->errors);
    else
        fprintf(loading->errors,
                "strowger: the store is damaged: %s \"%.*s\" cannot be read; it is left as it is: put a copy "
                "of it back, "
                "or move it away and begin anew\n",
                kind, SLICE_PRINT(key));
    return loading->error == 0;
}

static bool load_rule(void *owner, struct slice key, struct slice value)
{
    struct loading *loading = owner;
    struct roster_draft draft = {0};
    struct slice presentity = {NULL, 0}, watcher = key;
    enum roster_decision decision;

    loading->error = value.at != NULL && roster_record_key_read(key, &presentity, &watcher) &&
                             roster_record_rule_read(value, &decision)
                         ? roster_rule_draft(loading->roster, presentity, watcher, decision, &draft)
                         : -EPROTO;
    return loaded(loading, &draft, "the rule of", presentity.at != NULL ? presentity : key);
}

static bool load_list(void *owner, struct slice key, struct slice value)
{
    struct roster_member members[CONTROL_LIST_MAX];
    struct loading *loading = owner;
    struct roster_draft draft = {0};
    struct slice rest;
    unsigned n = 0;
    bool good = value.at != NULL && roster_record_list_read(value, &rest);

    while (good && rest.len > 0)
        good = n < CONTROL_LIST_MAX && roster_record_member_read(&rest, &members[n++]);
    loading->error = good ? roster_list_draft(loading->roster, key, members, n, &draft) : -EPROTO;
    return loaded(loading, &draft, "the list", key);
}

int control_roster_load(struct store *store, struct roster *roster, FILE *errors)
{
    struct loading loading = {.roster = roster, .errors = errors};
    int error = store_each(store, STORE_RULES, load_rule, &loading);

    if (error == 0 && loading.error == 0)
        error = store_each(store, STORE_LISTS, load_list, &loading);
    if (loading.error == 0 && error != 0)
        fprintf(errors, "strowger: cannot read who may watch whom in the store: %s\n", strerror(-error));
    return loading.error != 0 ? loading.error : error;
}
