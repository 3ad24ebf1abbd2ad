// SUBSCRIBE: the dialog that it makes, prolongs, changes or ends (RFC 6665 4.2.1, RFC 5839 6).
#include <errno.h>

#include "presence/list.h"

#include "document/winfo.h"
#include "role/hex.h"
#include "role/trust.h"

#define TAG_DIGITS 16 // of a document's, hexadecimal

#define EPOCH_S 1577836800 // 2020, since when CSeqs count
#define RATE    2          // of them a second, over a dialog's life; RFC 3261 8.1.1.5 has 31 bits: until 2054

#define BURST 4096 // of them that a dialog may be ahead of that rate

uint32_t presence_cseq_at(uint64_t unix_s)
{
    return unix_s > EPOCH_S ? (uint32_t)((unix_s - EPOCH_S) * RATE) & 0x7fffffff : 1;
}

// The clock may have been set back.
uint32_t presence_cseq_after(uint32_t known, uint64_t unix_s)
{
    uint32_t now = presence_cseq_at(unix_s);

    return known + BURST > now ? (known + BURST) & 0x7fffffff : now;
}

// A dialog begins behind the clock, so that what it says at once is behind it, too, when the server starts again.
static uint32_t first_cseq(uint64_t unix_s)
{
    uint32_t now = presence_cseq_at(unix_s);

    return now > BURST ? now - BURST : 1;
}

// The same for every retransmission of a request, and for nothing else (RFC 3261 8.2.7, 17.2.3).
static uint64_t check_of(struct role_request *request)
{
    uint64_t check = role_request_mark(request).high;

    return check != 0 ? check : 1;
}

// The seconds that are left, rounded up: what lives has at least one.
static uint64_t left_s(const struct subscription *subscription, const struct clock *now)
{
    return subscription->expires_ms > now->ms ? (subscription->expires_ms - now->ms + 999) / 1000 : 0;
}

// RFC 6665 8.3.1 has no 202; RFC 5839 7.1 has 204. `subscription`: NULL where it is over.
static void answer(struct role_request *request, const struct subscription *subscription, uint16_t status)
{
    const struct presence *presence = request->role->presence;
    bool sips = request->uri.scheme == SIP_SCHEME_SIPS ||
                (subscription != NULL && presence_dialog_is_sips(presence, subscription));
    char room[256];
    struct document_text contact = document_text_over(room, sizeof(room));
    struct role_text lines;

    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Expires: "));
    role_text_put_number(&lines, subscription != NULL ? left_s(subscription, &request->arrival->now) : 0);
    role_text_put(&lines, SLICE("\r\n"));
    if (subscription != NULL && (subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_LIST)) // RFC 4662 4.1
        role_text_put(&lines, SLICE("Require: eventlist\r\n"));
    if (request->to_tag.at == NULL) { // RFC 6665 4.4.4: where a dialog begins
        role_text_put(&lines, SLICE("Allow-Events: "));
        presence_put_events(&lines);
        role_text_put(&lines, SLICE("\r\n"));
    }
    presence_contact_put(request->role, request->arrival->listener, sips, &contact);
    role_text_put(&lines, document_slice(&contact));
    role_answer_dialog(request, status,
                       subscription != NULL ? presence_text_of(presence, subscription, SUBSCRIPTION_LOCAL_TAG)
                                            : request->to_tag,
                       role_text_slice(&lines));
}

// RFC 5839 5.2: what the watcher has, by his own word. False: he says nothing, or what nobody here told him.
static bool read_condition(const struct role_request *request, uint64_t *tag, bool *any)
{
    struct slice value = sip_message_first(request->message, SIP_HEADER_SUPPRESS_IF_MATCH);
    uint32_t high = 0, low = 0;

    *any = slice_equal(value, SLICE("*"));
    bool known =
        value.len == TAG_DIGITS && role_hex_read(value.at, &high) && role_hex_read(value.at + 8, &low);
    *tag = (uint64_t)high << 32 | low;
    return *any || (known && *tag != 0);
}

// `dialog`: the subscription that the request is in, or NULL. Gateways assert who somebody is where a dialog begins, and
// mostly not again.
static enum presence_admission judge(struct role_request *request, const struct presence_package *package,
                                     struct slice presentity, const struct subscription *dialog)
{
    const struct presence *presence = request->role->presence;
    bool asserted = dialog != NULL && presence_text_of(presence, dialog, SUBSCRIPTION_WATCHER).len > 0 &&
                    !sip_message_has(request->message, SIP_HEADER_P_ASSERTED_IDENTITY) &&
                    role_trusts(request);
    char watcher[SIP_AOR_MAX];
    unsigned len = presence_aor_of_entity(
        request->role, asserted ? presence_watcher(presence, dialog) : presence_identity(request), watcher);

    return presence_admit(request->role, package, presentity, slice_of(watcher, len),
                          !asserted && presence_is_element(request));
}

// RFC 5263: differences are made from when somebody takes them.
static void note_partial(struct presence *presence, const struct presence_asking *asking,
                         struct subscription_presentity *presentity)
{
    if (asking->package->number != ROLE_PACKAGE_PRESENCE || presentity->seen != 0 ||
        !(asking->accept & PRESENCE_TYPE_BIT(PRESENCE_TYPE_PIDF_DIFF)))
        return;
    presentity->seen = 1;
    subscription_presentity_touch(presence->table, presentity);
}

void presence_pace(const struct conf *conf, const struct presence_asking *asking,
                   struct subscription *subscription, const struct clock *now)
{
    uint64_t left_ms = subscription->expires_ms > now->ms ? subscription->expires_ms - now->ms : 0;
    // RFC 6446 5.3: no less often than once in its life
    uint32_t asked = asking->min_ms < left_ms ? asking->min_ms : (uint32_t)left_ms;
    uint32_t min_ms = asked > conf->notify_ms ? asked : conf->notify_ms;
    // 8: the one that asks for less
    uint32_t quiet_ms = asking->quiet_ms > 0 && asking->quiet_ms < min_ms ? min_ms : asking->quiet_ms;

    if (asking->min_ms > 0)
        subscription->mark[PRESENCE_MARK_FLAGS] |= PRESENCE_PACED;
    else
        subscription->mark[PRESENCE_MARK_FLAGS] &= (uint8_t)~PRESENCE_PACED;
    subscription_pace(subscription, min_ms, quiet_ms, now->ms);
}

static void refuse_open(struct role_request *request, int error)
{
    if (error == -EDQUOT)
        presence_refuse_crowd(request, "Too Many Subscriptions From Here");
    else if (error == -EUSERS)
        presence_refuse_crowd(request, "Too Many Watchers");
    else
        presence_refuse_later(request, "No Room For Subscriptions");
}

// Behind one who is trusted there are many.
static struct endpoint counted_as(struct role_request *request)
{
    return role_trusts(request) ? (struct endpoint){.family = ENDPOINT_NONE} : request->arrival->source;
}

// A dialog that nobody has seen yet.
static void begin(struct role_request *request, const struct presence_asking *asking,
                  struct subscription_presentity *presentity, enum presence_admission admission,
                  uint64_t check, bool list)
{
    struct presence *presence = request->role->presence;
    const struct clock *now = &request->arrival->now;
    struct role_dialog_tag tag = {(uint32_t)(presentity->key.high >> 32), check};
    struct subscription_opening opening = {
        .text[SUBSCRIPTION_EVENT_ID] = asking->event_id,
        .source = counted_as(request),
        .check = check,
        .expires_ms = now->ms + asking->expires * UINT64_C(1000),
        .local_cseq = first_cseq(now->unix_s),
        .remote_cseq = request->cseq.number,
        .accept = asking->accept,
        .state = admission == PRESENCE_WAITING ? SUBSCRIPTION_PENDING : SUBSCRIPTION_ACTIVE,
    };
    struct subscription *subscription;
    char local_tag[ROLE_DIALOG_TAG_LEN];
    uint64_t has;
    uint8_t hop;
    bool any;

    if ((asking->expires > 0 && !presence_durable_ready(request)) ||
        !presence_dialog_read(request, &opening, &hop))
        return;
    role_dialog_tag_write(&tag, local_tag);
    opening.text[SUBSCRIPTION_LOCAL_TAG] = slice_of(local_tag, sizeof(local_tag));
    int error = subscription_open(presence->table, presentity, &opening, now->ms, &subscription);
    if (error != 0) {
        refuse_open(request, error);
        return;
    }
    subscription->mark[PRESENCE_MARK_FLAGS] =
        (uint8_t)((admission >= PRESENCE_BLINDED ? PRESENCE_SHOWN : 0) |
                  (presence_is_element(request) ? PRESENCE_TRUSTED : 0) | (list ? PRESENCE_LIST : 0));
    subscription->mark[PRESENCE_MARK_EVENT] = DOCUMENT_WATCHER_SUBSCRIBE;
    subscription->own[PRESENCE_OWN_BEGAN] = now->unix_s;
    subscription->mark[PRESENCE_MARK_HOP] = hop;
    subscription->blind = admission == PRESENCE_BLINDED;
    presence_pace(request->role->conf, asking, subscription, now);
    note_partial(presence, asking, presentity);
    if (read_condition(request, &has, &any))
        subscription_suppress(subscription, has, any);
    if (asking->expires > 0)
        presence->counters.subscribed++;
    else
        presence->counters.fetched++;
    presence_waiting_drop(request->role, subscription, now);
    presence_tell_winfo(presence, subscription);
    answer(request, subscription, 200);
    if (asking->expires > 0 &&
        presence_durable_subscription(request->role, request->verdict, subscription, &opening.source, now))
        subscription->mark[PRESENCE_MARK_FLAGS] |= PRESENCE_ASKS;
    else
        presence_ask_soon(request->role, subscription, now);
}

// RFC 4662 4.1: it cannot be told otherwise.
static void refuse_without_lists(struct role_request *request)
{
    struct role_text lines;

    request->role->presence->counters.refused++;
    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Require: eventlist\r\n"));
    role_answer_lines(request, 421, NULL, role_text_slice(&lines));
}

static void subscribe_anew(struct role_request *request, const struct presence_asking *asking)
{
    struct role *role = request->role;
    struct presence *presence = role->presence;
    char aor[SIP_AOR_MAX];
    uint64_t check = check_of(request);
    unsigned len = presence_aor_asked(request, aor);
    struct subscription *known = subscription_find(presence->table, check);

    if (known != NULL) {
        presence->counters.repeated++;
        answer(request, known, 200);
        presence_durable_wait(request, STORE_SUBSCRIPTIONS);
        return;
    }
    if (len == 0) {
        presence_refuse(request, &presence->counters.refused, 404, NULL);
        return;
    }
    enum presence_admission admission = judge(request, asking->package, slice_of(aor, len), NULL);
    if (admission == PRESENCE_REFUSED) {
        presence_refuse(request, &presence->counters.forbidden, 403, "Not Allowed To Watch");
        return;
    }
    bool list = presence_list_of(role, asking->package, slice_of(aor, len)) != NULL;
    if (list && !presence_header_has(request->message, SIP_HEADER_SUPPORTED, SLICE("eventlist"))) {
        refuse_without_lists(request);
        return;
    }
    struct hash128 aor_key = location_key(role->location, slice_of(aor, len));
    struct hash128 key = list ? presence_list_key(aor_key, asking->package->number, check)
                              : role_presentity_key(aor_key, asking->package->number);
    struct subscription_presentity *presentity = subscription_presentity_open(
        presence->table, key, slice_of(aor, len), asking->package->number, request->arrival->now.unix_s);
    if (presentity == NULL)
        presence_refuse_later(request, "No Room For Presentities");
    else
        begin(request, asking, presentity, admission, check, list);
}

// RFC 6665 4.2.1.4: "assuming that the subscriber is still authorized".
static void prolong(struct role_request *request, const struct presence_asking *asking,
                    struct subscription *subscription, enum presence_admission admission)
{
    struct presence *presence = request->role->presence;
    const struct clock *now = &request->arrival->now;
    struct subscription_presentity *presentity =
        subscription_presentity_at(presence->table, subscription->presentity);
    uint8_t told = subscription->told;
    uint64_t has;
    bool any, conditional = read_condition(request, &has, &any);

    if (presence_is_element(request) &&
        presence_text_of(presence, subscription, SUBSCRIPTION_WATCHER).len == 0)
        subscription->mark[PRESENCE_MARK_FLAGS] |= PRESENCE_TRUSTED;
    subscription->remote_cseq = request->cseq.number;
    if (subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_LIST)
        presence_list_begin(subscription);
    subscription->accept = asking->accept;
    note_partial(presence, asking, presentity);
    subscription_refresh(presence->table, subscription, now->ms + asking->expires * UINT64_C(1000), now->ms);
    presence_pace(request->role->conf, asking, subscription, now);
    if (asking->expires > 0)
        presence->counters.refreshed++;
    else
        presence->counters.ended++;
    unsigned actions = presence_admission_set(presence, subscription, admission, now);
    presence_tell_winfo(presence, subscription);
    // RFC 5839 6.3: nothing is new, not even the state that it would say
    bool quiet = conditional && actions == 0 && told == SUBSCRIPTION_ACTIVE &&
                 (any || has == presence_content_tag(request->role, presentity, subscription));
    uint8_t *flags = &subscription->mark[PRESENCE_MARK_FLAGS];
    *flags = (uint8_t)(quiet ? *flags | PRESENCE_QUIETED : *flags & ~PRESENCE_QUIETED);
    if (conditional)
        subscription_suppress(subscription, has, any);
    answer(request, subscription, quiet ? 204 : 200);
    if (asking->expires == 0)
        presence_repeat_note(request, presence_repeat_key(subscription->check, request->cseq.number),
                             quiet ? 204 : 200);
    struct endpoint source = counted_as(request);
    bool waits = asking->expires > 0 ? presence_durable_subscription(request->role, request->verdict,
                                                                     subscription, &source, now)
                                     : presence_durable_forget(request->role, request->verdict, subscription);
    if (quiet && asking->expires == 0) { // RFC 5839 5.7
        presence_end(request->role, subscription);
    } else if (!quiet && waits) {
        *flags |= PRESENCE_ASKS;
        // its time is up, and the NOTIFY that says so comes behind the answer
        subscription->held |= asking->expires == 0;
    } else if (!quiet) {
        presence_ask_soon(request->role, subscription, now);
    }
}

// It may have ended it, and come again.
static void repeat_end(struct role_request *request)
{
    struct presence *presence = request->role->presence;
    struct role_dialog_tag tag;
    uint16_t status = 0;

    if (role_dialog_tag_read(request->to_tag, &tag))
        status = presence_repeat_find(request, presence_repeat_key(tag.check, request->cseq.number));
    if (status == 0) {
        presence_refuse(request, &presence->counters.unmatched, 481, NULL);
        return;
    }
    presence->counters.repeated++;
    answer(request, NULL, status);
    presence_durable_wait(request, STORE_SUBSCRIPTIONS);
}

static void subscribe_again(struct role_request *request, const struct presence_asking *asking)
{
    struct presence *presence = request->role->presence;
    struct subscription *subscription = presence_dialog_find(request);
    const struct subscription_presentity *presentity;

    if (subscription == NULL || subscription->state == SUBSCRIPTION_TERMINATED) {
        repeat_end(request);
        return;
    }
    presentity = subscription_presentity_at(presence->table, subscription->presentity);
    if (presentity->package != asking->package->number ||
        !slice_equal(asking->event_id, presence_text_of(presence, subscription, SUBSCRIPTION_EVENT_ID))) {
        // RFC 6665 4.5.2: another usage of the dialog
        presence_refuse(request, &presence->counters.refused, 403, "Dialog Sharing Is Not Supported");
        return;
    }
    if (request->cseq.number < subscription->remote_cseq) { // RFC 3261 12.2.2
        presence_refuse(request, &presence->counters.refused, 500, "CSeq Lower Than The Dialog's");
        return;
    }
    if (request->cseq.number == subscription->remote_cseq) {
        presence->counters.repeated++;
        answer(request, subscription, subscription->mark[PRESENCE_MARK_FLAGS] & PRESENCE_QUIETED ? 204 : 200);
        presence_durable_wait(request, STORE_SUBSCRIPTIONS);
        return;
    }
    enum presence_admission admission = judge(
        request, asking->package, subscription_presentity_owner(presence->table, presentity), subscription);
    if (admission == PRESENCE_REFUSED) {
        presence_refuse(request, &presence->counters.forbidden, 403, "Not Allowed To Watch");
        presence_act(request->role, subscription,
                     presence_admission_set(presence, subscription, admission, &request->arrival->now),
                     &request->arrival->now);
        return;
    }
    if (!presence_durable_ready(request) || !presence_dialog_move(request, subscription))
        return;
    prolong(request, asking, subscription, admission);
}

void presence_subscribe(struct role_request *request)
{
    struct presence_asking asking;

    if (!presence_read_event(request, &asking) || !presence_read_expires(request, &asking) ||
        !presence_read_accept(request, &asking))
        return;
    if (request->to_tag.at == NULL)
        subscribe_anew(request, &asking);
    else
        subscribe_again(request, &asking);
}
