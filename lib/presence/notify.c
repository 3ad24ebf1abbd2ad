// NOTIFY: written from the subscription's record each time that it leaves (RFC 6665 4.2.2, RFC 3261 12.2.1.1).
#include "presence/parts.h"
#include "role/branch.h"
#include "role/hex.h"
#include "role/hop.h"
#include "sip/token.h"

static const struct slice reasons[] = {
    [SUBSCRIPTION_NO_REASON] = {"", 0},
    [SUBSCRIPTION_DEACTIVATED] = {";reason=deactivated", 19},
    [SUBSCRIPTION_PROBATION] = {";reason=probation", 17},
    [SUBSCRIPTION_REJECTED] = {";reason=rejected", 16},
    [SUBSCRIPTION_TIMEOUT] = {";reason=timeout", 15},
    [SUBSCRIPTION_GIVEUP] = {";reason=giveup", 14},
    [SUBSCRIPTION_NORESOURCE] = {";reason=noresource", 18},
    [SUBSCRIPTION_INVARIANT] = {";reason=invariant", 17},
};

#define LITERAL(text, literal) document_text_add((text), SLICE(literal))

static void put_line(struct document_text *text, struct slice name, struct slice value)
{
    document_text_add(text, name);
    document_text_add(text, value);
    LITERAL(text, "\r\n");
}

// RFC 6446 9.2: NOTIFYs a second.
static void put_rate(struct document_text *text, struct slice name, uint32_t ms)
{
    uint64_t millionths = UINT64_C(1000000000) / ms;
    uint64_t rest = millionths % 1000000;
    char decimals[7] = ".";

    for (unsigned i = 6; i > 0; i--, rest /= 10)
        decimals[i] = (char)('0' + rest % 10);
    document_text_add(text, name);
    document_text_number(text, millionths / 1000000);
    document_text_add(text, slice_of(decimals, sizeof(decimals)));
}

// RFC 6665 8.2.3.
static void put_state(struct document_text *text, const struct subscription *subscription,
                      const struct clock *now)
{
    uint64_t left_ms = subscription->expires_ms > now->ms ? subscription->expires_ms - now->ms : 0;

    // as it is told, which may have changed since the first copy left
    if (subscription->telling == SUBSCRIPTION_TERMINATED) {
        LITERAL(text, "Subscription-State: terminated");
        document_text_add(text, reasons[subscription->reason % (sizeof(reasons) / sizeof(*reasons))]);
        if (subscription->retry_after_s > 0) {
            LITERAL(text, ";retry-after=");
            document_text_number(text, subscription->retry_after_s);
        }
    } else {
        if (subscription->telling == SUBSCRIPTION_PENDING)
            LITERAL(text, "Subscription-State: pending;expires=");
        else
            LITERAL(text, "Subscription-State: active;expires=");
        document_text_number(text, (left_ms + 999) / 1000);
        if ((subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_PACED) && subscription->min_ms > 0)
            put_rate(text, SLICE(";max-rate="), subscription->min_ms);
        if (subscription->quiet_ms > 0)
            put_rate(text, SLICE(";min-rate="), subscription->quiet_ms);
    }
    LITERAL(text, "\r\n");
}

static void put_event(struct document_text *text, const struct presence_package *package, struct slice id)
{
    LITERAL(text, "Event: ");
    document_text_add(text, package->name);
    if (id.len > 0) {
        LITERAL(text, ";id=");
        document_text_add(text, id);
    }
    LITERAL(text, "\r\n");
}

static void put_via(const struct role *role, struct document_text *text,
                    const struct subscription *subscription, uint8_t listener)
{
    const struct role_branch branch = {
        .transaction = subscription->check,
        .slot = ROLE_BRANCH_NOTIFY | subscription_slot(role->presence->table, subscription),
        .loop = subscription->local_cseq,
        .worker = role->worker,
        .listener = listener,
    };
    char digits[ROLE_BRANCH_LEN];

    role_branch_write(&branch, digits);
    put_line(text, role_route_via(role->route, listener), slice_of(digits, sizeof(digits)));
}

// The first value of a route that is no loose router is asked itself, and the target comes last (12.2.1.1).
static bool is_strict(struct slice route, struct sip_address *first, struct slice *rest)
{
    struct cursor c = cursor_over(route);
    struct slice lr;

    if (route.len == 0 || !sip_address_take(&c, first) || sip_uri_param(&first->uri, SLICE("lr"), &lr))
        return false;
    sip_skip_space(&c);
    cursor_skip(&c, ',');
    *rest = slice_trim(slice_of(c.at, cursor_left(&c)));
    return true;
}

static void put_start(const struct role *role, struct document_text *text,
                      const struct subscription *subscription, uint8_t listener)
{
    const struct presence *presence = role->presence;
    struct slice target = presence_text_of(presence, subscription, SUBSCRIPTION_TARGET);
    struct slice route = presence_text_of(presence, subscription, SUBSCRIPTION_ROUTE);
    struct sip_address first;
    struct slice rest;
    bool strict = is_strict(route, &first, &rest);

    LITERAL(text, "NOTIFY ");
    document_text_add(text, strict ? first.uri.text : target);
    LITERAL(text, " SIP/2.0\r\n");
    put_via(role, text, subscription, listener);
    LITERAL(text, "Max-Forwards: 70\r\n");
    if (strict) {
        LITERAL(text, "Route: ");
        document_text_add(text, rest);
        if (rest.len > 0)
            LITERAL(text, ", ");
        LITERAL(text, "<");
        document_text_add(text, target);
        LITERAL(text, ">\r\n");
    } else if (route.len > 0) {
        put_line(text, SLICE("Route: "), route);
    }
}

static void put_dialog(const struct presence *presence, struct document_text *text,
                       const struct subscription *subscription)
{
    struct slice remote_tag = presence_text_of(presence, subscription, SUBSCRIPTION_REMOTE_TAG);

    LITERAL(text, "From: ");
    document_text_add(text, presence_text_of(presence, subscription, SUBSCRIPTION_LOCAL_URI));
    put_line(text, SLICE(";tag="), presence_text_of(presence, subscription, SUBSCRIPTION_LOCAL_TAG));
    LITERAL(text, "To: ");
    document_text_add(text, presence_text_of(presence, subscription, SUBSCRIPTION_REMOTE_URI));
    if (remote_tag.len > 0) { // RFC 2543 had none
        LITERAL(text, ";tag=");
        document_text_add(text, remote_tag);
    }
    LITERAL(text, "\r\nCall-ID: ");
    document_text_add(text, presence_text_of(presence, subscription, SUBSCRIPTION_CALL_ID));
    LITERAL(text, "\r\nCSeq: ");
    document_text_number(text, subscription->local_cseq);
    LITERAL(text, " NOTIFY\r\n");
}

// RFC 5839 6.1: of the document as a whole, whatever form of it is sent, or none.
static void put_tag(struct document_text *text, uint64_t tag)
{
    char digits[16];

    if (tag == 0)
        return;
    role_hex_write(role_hex_write(digits, (uint32_t)(tag >> 32)), (uint32_t)tag);
    put_line(text, SLICE("SIP-ETag: "), slice_of(digits, sizeof(digits)));
}

static unsigned digits_of(uint32_t number)
{
    unsigned digits = 1;

    for (; number >= 10; number /= 10)
        digits++;
    return digits;
}

static void put_content(struct document_text *text, const struct presence_content *content)
{
    uint32_t bytes =
        content->before.len + content->after.len + (content->numbered ? digits_of(content->version) : 0);

    if (content->type.len > 0)
        put_line(text, SLICE("Content-Type: "), content->type);
    LITERAL(text, "Content-Length: ");
    document_text_number(text, bytes);
    LITERAL(text, "\r\n\r\n");
    document_text_add(text, content->before);
    if (!content->numbered)
        return;
    document_text_number(text, content->version);
    document_text_add(text, content->after);
}

// Contact is the same whichever way it goes: it is where the watcher sends to (RFC 3261 12.2.1.1).
static struct slice write_notify(struct role *role, const struct subscription_presentity *presentity,
                                 const struct subscription *subscription, uint8_t listener,
                                 const struct clock *now)
{
    struct presence *presence = role->presence;
    struct document_text room = document_text_over(presence->message, sizeof(presence->message));
    struct document_text *text = &room;
    const struct subscription_body *body = subscription_body(presence->table, subscription->body);
    struct presence_content content;

    presence_content_read(body, subscription, &content);
    put_start(role, text, subscription, listener);
    put_dialog(presence, text, subscription);
    presence_contact_put(role, subscription->listener, presence_dialog_is_sips(presence, subscription), text);
    put_event(text, presence_package_at(presentity->package),
              presence_text_of(presence, subscription, SUBSCRIPTION_EVENT_ID));
    put_state(text, subscription, now);
    if (subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_LIST)
        LITERAL(text, "Require: eventlist\r\n");
    put_tag(text, subscription->own[PRESENCE_OWN_TAG]);
    put_content(text, &content);
    return text->full ? SLICE("") : document_slice(text);
}

// RFC 3261 18.1.1. Who is reached where he was seen, through his NAT, is reached by UDP alone.
static bool goes_by_tcp(const struct role *role, const struct subscription *subscription, uint32_t len,
                        struct endpoint *to, uint8_t *listener)
{
    uint32_t max = role->conf->udp_max;

    return max > 0 && len > max && subscription->mark[PRESENCE_MARK_HOP] == PRESENCE_HOP_NAMED &&
           role_hop_by_tcp(role, to, listener);
}

// False: nothing left. Over UDP it is then as if it had been lost. What is sent again goes as its `first` copy went.
static bool send_notify(struct role *role, const struct subscription_presentity *presentity,
                        struct subscription *subscription, bool first, const struct clock *now)
{
    struct presence *presence = role->presence;
    const struct outlet *outlet = &role->outlet;
    struct endpoint to = subscription->to;
    uint8_t listener = subscription->listener;
    struct buffer *buffer = NULL;

    struct slice bytes = write_notify(role, presentity, subscription, listener, now);
    bool by_tcp = first && goes_by_tcp(role, subscription, bytes.len, &to, &listener);
    if (by_tcp)
        bytes = write_notify(role, presentity, subscription, listener, now);
    sip_edits_clear(&role->spare);
    if (bytes.len > 0 && outlet->room(outlet->owner, 1))
        buffer = outlet->copy(outlet->owner, bytes, &role->spare, NULL);
    if (buffer == NULL) {
        presence->counters.unsent++;
        return false;
    }
    if (by_tcp) {
        subscription_notify_by_stream(subscription);
        role->grown++;
    }
    outlet->send(outlet->owner, buffer, &to, listener, 0);
    outlet->release(outlet->owner, buffer);
    presence->counters.notified++;
    return true;
}

void presence_end(struct role *role, struct subscription *subscription)
{
    presence_waiting_put(role, subscription, &role->presence->now);
    presence_tell_winfo(role->presence, subscription);
    presence_durable_forget(role, NULL, subscription);
    subscription_close(role->presence->table, subscription);
}

static void begin_notify(struct role *role, const struct subscription_presentity *presentity,
                         struct subscription *subscription, const struct clock *now)
{
    bool list = subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_LIST;

    subscription->own[PRESENCE_OWN_TAG] = presence_content_tag(role, presentity, subscription);
    uint32_t body = presence_content_choose(role, presentity, subscription, now);
    subscription_notify_begin(role->presence->table, subscription, body, now->ms);
    // Who is blind follows no document, and has this one; of a list this may be no more than a part.
    if (subscription->blind || (list && subscription->sending != 0))
        subscription->sending = subscription->own[PRESENCE_OWN_TAG];
    subscription->version += presence_content_is_numbered(subscription_body(role->presence->table, body));
}

bool presence_shrink(struct role *role, struct subscription *subscription, uint32_t cseq,
                     const struct clock *now)
{
    if (cseq != subscription->local_cseq || subscription->notify != SUBSCRIPTION_TRYING ||
        !subscription->stream || endpoint_is_stream(&subscription->to))
        return false;
    subscription->mark[PRESENCE_MARK_HOP] |= PRESENCE_HOP_REFUSED;
    role->shrunk++;
    presence_act(role, subscription,
                 subscription_notify_by_datagram(role->presence->table, subscription, now->ms), now);
    return true;
}

void presence_act(struct role *role, struct subscription *subscription, unsigned actions,
                  const struct clock *now)
{
    struct presence *presence = role->presence;
    const struct subscription_presentity *presentity =
        subscription_presentity_at(presence->table, subscription->presentity);

    // what the failure of one says may be that it is to be removed; no more than one time round
    for (unsigned round = 0; round < 2 && actions != 0; round++) {
        if (actions & SUBSCRIPTION_EXPIRED)
            presence_tell_winfo(presence, subscription);
        if (actions & SUBSCRIPTION_REMOVE) {
            presence_end(role, subscription);
            return;
        }
        bool first = actions & SUBSCRIPTION_SEND, again = actions & SUBSCRIPTION_RESEND;
        if (first)
            begin_notify(role, presentity, subscription, now);
        if ((!first && !again) || send_notify(role, presentity, subscription, first, now) ||
            !endpoint_is_stream(&subscription->to))
            return;
        actions = subscription_notify_answer(presence->table, subscription, subscription->local_cseq, 503, 0,
                                             now->ms);
    }
}
