#include <errno.h>

#include "roster/parts.h"
#include "roster/record.h"
#include "sip/uri.h"

// False: no rule can be of these.
static bool key_of(const struct roster *roster, struct slice presentity, struct slice watcher,
                   struct hash128 *key)
{
    char text[ROSTER_KEY_MAX];
    unsigned len = watcher.len == 0 ? 0 : roster_record_key_write(presentity, watcher, text);

    if (len > 0)
        *key = hash_sip13(&roster->key, text, len);
    return len > 0;
}

// "*@" and what stands behind the last "@": a user's name may have one, a host not. Empty: there is none.
static struct slice everybody_at(struct slice watcher, char text[SIP_AOR_MAX + 2])
{
    uint32_t at = watcher.len;

    while (at > 0 && watcher.at[at - 1] != '@')
        at--;
    if (at == 0 || watcher.len > SIP_AOR_MAX)
        return SLICE("");
    text[0] = '*';
    text[1] = '@';
    memcpy(text + 2, watcher.at + at, watcher.len - at);
    return slice_of(text, 2 + watcher.len - at);
}

static enum roster_decision decision_of(const struct roster *roster, struct hash128 key)
{
    const uint8_t *decision = directory_find(roster->rules, key);

    return decision != NULL ? (enum roster_decision) * decision : ROSTER_UNDECIDED;
}

enum roster_decision roster_rule(const struct roster *roster, struct slice presentity, struct slice watcher)
{
    char domain[SIP_AOR_MAX + 2];
    const struct slice watchers[] = {watcher, everybody_at(watcher, domain), SLICE("*")};
    enum roster_decision decision = ROSTER_UNDECIDED;
    struct hash128 keys[3];
    bool good[3];

    if (roster == NULL)
        return decision;
    for (unsigned i = 0; i < 3; i++) {
        good[i] = key_of(roster, presentity, watchers[i], &keys[i]);
        if (good[i])
            directory_prefetch(roster->rules, keys[i]);
    }
    for (unsigned i = 0; i < 3 && decision == ROSTER_UNDECIDED; i++) {
        if (good[i])
            decision = decision_of(roster, keys[i]);
    }
    return decision;
}

enum roster_decision roster_rule_exact(const struct roster *roster, struct slice presentity,
                                       struct slice watcher)
{
    struct hash128 key;

    return roster != NULL && key_of(roster, presentity, watcher, &key) ? decision_of(roster, key)
                                                                       : ROSTER_UNDECIDED;
}

int roster_rule_draft(struct roster *roster, struct slice presentity, struct slice watcher,
                      enum roster_decision decision, struct roster_draft *draft)
{
    struct hash128 key;
    int error = -EINVAL;

    *draft = (struct roster_draft){0};
    if (decision <= ROSTER_UNDECIDED || decision >= ROSTER_DECISIONS ||
        !key_of(roster, presentity, watcher, &key))
        return error;
    draft->entry = directory_draft(roster->rules, key, &error);
    if (draft->entry != NULL)
        *(uint8_t *)draft->entry = (uint8_t)decision;
    return error;
}

bool roster_rule_remove(struct roster *roster, struct slice presentity, struct slice watcher)
{
    struct hash128 key;

    if (!key_of(roster, presentity, watcher, &key) || !directory_remove(roster->rules, key))
        return false;
    roster_changed(roster);
    return true;
}
