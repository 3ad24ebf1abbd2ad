// The proxy core: RFC 3261 16.3 to 16.6, with a record (16.2) or without (16.11).
#include "proxy/core.h"

static bool loops_in(struct slice vias, uint32_t loop)
{
    struct role_branch branch;

    while (role_branch_find(vias, &branch, &vias)) {
        if (branch.loop == loop)
            return true;
    }
    return false;
}

// RFC 5393 4.2.2: a Via of ours with the same loop part means that nothing which decides the route has
// changed. The part is a keyed hash, so finding it equal also proves that the Via is ours; Vias of others are
// not parsed at all, whatever they look like (4.2.4).
static bool has_looped(const struct role_request *request, uint32_t loop)
{
    const struct sip_message *message = request->message;
    unsigned line = message->first[SIP_HEADER_VIA];
    struct slice value = sip_message_value(message, line);
    const char *behind = request->via.text.at + request->via.text.len;
    struct role_branch top;

    // the top one is parsed already, and mostly all there is
    if (role_branch_parse(request->via.branch, &top) && top.loop == loop)
        return true;
    if (loops_in(slice_of(behind, (size_t)(value.at + value.len - behind)), loop))
        return true;
    while ((line = sip_message_next(message, line)) != SIP_NO_LINE) {
        if (loops_in(sip_message_value(message, line), loop))
            return true;
    }
    return false;
}

// RFC 3261 16.3 steps 3 to 5. A request that comes twice by different ways (8.2.2.2) is no fault here: merging is for
// the user agent that gets both, and a proxy that refused the second would take a way to the user from its sender.
static bool may_be_forwarded(struct role_request *request, uint32_t loop, uint8_t breadth)
{
    if (request->has_max_forwards && request->max_forwards == 0) {
        // OPTIONS as well: a 200 would be in the name of a user who may not be
        role_answer(request, 483, NULL);
        return false;
    }
    if (has_looped(request, loop)) {
        role_answer(request, 482, NULL);
        return false;
    }
    if (role_follows_an_invite(request))
        return true;
    if (breadth == 0) { // RFC 5393 5.3.3: not even one after the other
        role_answer(request, 440, NULL);
        return false;
    }
    return role_supports(request, SIP_HEADER_PROXY_REQUIRE, SLICE(""));
}

// RFC 3261 16.11.
static void forward_stateless(struct role_request *request, const struct role_course *course,
                              const struct role_branch *branch, uint8_t breadth)
{
    const struct role_tried none = {.n = 0};
    struct proxy_leg leg = {.branch = *branch, .breadth = breadth};
    struct role_target target;
    const char *reason;

    if (role_target_next(request, course, &none, &target) != ROLE_TARGET)
        return;
    uint16_t status = proxy_forward_listener(request, &target, &leg.out, &reason);
    if (status != 0) {
        role_answer(request, status, reason);
        return;
    }
    proxy_forward_note(request, &target, &leg);
    *request->verdict = (struct verdict){
        .to = target.hop,
        .kind = VERDICT_FORWARD,
        .listener = leg.out,
    };
    if (request->message->method == SIP_METHOD_BYE)
        proxy_account_bye(request);
}

static bool begins_a_call(const struct role_request *request)
{
    return request->message->method == SIP_METHOD_INVITE && request->to_tag.at == NULL;
}

static unsigned together_max(const struct role_request *request, uint8_t breadth)
{
    unsigned max = request->role->conf->branches_max;

    max = max < PROXY_TOGETHER_MAX ? max : PROXY_TOGETHER_MAX;
    return breadth < max ? breadth : max;
}

// The record is opened once it is known that there is somebody to ask: what this server answers itself it answers
// without one (8.2.7), so a search for users that are not there costs no memory.
static void forward_stateful(struct role_request *request, const struct role_course *course,
                             const struct role_branch *branch, uint8_t breadth)
{
    struct proxy_group group;
    enum role_targeting gathered =
        proxy_group_gather(request, course, NULL, NULL, together_max(request, breadth), &group);

    if (gathered == ROLE_TARGET_ANSWERED) {
        if (request->verdict->kind == VERDICT_PARK && request->message->method == SIP_METHOD_INVITE)
            proxy_transaction_trying(request);
        return;
    }
    if (gathered == ROLE_TARGET_NONE) {
        role_answer(request, group.status, group.reason);
        return;
    }
    struct transaction *transaction = proxy_transaction_open(request, group.n + 2u);
    if (transaction == NULL) {
        if (begins_a_call(request))
            role_answer_unavailable(request, NULL);
        else // what belongs to a call that is known gets through
            forward_stateless(request, course, branch, breadth);
        return;
    }
    transaction->breadth = breadth;
    transaction->route = course->rule;
    transaction->in_dialog = course->in_dialog;
    proxy_account_begin(request, transaction);
    proxy_branches_begin(request, course, transaction, branch->loop, &group);
}

void proxy_serve(struct role_request *request)
{
    struct role_branch branch = role_branch_stateless(request);
    uint8_t breadth = proxy_forward_breadth(request);
    struct role_course course;

    if (request->message->method == SIP_METHOD_REGISTER && proxy_transact(request))
        return;
    if (!may_be_forwarded(request, branch.loop, breadth) || role_course_find(request, &course) != ROLE_TARGET)
        return;
    if (request->role->transactions == NULL || course.mode == CONF_MODE_STATELESS ||
        role_follows_an_invite(request))
        forward_stateless(request, &course, &branch, breadth);
    else
        forward_stateful(request, &course, &branch, breadth);
}
