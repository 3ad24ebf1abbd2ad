#include <math.h>

#include "gateway/health.h"

enum conf_algorithm gateway_algorithm(const struct gateway_table *table, unsigned group)
{
    return table->groups[group].conf->algorithm;
}

// The bound is one of the whole box, in one word: when the next call were due if they came evenly. A call may come so
// much before that as makes a burst of GATEWAY_BURST_MS. Shares of workers would refuse calls where a worker happens
// to get more than others, and all of them where there are fewer calls a second than workers.
static bool bound_has_room(uint64_t due_ns, uint64_t now_ms)
{
    return due_ns <= (now_ms + GATEWAY_BURST_MS) * 1000000;
}

static bool bound_take(struct gateway_slot *slot, uint64_t interval_ns, uint64_t now_ms)
{
    uint64_t now_ns = now_ms * 1000000, then;

    if (interval_ns == 0)
        return true;
    uint64_t due_ns = atomic_load_explicit(&slot->due_ns, memory_order_relaxed);
    do {
        if (!bound_has_room(due_ns, now_ms))
            return false;
        then = (due_ns > now_ns ? due_ns : now_ns) + interval_ns;
    } while (!atomic_compare_exchange_weak_explicit(&slot->due_ns, &due_ns, then, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

// Who is let in, from one round over the group to the next.
enum leniency {
    STRICT = 0, // who is up; and who is easing in for his part of the choices
    EASING_TOO, // nobody else would take it
    DOWN_TOO,   // the whole group is down
};

// One choice while it is made, among members of one priority.
struct contest {
    const struct gateway_table *table;
    const struct gateway_group *group;
    const struct gateway_choice *choice;
    enum leniency leniency;
    bool any_up, any_held; // of those looked at: not down; held back because it is easing in
    unsigned first, end;
    uint64_t weight; // of all that take part
};

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u; // as in splitmix64
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static bool is_hashed(const struct contest *contest)
{
    enum conf_algorithm algorithm = contest->group->conf->algorithm;

    if (contest->choice->stateless)
        return algorithm != CONF_ALGORITHM_PRIORITY;
    return algorithm == CONF_ALGORITHM_CALL_ID || algorithm == CONF_ALGORITHM_FROM ||
           algorithm == CONF_ALGORITHM_USER;
}

static bool goes_by_turn(const struct contest *contest)
{
    return !is_hashed(contest) && contest->group->conf->algorithm != CONF_ALGORITHM_PRIORITY;
}

// Whether one that takes `part` of GATEWAY_SHARE_FULL takes part this time. It is not its weight that grows: alone in
// its priority, it would have all calls at once.
static bool eases_in(const struct contest *contest, const struct gateway_member *member,
                     struct gateway_share *share, uint32_t part)
{
    if (part == GATEWAY_SHARE_FULL)
        return true;
    if (is_hashed(contest)) // the same calls, and more of them as it grows
        return mix(contest->choice->affinity ^ ~member->mark) % GATEWAY_SHARE_FULL < part;
    share->eased += part;
    if (share->eased < GATEWAY_SHARE_FULL)
        return false;
    share->eased -= GATEWAY_SHARE_FULL;
    return true;
}

// Whether a member takes part.
static bool admit(struct contest *contest, const struct gateway_member *member, struct gateway_share *share)
{
    const struct gateway_choice *choice = contest->choice;
    const struct conf_gateways *group = contest->group->conf;
    const struct gateway_slot *slot = &contest->table->states->slots[member->slot];
    uint32_t part =
        gateway_condition_share(gateway_condition_of(slot, group, choice->now_ms), group, choice->now_ms);

    contest->any_up |= part != 0;
    if ((part == 0 && contest->leniency != DOWN_TOO) || gateway_was_tried(choice, member->slot))
        return false;
    if (member->interval_ns != 0 && !choice->stateless &&
        !bound_has_room(atomic_load_explicit(&slot->due_ns, memory_order_relaxed), choice->now_ms)) {
        if (contest->leniency != EASING_TOO) // then it was counted before
            gateway_count(&share->over_bound);
        return false;
    }
    if (contest->leniency == STRICT && !eases_in(contest, member, share, part)) {
        contest->any_held = true;
        return false;
    }
    return true;
}

// The members of the priority that begins at contest->first.
static void gather(struct contest *contest)
{
    const struct gateway_member *members = contest->table->members + contest->group->first;
    unsigned i = contest->first;

    contest->weight = 0;
    for (; i < contest->group->n && members[i].priority == members[contest->first].priority; i++) {
        struct gateway_share *share =
            gateway_share_of(contest->table->states, contest->choice->worker, members[i].slot);
        share->weight = admit(contest, &members[i], share) ? members[i].weight : 0;
        contest->weight += share->weight;
    }
    contest->end = i;
}

static struct gateway_share *share_at(const struct contest *contest, unsigned i)
{
    const struct gateway_member *member = &contest->table->members[contest->group->first + i];

    return gateway_share_of(contest->table->states, contest->choice->worker, member->slot);
}

// Weighted rendezvous: each member draws a number by the call's hash, and the best one by its weight takes it. So a
// member that goes moves its own calls alone, each to whoever is second there.
static double draw(uint64_t affinity, const struct gateway_member *member)
{
    double uniform = ((double)(mix(affinity ^ member->mark) >> 12) + 0.5) * 0x1p-52; // neither 0 nor 1

    return member->weight / -log(uniform);
}

static unsigned pick_by_hash(const struct contest *contest)
{
    const struct gateway_member *members = contest->table->members + contest->group->first;
    unsigned best = contest->end;
    double best_drawn = 0;

    for (unsigned i = contest->first; i < contest->end; i++) {
        if (share_at(contest, i)->weight == 0)
            continue;
        double drawn = draw(contest->choice->affinity, &members[i]);
        if (drawn > best_drawn) {
            best = i;
            best_drawn = drawn;
        }
    }
    return best;
}

static unsigned pick_first(const struct contest *contest)
{
    unsigned i = contest->first;

    while (i < contest->end && share_at(contest, i)->weight == 0)
        i++;
    return i;
}

static uint64_t calls_of(const struct gateway_share *share)
{
    int64_t calls = atomic_load_explicit(&share->calls, memory_order_relaxed);

    return calls > 0 ? (uint64_t)calls : 0;
}

// Whether another call would be less for `a` than for `b`.
static int compare_calls(const struct gateway_share *a, const struct gateway_share *b)
{
    uint64_t x = (calls_of(a) + 1) * b->weight, y = (calls_of(b) + 1) * a->weight;

    return (x > y) - (x < y);
}

// Smooth weighted round robin: in each round all gain their weight, and the one that is furthest behind has its turn
// and pays for all. Where calls in progress decide, it settles who is first among equals.
static unsigned pick_by_turn(const struct contest *contest, bool by_calls)
{
    struct gateway_share *best = NULL;
    unsigned found = contest->end;
    int64_t all = (int64_t)contest->weight;

    for (unsigned i = contest->first; i < contest->end; i++) {
        struct gateway_share *share = share_at(contest, i);
        if (share->weight == 0)
            continue;
        // What is owed from the time of other weights is cut, or it would be paid back in one go.
        int64_t owed = share->turn < -all ? -all : share->turn > all ? all : share->turn;
        share->turn = owed + (int64_t)share->weight;
        int order = best != NULL && by_calls ? compare_calls(share, best) : 0;
        if (best == NULL || order < 0 || (order == 0 && share->turn > best->turn)) {
            best = share;
            found = i;
        }
    }
    if (best != NULL)
        best->turn -= all;
    return found;
}

static unsigned pick(const struct contest *contest)
{
    enum conf_algorithm algorithm = contest->group->conf->algorithm;

    if (is_hashed(contest))
        return pick_by_hash(contest);
    if (algorithm == CONF_ALGORITHM_PRIORITY)
        return pick_first(contest);
    return pick_by_turn(contest, algorithm == CONF_ALGORITHM_LEAST_CALLS);
}

// One of this priority, or GATEWAY_NONE.
static uint16_t choose_among(struct contest *contest)
{
    gather(contest);
    while (contest->weight != 0) {
        unsigned i = pick(contest);
        const struct gateway_member *member = &contest->table->members[contest->group->first + i];
        struct gateway_share *share = share_at(contest, i);
        if (contest->choice->stateless || bound_take(&contest->table->states->slots[member->slot],
                                                     member->interval_ns, contest->choice->now_ms)) {
            gateway_count(&share->sent);
            return member->slot;
        }
        // Another worker sent the last one that it might take.
        gateway_count(&share->over_bound);
        contest->weight -= share->weight;
        share->weight = 0;
    }
    return GATEWAY_NONE;
}

static uint16_t choose_by(struct contest *contest, enum leniency leniency)
{
    uint16_t slot = GATEWAY_NONE;

    contest->leniency = leniency;
    for (contest->first = 0; slot == GATEWAY_NONE && contest->first < contest->group->n;
         contest->first = contest->end)
        slot = choose_among(contest);
    return slot;
}

uint16_t gateway_choose(struct gateway_table *table, unsigned group, struct gateway_choice *choice)
{
    struct contest contest = {.table = table, .group = &table->groups[group], .choice = choice};
    uint16_t slot = choose_by(&contest, STRICT);

    if (slot == GATEWAY_NONE && contest.any_held)
        return choose_by(&contest, EASING_TOO);
    if (slot == GATEWAY_NONE && !contest.any_up)
        return choose_by(&contest, DOWN_TOO);
    return slot;
}

// The priority's members have their weights in that choice still.
static void undo_turn(const struct gateway_table *table, const struct gateway_group *group, uint16_t worker,
                      uint16_t slot, uint32_t priority)
{
    struct gateway_share *chosen = gateway_share_of(table->states, worker, slot);

    for (unsigned i = group->first; i < group->first + group->n; i++) {
        const struct gateway_member *member = &table->members[i];
        struct gateway_share *share = gateway_share_of(table->states, worker, member->slot);
        if (member->priority != priority)
            continue;
        share->turn -= (int64_t)share->weight;
        chosen->turn += (int64_t)share->weight;
    }
}

void gateway_unchoose(struct gateway_table *table, unsigned group, const struct gateway_choice *choice,
                      uint16_t slot)
{
    struct contest contest = {.table = table, .group = &table->groups[group], .choice = choice};
    struct gateway_share *share = gateway_share_of(table->states, choice->worker, slot);
    const struct gateway_member *member = &table->members[contest.group->first];

    while (member->slot != slot)
        member++;
    gateway_uncount(&share->sent);
    if (!choice->stateless && member->interval_ns != 0)
        atomic_fetch_sub_explicit(&table->states->slots[slot].due_ns, member->interval_ns,
                                  memory_order_relaxed);
    if (goes_by_turn(&contest))
        undo_turn(table, contest.group, choice->worker, slot, member->priority);
}
