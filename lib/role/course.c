// What decides where a request goes: its dialog, a rule, or whose its request-URI is.
#include "number/number.h"
#include "role/hop.h"
#include "role/match.h"
#include "role/policy.h"
#include "role/rewrite.h"
#include "role/rules.h"
#include "role/trust.h"
#include "sip/uri_parts.h"

// RFC 3261 9.2, 8.3: its INVITE was answered at once, so there is nothing to cancel any more.
static enum role_targeting answer_cancel(struct role_request *request, bool redirected)
{
    role_answer(request, redirected ? 200 : 481, NULL);
    return ROLE_TARGET_ANSWERED;
}

static enum role_targeting answer(struct role_request *request, uint16_t status, const char *reason)
{
    role_answer(request, status, reason);
    return ROLE_TARGET_ANSWERED;
}

static enum role_targeting reject(struct role_request *request, const struct conf_route *rule)
{
    if (request->message->method == SIP_METHOD_CANCEL)
        return answer_cancel(request, false);
    return answer(request, rule->code, rule->reason.len > 0 ? rule->reason.text : NULL);
}

static enum role_targeting redirect(struct role_request *request, const struct conf_route *rule)
{
    struct slice contact = slice_of(rule->contact.text, rule->contact.len);
    struct role_text lines;

    if (request->message->method == SIP_METHOD_CANCEL)
        return answer_cancel(request, true);
    if (contact.len == 0)
        contact = request->uri.text;
    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Contact: <"));
    role_text_put(&lines, contact);
    role_text_put(&lines, SLICE(">\r\n"));
    role_answer_lines(request, 302, NULL, role_text_slice(&lines));
    return ROLE_TARGET_ANSWERED;
}

static enum role_targeting find_gateways(struct role_request *request, struct role_course *course)
{
    const struct number_table *numbers = request->role->policy->numbers[request->role->node];
    char room[ROLE_USER_MAX];
    uint16_t group =
        numbers == NULL ? NUMBER_NONE : number_find(numbers, role_user_plain(&request->uri, room));

    if (group == NUMBER_NONE)
        return answer(request, 404, "No Route To Number");
    course->action = CONF_ACTION_GATEWAYS;
    course->group = group;
    return ROLE_TARGET;
}

// RFC 6116 3.2: the digits of an E.164 number. 0: it is none.
static unsigned write_number(const struct sip_uri *uri, char digits[NUMBER_DIGITS_MAX])
{
    char room[ROLE_USER_MAX];
    struct slice user = role_user_plain(uri, room);
    unsigned n = 0;

    for (uint32_t i = 0; i < user.len; i++) {
        if ((user.at[i] == '+' && i == 0) || sip_phone_separator(user.at[i]))
            continue;
        if (user.at[i] < '0' || user.at[i] > '9' || n == NUMBER_DIGITS_MAX)
            return 0;
        digits[n++] = user.at[i];
    }
    return n;
}

// A request-URI has no headers (RFC 3261 19.1.1 table 1), and what is sips stays so (RFC 5630 5.3).
static bool take_uri(struct role_request *request, struct slice text)
{
    struct sip_uri uri;

    if (sip_uri_parse(slice_of(text.at, slice_find(text, '?')), &uri) != SIP_OK ||
        uri.scheme != SIP_SCHEME_SIP || request->uri.scheme == SIP_SCHEME_SIPS)
        return false;
    request->uri = uri;
    request->uri_rewritten = true;
    request->where = role_route_where(request->role->route, &uri);
    return true;
}

// What ENUM says takes the place of the request-URI, and no rule is asked again: there is no way round in a circle.
static enum role_targeting find_enum(struct role_request *request, struct role_course *course)
{
    char digits[NUMBER_DIGITS_MAX];
    const struct name_answer *said = NULL;
    struct slice number = slice_of(digits, write_number(&request->uri, digits));
    const struct name_question question = {.name = number, .kind = NAME_ENUM};
    enum role_targeting asked = role_name_find(request, &question, &said);

    if (asked == ROLE_TARGET_ANSWERED)
        return asked;
    if (asked == ROLE_TARGET && said->failed)
        return answer(request, 503, "Number Not Resolved");
    if (asked == ROLE_TARGET_NONE || !take_uri(request, said->uri))
        return answer(request, 404, "No Route To Number");
    course->action = request->where.place == ROLE_ELSEWHERE ? CONF_ACTION_DOMAIN : CONF_ACTION_LOCATION;
    return ROLE_TARGET;
}

// The location service. What registers nowhere here is not looked up there.
static enum role_targeting take_location(struct role_request *request, struct role_course *course)
{
    if (request->message->method == SIP_METHOD_REGISTER) {
        role_answer_not_allowed(request, ROLE_METHODS_ALL & ~SIP_METHOD_BIT(SIP_METHOD_REGISTER));
        return ROLE_TARGET_ANSWERED;
    }
    course->action = CONF_ACTION_LOCATION;
    return ROLE_TARGET;
}

static enum role_targeting act(struct role_request *request, const struct conf_route *rule,
                               struct role_course *course)
{
    switch (rule->action) {
    case CONF_ACTION_REDIRECT:
        return redirect(request, rule);
    case CONF_ACTION_NUMBERS:
        return find_gateways(request, course);
    case CONF_ACTION_ENUM:
        return find_enum(request, course);
    case CONF_ACTION_LOCATION:
        return take_location(request, course);
    case CONF_ACTION_GATEWAYS:
        course->group = (uint16_t)rule->gateways;
        return ROLE_TARGET;
    default:
        return ROLE_TARGET;
    }
}

// What is left of a Route is not followed where a rule or the location service decides: it would lead anyone anywhere
// through us, and RFC 3261 16.12 has the same to say of the request-URI.
static void leave_route(struct role_request *request)
{
    request->routes.first = request->routes.last;
}

// A rule says where to, and not that strangers may go there: a request-URI that is not ours needs leave all the same.
static enum role_targeting by_rule(struct role_request *request, unsigned number, struct role_course *course)
{
    const struct conf_route *rule = &request->role->conf->routes[number];
    bool relays = request->where.place == ROLE_ELSEWHERE && rule->action != CONF_ACTION_REDIRECT;

    course->rule = (uint16_t)number;
    course->mode = (uint8_t)rule->mode;
    course->action = (uint8_t)rule->action;
    if (rule->action == CONF_ACTION_REJECT)
        return reject(request, rule);
    if (relays && !request->resumed && !role_may_relay(request, false))
        return ROLE_TARGET_ANSWERED;
    leave_route(request);
    if (!role_uri_rewrite(request, rule))
        return ROLE_TARGET_ANSWERED;
    return act(request, rule, course);
}

// What a stranger wants to be sent along by us is refused, wherever it would have gone without: dropped in silence it
// would reach somebody else than he meant.
static bool may_pass(struct role_request *request, bool in_dialog)
{
    return request->resumed || in_dialog || role_may_preload(request);
}

enum role_targeting role_course_find(struct role_request *request, struct role_course *course)
{
    const struct role *role = request->role;
    bool in_dialog = role_in_dialog(request);
    int rule =
        in_dialog || role->conf->routes_n == 0 ? CONF_NONE : role_rules_find(role->policy->rules, request);

    *course = (struct role_course){
        .action = CONF_ACTION_DOMAIN,
        .mode = (uint8_t)role->conf->mode,
        .in_dialog = in_dialog,
        .rule = UINT16_MAX,
    };
    if (!may_pass(request, in_dialog))
        return ROLE_TARGET_ANSWERED;
    if (rule != CONF_NONE)
        return by_rule(request, (unsigned)rule, course);
    if (in_dialog && role_flow_leads(request))
        return ROLE_TARGET;
    if (request->where.place != ROLE_ELSEWHERE) {
        leave_route(request);
        return take_location(request, course);
    }
    // a stranger's request for a stranger goes no further, but inside a dialog that we record-routed
    return request->resumed || role_may_relay(request, in_dialog) ? ROLE_TARGET : ROLE_TARGET_ANSWERED;
}
