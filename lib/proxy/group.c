// Which targets are tried together: RFC 3261 16.5, 16.6, RFC 5393 5.3.3.
#include "proxy/recursion.h"

static void add_tried(struct role_tried *tried, uint32_t hash, uint16_t gateway)
{
    if (tried->n == TRANSACTION_BRANCHES_MAX)
        return;
    tried->one[tried->n].hash = hash;
    tried->one[tried->n++].gateway = gateway;
}

static void tried_by(struct role *role, struct transaction *transaction, struct role_tried *tried)
{
    struct transaction_branch *branch = NULL;

    tried->n = 0;
    while (transaction != NULL &&
           (branch = transaction_branch_next(role->transactions, transaction, branch)) != NULL) {
        add_tried(tried, branch->target, branch->gateway);
        // nobody is asked twice: by UDP only if TCP led nowhere
        if (branch->by_size && !branch->size_failed)
            add_tried(tried, branch->target - 1, branch->gateway);
    }
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

// A target that is tried over TCP for the request's size is known by another hash than by UDP.
static uint32_t hash_of(uint32_t hash, bool by_size)
{
    return hash + by_size;
}

uint32_t proxy_group_hash(const struct proxy_group *group, unsigned i)
{
    return hash_of(group->one[i].target.hash, group->one[i].by_size);
}

static bool was_tried(const struct role_tried *tried, uint32_t hash)
{
    for (unsigned i = 0; i < tried->n; i++) {
        if (tried->one[i].hash == hash)
            return true;
    }
    return false;
}

// How many may be begun now: what the configuration, Max-Breadth and the record's own bound leave.
unsigned proxy_group_max(const struct role_request *request, const struct transaction *transaction)
{
    return least(least(transaction->breadth, request->role->conf->branches_max),
                 least(PROXY_TOGETHER_MAX, TRANSACTION_BRANCHES_MAX - transaction->branches_n));
}

// Whether a target is tried together with those before it (RFC 3261 16.6: "in parallel, serially, or in groups").
static bool joins(const struct role_request *request, const struct proxy_group *group,
                  const struct role_target *target)
{
    const struct role_target *first = &group->one[0].target;

    if (group->n == 0)
        return true;
    if (first->alone || target->alone)
        return false;
    switch (request->role->conf->fork) {
    case CONF_FORK_PARALLEL:
        return true;
    case CONF_FORK_BY_Q:
        return first->q == target->q;
    default:
        return false;
    }
}

static enum role_targeting next_target(struct role_request *request, const struct role_course *course,
                                       const struct proxy_contacts *contacts, const struct role_tried *tried,
                                       struct role_target *target, int *from)
{
    *from = proxy_contacts_next(request, contacts, tried, target);
    if (*from >= 0)
        return ROLE_TARGET;
    return course != NULL ? role_target_next(request, course, tried, target) : ROLE_TARGET_NONE;
}

static void add_target(struct proxy_group *group, const struct role_target *target, uint8_t out, bool by_size,
                       int from)
{
    group->one[group->n].target = *target;
    group->one[group->n].out = out;
    group->one[group->n].by_size = by_size;
    group->by_size = group->by_size || by_size;
    group->one[group->n++].from = (int8_t)from;
    group->more = target->more;
}

enum role_targeting proxy_group_gather(struct role_request *request, const struct role_course *course,
                                       struct transaction *transaction, const struct proxy_contacts *contacts,
                                       unsigned max, struct proxy_group *group)
{
    struct role_tried tried;
    struct role_target target;
    const char *reason;
    uint8_t out;
    int from;

    group->n = 0;
    group->more = group->by_size = false;
    group->status = 480;
    group->reason = NULL;
    tried_by(request->role, transaction, &tried);
    while (group->n < max && tried.n < TRANSACTION_BRANCHES_MAX) {
        enum role_targeting next = next_target(request, course, contacts, &tried, &target, &from);
        if (next == ROLE_TARGET_ANSWERED && tried.n == 0)
            return next;
        group->more = next != ROLE_TARGET_NONE; // one that waits for a name is there another time
        if (next != ROLE_TARGET || !joins(request, group, &target))
            break;
        add_tried(&tried, target.hash, target.gateway);
        uint16_t status = proxy_forward_listener(request, &target, &out, &reason);
        if (status == 0) {
            bool by_size = request->role->transactions != NULL &&
                           !was_tried(&tried, hash_of(target.hash, true)) &&
                           proxy_forward_by_size(request, &target, &out);
            add_target(group, &target, out, by_size, from);
            if (target.alone) // to ask for the next gateway would count as a call to it
                break;
        } else {
            group->status = status;
            group->reason = reason;
        }
        if (!target.more && (contacts == NULL || contacts->n == 0))
            break;
    }
    return group->n > 0 ? ROLE_TARGET : ROLE_TARGET_NONE;
}
