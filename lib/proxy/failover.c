// Other targets when those that were tried have failed, or ring for too long (RFC 3261 16.7, RFC 3263 4.3).
#include "proxy/recursion.h"
#include "role/hop.h"

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

static bool resume(struct proxy_event *event, struct resumed *resumed)
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
    request->proof.given = false; // nor is it asked for again
    return role_request_parse(request) == SIP_OK && role_routes_prepare(request) &&
           role_course_find(request, &resumed->course) == ROLE_TARGET;
}

// Whether a branch that ended with `status` makes way for another target. The next telephone may be picked up whatever
// the one before said; another gateway would say the same unless the fault was the gateway's (RFC 3263 4.3).
static bool goes_on(const struct role_request *request, const struct role_course *course, uint16_t status)
{
    if (course->in_dialog &&
        role_flow_leads(request)) // the same peer by another connection, if this one is gone
        return status == 430;
    if (status == 0 || course->action == CONF_ACTION_LOCATION)
        return true;
    if (course->action == CONF_ACTION_GATEWAYS)
        return status == 408 || (status >= 500 && status < 600);
    return status == 408 || status == 503;
}

// RFC 3261 16.5: who is not responsible for the request-URI adds no targets of his own, the contacts of a 3xx among
// them. A rule that sends a domain elsewhere than its name says makes this server responsible, one that follows the
// name does not.
static bool is_responsible(const struct role *role, const struct role_course *course)
{
    return course->action != CONF_ACTION_DOMAIN ||
           (course->rule != UINT16_MAX && role->conf->routes[course->rule].action != CONF_ACTION_DOMAIN);
}

static bool may_begin(struct proxy_event *event, bool contacts)
{
    const struct transaction *transaction = event->transaction;

    return transaction->original != NULL && !proxy_is_answered(transaction) && !transaction->has_6xx &&
           !transaction->cancelled && transaction->branches_n < TRANSACTION_BRANCHES_MAX &&
           (contacts || event->shrinks || !transaction->exhausted);
}

// The next group's targets, from the kept request. `max`: 0 where nothing may be begun now.
static bool find_next(struct proxy_event *event, uint16_t failed, struct resumed *resumed, unsigned *max,
                      struct proxy_group *group)
{
    struct transaction *transaction = event->transaction;
    struct proxy_contacts contacts = {.n = 0};

    if (event->role->conf->recursion && transaction->original != NULL)
        proxy_contacts_collect(event, &contacts);
    if (!may_begin(event, contacts.n > 0))
        return false;
    bool resumes = resume(event, resumed);
    if (!resumes || (!event->shrinks && !goes_on(&resumed->request, &resumed->course, failed)))
        transaction->exhausted = true;
    if (!resumes)
        return false;
    if (!is_responsible(event->role, &resumed->course))
        contacts.n = 0;
    // a group waits for the end of the one before, the contacts of a 3xx do not
    bool asks =
        event->shrinks || (!transaction->exhausted && (failed == 0 || proxy_branches_waiting(event) == 0));
    *max = proxy_group_max(&resumed->request, transaction);
    if (event->shrinks && *max > 1) // that very target comes first
        *max = 1;
    resumed->course_asked = asks ? &resumed->course : NULL;
    bool found = proxy_group_gather(&resumed->request, resumed->course_asked, transaction, &contacts,
                                    *max == 0 && failed == 0 ? 1 : *max, group) == ROLE_TARGET;
    if (!found && asks && !event->shrinks && *max > 0)
        transaction->exhausted = true;
    return found;
}

bool proxy_branches_next(struct proxy_event *event, uint16_t failed)
{
    struct transaction *transaction = event->transaction;
    unsigned before = transaction->branches_n;
    struct resumed resumed;
    struct proxy_group group;
    unsigned max;

    if (!find_next(event, failed, &resumed, &max, &group))
        return false;
    if (max == 0) { // those that ring have all of Max-Breadth; a next time is when they have given it back
        if (!event->role->outlet.room(event->role->outlet.owner, group.n)) // they would go for nobody
            return false;
        proxy_branches_give_up(event, before);
        return transaction->breadth > 0 && proxy_branches_next(event, 0);
    }
    unsigned begun = proxy_branches_begin_copies(&resumed.request, resumed.course_asked, transaction, &group);
    if (resumed.course_asked != NULL && begun > 0 &&
        !event->shrinks) // what no buffer was left for is there another time
        transaction->exhausted = !group.more;
    if (failed == 0 && begun > 0)
        proxy_branches_give_up(event, before);
    return begun > 0;
}
