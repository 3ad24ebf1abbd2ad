// Targets become branches: together, one group after the other, or one in place of another (RFC 3261 16.6).
#include "role/policy.h"
#include "role/proxy.h"
#include "role/recursion.h"

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
           (branch = transaction_branch_next(role->transactions, transaction, branch)) != NULL)
        add_tried(tried, branch->target, branch->gateway);
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

// How many may be begun now: what the configuration, Max-Breadth and the record's own bound leave.
static unsigned begin_max(const struct role_request *request, const struct transaction *transaction)
{
    return least(least(transaction->breadth, request->role->conf->branches_max),
                 least(ROLE_TOGETHER_MAX, TRANSACTION_BRANCHES_MAX - transaction->branches_n));
}

// Whether a target is tried together with those before it (RFC 3261 16.6: "in parallel, serially, or in groups").
static bool joins(const struct role_request *request, const struct role_group *group,
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
                                       const struct role_contacts *contacts, const struct role_tried *tried,
                                       struct role_target *target, int *from)
{
    *from = role_contacts_next(request, contacts, tried, target);
    if (*from >= 0)
        return ROLE_TARGET;
    return course != NULL ? role_target_next(request, course, tried, target) : ROLE_TARGET_NONE;
}

static void add_target(struct role_group *group, const struct role_target *target, uint8_t out, int from)
{
    group->one[group->n].target = *target;
    group->one[group->n].out = out;
    group->one[group->n++].from = (int8_t)from;
    group->more = target->more;
}

enum role_targeting role_group_gather(struct role_request *request, const struct role_course *course,
                                      struct transaction *transaction, const struct role_contacts *contacts,
                                      unsigned max, struct role_group *group)
{
    struct role_tried tried;
    struct role_target target;
    const char *reason;
    uint8_t out;
    int from;

    group->n = 0;
    group->more = false;
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
        uint16_t status = role_forward_listener(request, &target, &out, &reason);
        if (status == 0) {
            add_target(group, &target, out, from);
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

// When a branch that does not answer makes way for the next one: gateways for silence, telephones for ringing.
static uint32_t answer_at(const struct role *role, const struct role_course *course,
                          const struct role_group *group, const struct role_target *target, uint64_t now_ms)
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
static uint8_t share_of(const struct transaction *transaction, const struct role_group *group, unsigned i)
{
    unsigned left = transaction->breadth;

    return (uint8_t)(left / group->n + (i < left % group->n));
}

struct beginning {
    struct role_request *request;
    const struct role_course *course;
    struct transaction *transaction;
    const struct role_group *group;
    uint32_t loop;
    uint8_t share[ROLE_TOGETHER_MAX];
};

static struct role_leg leg_of(const struct beginning *beginning, unsigned i)
{
    const struct transaction *transaction = beginning->transaction;
    const struct role *role = beginning->request->role;

    return (struct role_leg){
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
    branch->target = target->hash;
    branch->q = target->q;
    branch->gateway = target->gateway;
    branch->breadth = beginning->share[i];
    branch->answer_at = answer_at(role, beginning->course, beginning->group, target, now_ms);
    transaction->breadth = (uint8_t)(transaction->breadth - branch->breadth);
    transaction_client_begin(role->transactions, transaction, branch, now_ms);
    role_account_branch(role, transaction, branch);
    return branch;
}

// From the bytes of the request, in hand or kept, which stay as they are.
static bool begin_copy(const struct beginning *beginning, unsigned i)
{
    struct role_request *request = beginning->request;
    struct role *role = request->role;
    struct role_leg leg = leg_of(beginning, i);
    struct sip_edits *edits = request->edits;

    sip_edits_clear(&role->spare);
    request->edits = &role->spare;
    role_forward_note(request, &beginning->group->one[i].target, &leg);
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
    struct role_leg leg = leg_of(beginning, 0);
    struct transaction_branch *branch = add_branch(beginning, 0); // the record's own: there always is one

    sip_edits_clear(request->edits);
    role_forward_note(request, &beginning->group->one[0].target, &leg);
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
    struct sip_edits *edits = request->edits;

    sip_edits_clear(&role->spare);
    request->edits = &role->spare;
    role_request_stamp(request);
    request->edits = edits;
    transaction->original =
        role->outlet.copy(role->outlet.owner, slice_of(request->message->bytes, request->message->len),
                          &role->spare, request->arrival);
}

void role_branches_begin(struct role_request *request, const struct role_course *course,
                         struct transaction *transaction, uint32_t loop, const struct role_group *group)
{
    struct role_event event = {
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
    if (group->more || request->role->conf->recursion)
        keep_original(request, transaction);
    transaction->exhausted = !group->more || transaction->original == NULL;
    begin_in_hand(&beginning);
    for (unsigned i = 1; i < group->n; i++)
        begin_copy(&beginning, i);
    role_event_end(&event);
}

// The kept request, read again as it was when it came. What it asks for may have changed since: a telephone
// registered, the configuration is another.
struct resumed {
    struct role_request request;
    struct steered steered;
    struct arrival arrival;
    struct verdict verdict;
    struct role_course course;
    const struct role_course *course_asked; // NULL: only the contacts of a 3xx are tried
};

static bool resume(struct role_event *event, struct resumed *resumed)
{
    struct role *role = event->role;
    struct buffer *original = event->transaction->original;
    const struct sip_message *message = role->outlet.index(role->outlet.owner, original);
    const struct arrival *arrival = role->outlet.arrival(role->outlet.owner, original);
    struct role_request *request = &resumed->request;

    if (message == NULL || arrival == NULL)
        return false;
    resumed->arrival = *arrival;
    resumed->arrival.now = event->now;
    role_steer(role, message, role->workers_n, &resumed->steered);
    sip_edits_clear(&role->spare);
    request->role = role;
    request->message = message;
    request->steered = &resumed->steered;
    request->arrival = &resumed->arrival;
    request->verdict = &resumed->verdict;
    request->edits = &role->spare; // an answer that nobody hears
    request->trust = ROLE_TRUST_UNASKED;
    request->resumed = true;
    return role_request_parse(request) == SIP_OK && role_routes_prepare(request) &&
           role_course_find(request, &resumed->course) == ROLE_TARGET;
}

// Whether a branch that ended with `status` makes way for another target. The next telephone may be picked up whatever
// the one before said; another gateway would say the same unless the fault was the gateway's (RFC 3263 4.3).
static bool goes_on(const struct role_course *course, uint16_t status)
{
    if (status == 0 || course->action == CONF_ACTION_LOCATION)
        return true;
    if (course->action == CONF_ACTION_GATEWAYS)
        return status == 408 || (status >= 500 && status < 600);
    return status == 408 || status == 503;
}

static bool may_begin(struct role_event *event, bool contacts)
{
    const struct transaction *transaction = event->transaction;

    return transaction->original != NULL && !role_is_answered(transaction) && !transaction->has_6xx &&
           !transaction->cancelled && transaction->branches_n < TRANSACTION_BRANCHES_MAX &&
           (contacts || !transaction->exhausted);
}

// The contacts that are tried now do not go back to the caller with their answer (16.7 step 4).
static void mark_followed(struct role_event *event, const struct role_group *group, unsigned i)
{
    struct transaction_branch *from =
        group->one[i].from < 0 ? NULL
                               : transaction_branch_at(event->role->transactions, event->transaction,
                                                       (unsigned)group->one[i].from);

    if (from != NULL)
        from->followed = true;
}

static unsigned begin_copies(struct role_event *event, struct resumed *resumed,
                             const struct role_course *course, const struct role_group *group)
{
    struct beginning beginning = {
        .request = &resumed->request,
        .course = course,
        .transaction = event->transaction,
        .group = group,
        .loop = role_branch_stateless(&resumed->request).loop,
    };
    unsigned begun = 0;

    share_out(&beginning);
    for (unsigned i = 0; i < group->n; i++) {
        if (!begin_copy(&beginning, i))
            continue;
        mark_followed(event, group, i);
        begun++;
    }
    return begun;
}

// The next group's targets, from the kept request. `max`: 0 where nothing may be begun now.
static bool find_next(struct role_event *event, uint16_t failed, struct resumed *resumed, unsigned *max,
                      struct role_group *group)
{
    struct transaction *transaction = event->transaction;
    struct role_contacts contacts = {.n = 0};

    if (event->role->conf->recursion && transaction->original != NULL)
        role_contacts_collect(event, &contacts);
    if (!may_begin(event, contacts.n > 0))
        return false;
    bool resumes = resume(event, resumed);
    if (!resumes || !goes_on(&resumed->course, failed))
        transaction->exhausted = true;
    if (!resumes)
        return false;
    // a group waits for the end of the one before, the contacts of a 3xx do not
    bool asks = !transaction->exhausted && (failed == 0 || role_branches_waiting(event) == 0);
    *max = begin_max(&resumed->request, transaction);
    resumed->course_asked = asks ? &resumed->course : NULL;
    bool found = role_group_gather(&resumed->request, resumed->course_asked, transaction, &contacts,
                                   *max == 0 && failed == 0 ? 1 : *max, group) == ROLE_TARGET;
    if (!found && asks && *max > 0)
        transaction->exhausted = true;
    return found;
}

bool role_branches_next(struct role_event *event, uint16_t failed)
{
    struct transaction *transaction = event->transaction;
    unsigned before = transaction->branches_n;
    struct resumed resumed;
    struct role_group group;
    unsigned max;

    if (!find_next(event, failed, &resumed, &max, &group))
        return false;
    if (max ==
        0) { // those that ring have all of Max-Breadth; when they have given it back there is a next time
        role_branches_give_up(event, before);
        return transaction->breadth > 0 && role_branches_next(event, 0);
    }
    unsigned begun = begin_copies(event, &resumed, resumed.course_asked, &group);
    if (resumed.course_asked != NULL)
        transaction->exhausted = !group.more;
    if (failed == 0)
        role_branches_give_up(event, before);
    return begun > 0;
}
