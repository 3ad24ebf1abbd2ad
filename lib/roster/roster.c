#include "roster/roster.h"

#include <errno.h>

#include "roster/parts.h"

// A list of one member, with the longest texts there are, has two blocks; more members share them.
static uint32_t blocks_for(uint32_t members)
{
    return 1 + 2 * members + DIRECTORY_SPARE;
}

static size_t blocks_bytes(const struct roster *roster)
{
    return (size_t)roster->blocks_n * sizeof(struct roster_block);
}

static int make_directories(struct roster *roster, const struct roster_limits *limits,
                            struct rte_rcu_qsbr *qsbr)
{
    const struct directory_setup rules = {
        .entries = limits->rules, .bytes = sizeof(uint8_t), .qsbr = qsbr, .memory = &roster->memory};
    const struct directory_setup lists = {.entries = limits->members,
                                          .bytes = sizeof(struct roster_list),
                                          .qsbr = qsbr,
                                          .memory = &roster->memory,
                                          .gone = roster_list_gone,
                                          .owner = roster};
    int error = directory_create(&roster->rules, &rules);

    return error != 0 ? error : directory_create(&roster->lists, &lists);
}

int roster_create(struct roster **created, const struct roster_limits *limits, const struct hash_key *key,
                  struct rte_rcu_qsbr *qsbr, const struct memory *memory)
{
    if (limits->rules == 0 || limits->rules > ROSTER_RULES_MAX || limits->members == 0 ||
        limits->members > ROSTER_MEMBERS_MAX)
        return -EINVAL;
    struct roster *roster = memory->take(memory->owner, sizeof(*roster), MEMORY_ANY_NODE);
    if (roster == NULL)
        return -ENOMEM;
    // Its own key: signatures and places say nothing of other tables'.
    *roster = (struct roster){
        .key = {key->k0 ^ 'r', key->k1},
        .blocks_n = blocks_for(limits->members),
        .fresh = 1,
        .members_max = limits->members,
        .memory = *memory,
    };
    roster->blocks = memory->take(memory->owner, blocks_bytes(roster), MEMORY_ANY_NODE);
    int error = roster->blocks == NULL ? -ENOMEM : make_directories(roster, limits, qsbr);
    if (error != 0)
        roster_destroy(roster);
    else
        *created = roster;
    return error;
}

void roster_destroy(struct roster *roster)
{
    if (roster == NULL)
        return;
    struct memory memory = roster->memory;

    directory_destroy(roster->lists);
    directory_destroy(roster->rules);
    memory.give(memory.owner, roster->blocks, blocks_bytes(roster));
    memory.give(memory.owner, roster, sizeof(*roster));
}

uint64_t roster_changes(const struct roster *roster)
{
    return roster == NULL ? 0 : __atomic_load_n(&roster->changes, __ATOMIC_ACQUIRE);
}

void roster_usage(const struct roster *roster, struct roster_usage *usage)
{
    *usage = (struct roster_usage){0};
    if (roster == NULL)
        return;
    usage->rules = directory_count(roster->rules);
    usage->rules_max = directory_max(roster->rules);
    usage->lists = directory_count(roster->lists);
    usage->members = __atomic_load_n(&roster->members, __ATOMIC_RELAXED);
    usage->members_max = roster->members_max;
}
