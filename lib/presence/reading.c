// What a SUBSCRIBE or a PUBLISH says: Event, Expires, Accept.
#include "presence/parts.h"
#include "sip/params.h"
#include "sip/token.h"

#define RATE_MS_MAX 3600000 // no wish for fewer than one an hour is kept

void presence_refuse(struct role_request *request, uint64_t *counter, uint16_t status, const char *reason)
{
    (*counter)++;
    role_answer(request, status, reason);
}

void presence_refuse_later(struct role_request *request, const char *reason)
{
    request->role->presence->counters.crowded++;
    role_answer_unavailable(request, reason);
}

void presence_refuse_crowd(struct role_request *request, const char *reason)
{
    struct role_text lines;

    request->role->presence->counters.crowded++;
    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Retry-After: "));
    role_text_put_number(&lines, request->role->conf->retry_after);
    role_text_put(&lines, SLICE("\r\n"));
    role_answer_lines(request, 480, reason, role_text_slice(&lines));
}

// RFC 6665 8.3.2: with what there is instead.
static bool refuse_event(struct role_request *request)
{
    struct role_text lines;

    request->role->presence->counters.bad_event++;
    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Allow-Events: "));
    presence_put_events(&lines);
    role_text_put(&lines, SLICE("\r\n"));
    role_answer_lines(request, 489, NULL, role_text_slice(&lines));
    return false;
}

// A decimal number of at most two digits before the point, in units of the last place that is looked at.
static bool read_decimal(struct slice value, unsigned places, uint64_t *units)
{
    unsigned digits = 0, decimals = 0;
    bool point = false;

    *units = 0;
    for (uint32_t i = 0; i < value.len; i++) {
        if (value.at[i] == '.' && !point) {
            point = true;
        } else if (value.at[i] >= '0' && value.at[i] <= '9' && (point || digits++ < 2)) {
            if (decimals == places)
                continue;
            *units = *units * 10 + (uint64_t)(value.at[i] - '0');
            decimals += point;
        } else {
            return false;
        }
    }
    for (; decimals < places; decimals++)
        *units *= 10;
    return value.len > 0;
}

// RFC 6446 9.2: NOTIFYs a second, ten places behind the point, as the time between two of them; 0: it is none.
static uint32_t read_rate(struct slice value)
{
    uint64_t rate;

    if (!read_decimal(value, 10, &rate))
        return 0;
    if (rate == 0)
        return RATE_MS_MAX;
    uint64_t ms = UINT64_C(10000000000000) / rate;
    return ms == 0 ? 1 : ms < RATE_MS_MAX ? (uint32_t)ms : RATE_MS_MAX;
}

// It is written into NOTIFYs as it came.
static bool is_token(struct slice value)
{
    struct cursor c = cursor_over(value);

    sip_take_token(&c, SIP_ERROR_PARAMETER);
    return c.error == 0 && cursor_done(&c);
}

static bool read_params(struct cursor *c, struct presence_asking *asking)
{
    struct sip_param param;

    while (sip_param_next(c, &param)) {
        if (SLICE_IS(param.name, "id") && !is_token(param.value))
            return false;
        if (param.value.at == NULL)
            continue;
        if (SLICE_IS(param.name, "id"))
            asking->event_id = param.value;
        else if (SLICE_IS(param.name, "max-rate"))
            asking->min_ms = read_rate(param.value);
        else if (SLICE_IS(param.name, "min-rate"))
            asking->quiet_ms = read_rate(param.value);
    }
    return c->error == 0 && cursor_done(c);
}

bool presence_read_rates(const struct sip_message *message, struct presence_asking *asking)
{
    struct slice value = sip_message_first(message, SIP_HEADER_EVENT);
    struct cursor c = cursor_over(value);

    *asking = (struct presence_asking){.package = NULL};
    if (value.at == NULL)
        return false;
    sip_take_token(&c, SIP_ERROR_PARAMETER);
    return c.error == 0 && read_params(&c, asking);
}

// RFC 6665 8.2.1: one event and no more. 4.2.3, RFC 3903 6 step 2: a request without any is answered as one with an
// unknown one.
bool presence_read_event(struct role_request *request, struct presence_asking *asking)
{
    const struct sip_message *message = request->message;
    struct slice value = sip_message_first(request->message, SIP_HEADER_EVENT);
    struct cursor c = cursor_over(value);

    asking->event_id = (struct slice){"", 0};
    asking->min_ms = asking->quiet_ms = 0;
    if (value.at == NULL)
        return refuse_event(request);
    asking->package = presence_package_named(sip_take_token(&c, SIP_ERROR_PARAMETER));
    if (c.error != 0 || !read_params(&c, asking) ||
        sip_message_next(message, message->first[SIP_HEADER_EVENT]) != SIP_NO_LINE) {
        presence_refuse(request, &request->role->presence->counters.refused, 400, "Malformed Event");
        return false;
    }
    bool published = request->message->method != SIP_METHOD_PUBLISH ||
                     (asking->package != NULL && asking->package->published != PRESENCE_TYPE_NONE);
    return (asking->package != NULL && published) || refuse_event(request);
}

static bool refuse_brief(struct role_request *request, uint32_t least)
{
    struct role_text lines;

    request->role->presence->counters.brief++;
    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Min-Expires: "));
    role_text_put_number(&lines, least);
    role_text_put(&lines, SLICE("\r\n"));
    role_answer_lines(request, 423, NULL, role_text_slice(&lines));
    return false;
}

// RFC 6665 4.2.1.1 (and only what is under an hour may be too brief), RFC 3903 6 step 4.
bool presence_read_expires(struct role_request *request, struct presence_asking *asking)
{
    const struct conf *conf = request->role->conf;
    struct slice value = sip_message_first(request->message, SIP_HEADER_EXPIRES);
    bool publishes = request->message->method == SIP_METHOD_PUBLISH;
    uint32_t usual = publishes ? conf->publish_expires_default : conf->presence_expires_default;
    uint32_t least = publishes ? conf->publish_expires_min : conf->presence_expires_min;
    uint32_t most = publishes ? conf->publish_expires_max : conf->presence_expires_max;

    asking->expires = value.at != NULL ? sip_expires_parse(value) : usual;
    if (asking->expires > 0 && asking->expires < 3600 && asking->expires < least)
        return refuse_brief(request, least);
    if (asking->expires > most)
        asking->expires = most;
    return true;
}

bool presence_header_has(const struct sip_message *message, enum sip_header id, struct slice token)
{
    SIP_FOREACH_LINE(line, message, id) {
        if (sip_list_has(sip_message_value(message, line), token))
            return true;
    }
    return false;
}

#define Q_MOST 1000

// RFC 3261 25.1 accept-param, in thousandths.
static uint32_t preference_of(struct slice element)
{
    uint32_t end = slice_find(element, ';');
    struct sip_param q;
    uint64_t thousandths;

    if (!sip_param_find(slice_of(element.at + end, element.len - end), SLICE("q"), &q) ||
        !read_decimal(q.value, 3, &thousandths))
        return Q_MOST;
    return thousandths < Q_MOST ? (uint32_t)thousandths : Q_MOST;
}

// What a media-range of RFC 3261 20.1 means, its parameters left aside. What is only sent on request is not meant by a
// "*".
static uint16_t accepted(struct slice element, const struct presence_package *package, bool *any)
{
    struct slice range = slice_trim(slice_of(element.at, slice_find(element, ';')));
    uint32_t slash = slice_find(range, '/');

    for (unsigned type = 1; type < PRESENCE_TYPES; type++) {
        if (slice_equal_nocase(range, presence_type_name((enum presence_type)type)))
            return (uint16_t)PRESENCE_TYPE_BIT(type);
    }
    struct slice name = presence_type_name((enum presence_type)package->type);
    *any = slash + 2 == range.len && range.at[slash + 1] == '*' &&
           (slice_equal(range, SLICE("*/*")) ||
            (slice_find(name, '/') == slash &&
             slice_equal_nocase(slice_of(range.at, slash), slice_of(name.at, slash))));
    return *any ? (uint16_t)PRESENCE_TYPE_BIT(package->type) : 0;
}

struct preferences {
    uint16_t bits, refused; // PRESENCE_TYPE_BITs; of the latter, those that have q=0
    uint32_t whole, partial;
};

static void prefer(struct preferences *preferences, struct slice element,
                   const struct presence_package *package)
{
    uint32_t q = preference_of(element);
    bool any = false;
    uint16_t bits = accepted(element, package, &any);

    if (q == 0) { // RFC 3261 20.1: not at all, whatever is taken beside it
        preferences->refused |= any ? 0 : bits;
        return;
    }
    preferences->bits |= bits;
    if (!any && bits & PRESENCE_TYPE_BIT(PRESENCE_TYPE_PIDF_DIFF))
        preferences->partial = q;
    else if (!any && bits & PRESENCE_TYPE_BIT(PRESENCE_TYPE_PIDF))
        preferences->whole = q;
}

// RFC 6665 4.1.2.1, 4.2.2: without Accept what the package says; a list needs what RFC 4662 4.3 says beside it.
bool presence_read_accept(struct role_request *request, struct presence_asking *asking)
{
    const struct sip_message *message = request->message;
    struct preferences preferences = {0};

    if (!sip_message_has(message, SIP_HEADER_ACCEPT)) {
        asking->accept = (uint16_t)PRESENCE_TYPE_BIT(asking->package->type);
        return true;
    }
    SIP_FOREACH_LINE(line, message, SIP_HEADER_ACCEPT) {
        struct cursor c = cursor_over(sip_message_value(message, line));
        struct slice element;
        while (sip_take_element(&c, &element))
            prefer(&preferences, element, asking->package);
    }
    if (preferences.whole > preferences.partial) // RFC 5263 4.3
        preferences.refused |= PRESENCE_TYPE_BIT(PRESENCE_TYPE_PIDF_DIFF);
    asking->accept = preferences.bits & (uint16_t)~preferences.refused &
                     (asking->package->told | PRESENCE_TYPE_BIT(PRESENCE_TYPE_LIST));
    if ((asking->accept & asking->package->told) != 0)
        return true;
    struct role_text lines;
    request->role->presence->counters.refused++;
    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Accept: "));
    role_text_put(&lines, presence_type_name((enum presence_type)asking->package->type));
    role_text_put(&lines, SLICE("\r\n"));
    role_answer_lines(request, 406, NULL, role_text_slice(&lines));
    return false;
}
