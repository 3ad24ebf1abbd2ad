// Targets become branches: of the message in hand, and of copies (RFC 3261 16.6).
#include "proxy/core.h"
#include "role/policy.h"

// When a branch that does not answer makes way for the next one: gateways for silence, telephones for ringing.
static uint32_t answer_at(const struct role *role, const struct role_course *course,
                          const struct proxy_group *group, const struct role_target *target, uint64_t now_ms)
{
    uint64_t at;

    if (!group->more || course == NULL)
        return TRANSACTION_NEVER;
    if (target->gateway != GATEWAY_NONE)
        at = now_ms + role->conf->groups[course->group].answer_ms;
    else if (!target->alone)
        at = now_ms + role->conf->ring_ms;
    else
        return TRANSACTION_NEVER;
    return (uint32_t)at != TRANSACTION_NEVER ? (uint32_t)at : 1;
}

// RFC 5393 5.3.3: what is left is shared out, all of it.
static uint8_t share_of(const struct transaction *transaction, const struct proxy_group *group, unsigned i)
{
    unsigned left = transaction->breadth;

    return (uint8_t)(left / group->n + (i < left % group->n));
}

struct beginning {
    struct role_request *request;
    const struct role_course *course;
    struct transaction *transaction;
    const struct proxy_group *group;
    uint32_t loop;
    uint8_t share[PROXY_TOGETHER_MAX];
};

static struct proxy_leg leg_of(const struct beginning *beginning, unsigned i)
{
    const struct transaction *transaction = beginning->transaction;
    const struct role *role = beginning->request->role;

    return (struct proxy_leg){
        .branch =
            {
                .transaction = role_branch_part(transaction->branches_n, transaction->check),
                .slot = transaction_slot(role->transactions, transaction),
                .loop = beginning->loop,
                .worker = beginning->request->arrival->worker,
                .listener = transaction->listener,
            },
        .out = beginning->group->one[i].out,
        .breadth = beginning->share[i],
    };
}

// The branch is there and its timers run; the caller sees to it that the request leaves.
static struct transaction_branch *add_branch(const struct beginning *beginning, unsigned i)
{
    struct role *role = beginning->request->role;
    struct transaction *transaction = beginning->transaction;
    const struct role_target *target = &beginning->group->one[i].target;
    uint64_t now_ms = beginning->request->arrival->now.ms;
    struct transaction_branch *branch = transaction_branch_add(role->transactions, transaction);

    if (branch == NULL)
        return NULL;
    branch->to = target->hop;
    branch->listener = beginning->group->one[i].out;
    branch->target = proxy_group_hash(beginning->group, i);
    branch->by_size = beginning->group->one[i].by_size;
    role->grown += branch->by_size;
    branch->q = target->q;
    branch->gateway = target->gateway;
    branch->breadth = beginning->share[i];
    branch->answer_at = answer_at(role, beginning->course, beginning->group, target, now_ms);
    transaction->breadth = (uint8_t)(transaction->breadth - branch->breadth);
    transaction_client_begin(role->transactions, transaction, branch, now_ms);
    proxy_account_branch(role, transaction, branch);
    return branch;
}

// From the bytes of the request, in hand or kept, which stay as they are.
static bool begin_copy(const struct beginning *beginning, unsigned i)
{
    struct role_request *request = beginning->request;
    struct role *role = request->role;
    struct proxy_leg leg = leg_of(beginning, i);
    struct sip_edits *edits = request->edits;

    sip_edits_clear(&role->spare);
    request->edits = &role->spare;
    proxy_forward_note(request, &beginning->group->one[i].target, &leg);
    request->edits = edits;
    struct buffer *copy = role->outlet.copy(
        role->outlet.owner, slice_of(request->message->bytes, request->message->len), &role->spare, NULL);
    struct transaction_branch *branch = copy != NULL ? add_branch(beginning, i) : NULL;
    if (branch == NULL) {
        role->outlet.release(role->outlet.owner, copy);
        return false;
    }
    branch->request = copy;
    role->outlet.send(role->outlet.owner, copy, &branch->to, branch->listener, 0);
    return true;
}

static void begin_in_hand(const struct beginning *beginning)
{
    struct role_request *request = beginning->request;
    struct proxy_leg leg = leg_of(beginning, 0);
    struct transaction_branch *branch = add_branch(beginning, 0); // the record's own: there always is one

    sip_edits_clear(request->edits);
    proxy_forward_note(request, &beginning->group->one[0].target, &leg);
    *request->verdict = (struct verdict){
        .to = branch->to,
        .keep = &branch->request,
        .kind = VERDICT_FORWARD,
        .listener = branch->listener,
    };
}

static void share_out(struct beginning *beginning)
{
    for (unsigned i = 0; i < beginning->group->n; i++)
        beginning->share[i] = share_of(beginning->transaction, beginning->group, i);
}

// Kept with what our side of the Via says, which only the packet knew.
static void keep_original(struct role_request *request, struct transaction *transaction)
{
    struct role *role = request->role;

    role_request_stamp_spare(request);
    transaction->original =
        role->outlet.copy(role->outlet.owner, slice_of(request->message->bytes, request->message->len),
                          &role->spare, request->arrival);
}

void proxy_branches_begin(struct role_request *request, const struct role_course *course,
                          struct transaction *transaction, uint32_t loop, const struct proxy_group *group)
{
    struct proxy_event event = {
        .role = request->role,
        .transaction = transaction,
        .now = request->arrival->now,
    };
    struct beginning beginning = {
        .request = request,
        .course = course,
        .transaction = transaction,
        .group = group,
        .loop = loop,
    };

    share_out(&beginning);
    if (group->more || group->by_size || request->role->conf->recursion)
        keep_original(request, transaction);
    transaction->exhausted = !group->more || transaction->original == NULL;
    begin_in_hand(&beginning);
    for (unsigned i = 1; i < group->n; i++)
        begin_copy(&beginning, i);
    proxy_event_end(&event);
}

// The contacts that are tried now do not go back to the caller with their answer (16.7 step 4).
static void mark_followed(const struct beginning *beginning, unsigned i)
{
    int from = beginning->group->one[i].from;

    if (from >= 0)
        transaction_branch_at(beginning->request->role->transactions, beginning->transaction, (unsigned)from)
            ->followed = true;
}

unsigned proxy_branches_begin_copies(struct role_request *request, const struct role_course *course,
                                     struct transaction *transaction, const struct proxy_group *group)
{
    struct beginning beginning = {
        .request = request,
        .course = course,
        .transaction = transaction,
        .group = group,
        .loop = role_branch_stateless(request).loop,
    };
    unsigned begun = 0;

    share_out(&beginning);
    for (unsigned i = 0; i < group->n; i++) {
        if (!begin_copy(&beginning, i))
            continue;
        mark_followed(&beginning, i);
        begun++;
    }
    return begun;
}
