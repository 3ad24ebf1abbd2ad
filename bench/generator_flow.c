#include "generator_flow.h"
#include "base/random.h"

#define NS_PER_MS      1000000ull
#define GIVE_UP_FACTOR 64 // Timers B and F, RFC 3261 17.1.1.2, 17.1.2.2

static uint32_t random_user(struct flow *f)
{
    return (uint32_t)((random_next(&f->random) >> 32) * f->users >> 32);
}

static struct identity identity_of(const struct flow *f, const struct exchange *x)
{
    return (struct identity){
        .run = f->run,
        .slot = (uint32_t)(x - f->exchanges),
        .serial = x->serial,
        .user = x->user,
        .cseq = x->cseq,
        .watcher = x->watcher,
        .match = f->published == NULL ? slice_of("", 0)
                                      : slice_of(f->published[x->user].match, f->published[x->user].len),
        .to_tag = slice_of(x->to_tag, x->to_tag_len),
        .target = slice_of(x->target, x->target_len),
        .route = slice_of(x->route, x->route_len),
    };
}

static void send_message(struct flow *f, const struct exchange *x, enum message_kind kind)
{
    struct identity who = identity_of(f, x);

    if (kind == MESSAGE_INVITE)
        who.to_tag.len = 0;
    batch_socket_queue(f->client, message_write(f->templates, kind, &who, batch_socket_buffer(f->client)));
}

static void send_request(struct flow *f, struct exchange *x, enum message_kind kind, uint64_t now)
{
    x->waiting = (uint8_t)kind;
    x->interval = f->t1;
    x->resend_at = now + f->t1 * NS_PER_MS;
    x->give_up = now + (uint64_t)f->t1 * GIVE_UP_FACTOR * NS_PER_MS;
    send_message(f, x, kind);
}

static bool publishes(const struct flow *f)
{
    return f->mode == FLOW_PUBLISH || f->mode == FLOW_NOTIFY;
}

static enum message_kind kind_of(const struct flow *f)
{
    if (publishes(f))
        return f->filling && f->filled > f->users ? MESSAGE_SUBSCRIBE : MESSAGE_PUBLISH;
    if (f->filling || f->mode == FLOW_REGISTER || f->mode == FLOW_ECHO)
        return MESSAGE_REGISTER;
    return f->mode == FLOW_OPTIONS ? MESSAGE_OPTIONS : MESSAGE_INVITE;
}

// All users first, then who watches them, in turns.
static bool choose_next(struct flow *f, struct exchange *x)
{
    uint32_t next = f->filled;

    if (next == flow_fill_size(f))
        return false;
    f->filled++;
    x->user = next % f->users;
    x->watcher = next < f->users ? 0 : next / f->users - 1;
    return true;
}

// The user of the next exchange; false when there is nothing left to do in this phase.
static bool choose_user(struct flow *f, struct exchange *x)
{
    if (f->filling)
        return choose_next(f, x);
    x->user = random_user(f);
    if (f->mode == FLOW_REGISTER || publishes(f)) {
        // Two REGISTERs of one user in flight could overtake each other and be refused (RFC 3261 10.2.4), and a PUBLISH
        // must know the tag that the one before was given (RFC 3903 4.1).
        while (f->registering[x->user])
            x->user = x->user + 1 < f->users ? x->user + 1 : 0;
    }
    return true;
}

static void start_exchange(struct flow *f, struct exchange *x, uint64_t now)
{
    if (f->stopping || !choose_user(f, x))
        return;
    enum message_kind kind = kind_of(f);
    f->registering[x->user] = kind == MESSAGE_REGISTER || kind == MESSAGE_PUBLISH;
    x->serial++;
    x->cseq = MESSAGE_CSEQ_FIRST + f->cseq++ % (9 * MESSAGE_CSEQ_FIRST);
    x->to_tag_len = x->target_len = x->route_len = 0;
    x->told = 0;
    x->answered = false;
    x->began = now;
    x->answer_at = 0;
    f->busy++;
    send_request(f, x, kind, now);
}

static void end_exchange(struct flow *f, struct exchange *x, uint64_t now)
{
    x->resend_at = 0;
    f->registering[x->user] = 0;
    f->busy--;
    start_exchange(f, x, now);
}

static void complete(struct flow *f, struct exchange *x, uint64_t now)
{
    f->tally.completed++;
    end_exchange(f, x, now);
}

void flow_start(struct flow *f, uint64_t now)
{
    for (uint32_t i = 0; i < f->window; i++)
        if (f->exchanges[i].resend_at == 0)
            start_exchange(f, &f->exchanges[i], now);
}

static void fail(struct flow *f, struct exchange *x, unsigned status, uint64_t now)
{
    f->tally.unexpected[status]++;
    if (publishes(f))
        f->published[x->user].len = 0; // whatever the server has of it, the next PUBLISH is an initial one
    if (f->filling)
        f->fill_failures++;
    end_exchange(f, x, now);
}

static uint8_t keep(char *to, size_t room, struct slice text)
{
    if (text.len > room)
        return 0;
    memcpy(to, text.at, text.len);
    return (uint8_t)text.len;
}

// What the rest of the call needs of the answer. Without a route set the rest goes by the address of record: all of
// the call is to go through the server.
static void keep_dialog(struct exchange *x, struct slice text)
{
    x->to_tag_len = keep(x->to_tag, sizeof(x->to_tag), message_to_tag(text));
    x->route_len = (uint8_t)message_route(text, x->route, sizeof(x->route));
    if (x->route_len > 0)
        x->target_len = keep(x->target, sizeof(x->target), message_contact(text));
}

static void invite_answered(struct flow *f, struct exchange *x, struct slice text, unsigned status,
                            uint64_t now)
{
    keep_dialog(x, text);
    histogram_add(&f->tally.latency, now - x->began);
    if (status < 300) {
        batch_socket_together(f->client, 2); // no BYE before its ACK
        send_message(f, x, MESSAGE_ACK);
        if (f->mode != FLOW_CALL) {
            fail(f, x, status, now);
            return;
        }
        x->cseq++;
        send_request(f, x, MESSAGE_BYE, now);
        return;
    }
    send_message(f, x, MESSAGE_ACK_FINAL);
    if (f->mode == FLOW_REDIRECT && (status == 302 || status == 300))
        complete(f, x, now);
    else
        fail(f, x, status, now);
}

// With watchers an exchange is over when the last of them has been told.
static void published(struct flow *f, struct exchange *x, struct slice text, uint64_t now)
{
    flow_keep_publication(f, x, text);
    if (f->filling || f->watchers == 0) {
        histogram_add(&f->tally.latency, now - x->began);
        complete(f, x, now);
        return;
    }
    x->answered = true;
    x->resend_at = x->give_up;
    if (x->told == f->watchers)
        end_exchange(f, x, now);
}

static void final_answer(struct flow *f, struct exchange *x, struct slice text, unsigned status, uint64_t now)
{
    if (x->waiting == MESSAGE_INVITE) {
        invite_answered(f, x, text, status, now);
        return;
    }
    if (x->waiting == MESSAGE_PUBLISH && status < 300) {
        published(f, x, text, now);
        return;
    }
    if (x->waiting != MESSAGE_BYE)
        histogram_add(&f->tally.latency, now - x->began);
    if (status >= 200 && status < 300)
        complete(f, x, now);
    else
        fail(f, x, status, now);
}

// A final answer to an INVITE that was answered before: its ACK was lost (RFC 3261 13.2.2.4).
static void acknowledge_again(struct flow *f, struct exchange *x, unsigned status)
{
    struct exchange repeated = *x;

    f->tally.stale++;
    if (x->waiting != MESSAGE_BYE || status < 200 || status >= 300)
        return;
    repeated.cseq--; // the BYE's is one more than the INVITE's
    send_message(f, &repeated, MESSAGE_ACK);
}

void flow_client_message(struct flow *f, struct slice text, uint64_t now)
{
    struct identity who;
    enum message_kind kind;
    unsigned status = message_status(text);

    if (f->watchers > 0 && slice_starts(text, SLICE("NOTIFY "))) {
        struct exchange *told = flow_take_notify(f, text, now);
        if (told != NULL)
            end_exchange(f, told, now);
        return;
    }
    if (!message_read_branch(text, f->run, &who, &kind) || (status == 0) != (f->mode == FLOW_ECHO)) {
        f->tally.unreadable++;
        return;
    }
    struct exchange *x = who.slot < f->window ? &f->exchanges[who.slot] : NULL;
    if (x == NULL || x->serial != who.serial || x->resend_at == 0) {
        f->tally.stale++;
        return;
    }
    if (kind != x->waiting || x->answered) {
        if (kind == MESSAGE_INVITE)
            acknowledge_again(f, x, status);
        else
            f->tally.stale++;
        return;
    }
    if (f->mode == FLOW_ECHO)
        final_answer(f, x, text, 200, now);
    else if (status >= 200)
        final_answer(f, x, text, status, now);
    else if (kind == MESSAGE_INVITE)
        x->resend_at = x->give_up; // Proceeding: no more sending (RFC 3261 17.1.1.2)
}

static struct exchange *called_exchange(struct flow *f, struct slice text)
{
    struct identity who;

    if (!message_read_call_id(text, f->run, &who)) {
        f->tally.unreadable++;
        return NULL;
    }
    if (who.slot >= f->window || f->exchanges[who.slot].serial != who.serial) {
        f->tally.stale++;
        return NULL;
    }
    return &f->exchanges[who.slot];
}

static void answer(struct flow *f, struct slice request, const char *status_line)
{
    char *buffer = batch_socket_buffer(f->called);

    batch_socket_queue(f->called, message_answer(request, status_line, NULL, NULL, buffer));
}

static void send_again(struct flow *f, const struct exchange *x)
{
    char *buffer = batch_socket_buffer(f->called);

    memcpy(buffer, f->answers[x - f->exchanges], x->answer_len);
    batch_socket_queue(f->called, x->answer_len);
}

static void called_invite(struct flow *f, struct exchange *x, struct slice request, uint64_t now)
{
    if (x->waiting != MESSAGE_INVITE) {
        f->tally.stale++;
        return;
    }
    batch_socket_together(f->called, 2);
    answer(f, request, "180 Ringing");
    if (x->answer_at == 0) {
        x->answer_len = (uint16_t)message_answer(request, "200 OK", f->contact, f->templates->sdp,
                                                 f->answers[x - f->exchanges]);
        x->answer_interval = f->t1;
        x->answer_at = now + f->t1 * NS_PER_MS;
        x->answer_give_up = now + (uint64_t)f->t1 * GIVE_UP_FACTOR * NS_PER_MS;
    }
    send_again(f, x);
}

void flow_called_message(struct flow *f, struct slice text, uint64_t now)
{
    struct exchange *x = called_exchange(f, text);

    if (slice_starts(text, SLICE("BYE "))) {
        answer(f, text, "200 OK"); // of an exchange that is over too: its 200 may have been lost
        return;
    }
    if (x == NULL)
        return;
    if (slice_starts(text, SLICE("INVITE ")))
        called_invite(f, x, text, now);
    else if (slice_starts(text, SLICE("ACK ")))
        x->answer_at = 0;
    else
        f->tally.unreadable++;
}

// Doubling, up to T2 for all but INVITE (RFC 3261 17.1.1.2, 17.1.2.2, 13.3.1.4).
static uint32_t longer(const struct flow *f, uint32_t interval, bool bounded)
{
    return bounded && interval * 2 > f->t2 ? f->t2 : interval * 2;
}

static void client_timer(struct flow *f, struct exchange *x, uint64_t now)
{
    if (now >= x->give_up) {
        f->tally.timeouts++;
        if (f->filling)
            f->fill_failures++;
        end_exchange(f, x, now);
        return;
    }
    f->tally.retransmissions++;
    x->interval = longer(f, x->interval, x->waiting != MESSAGE_INVITE);
    x->resend_at = now + x->interval * NS_PER_MS;
    send_message(f, x, x->waiting);
}

void flow_timers(struct flow *f, uint64_t now)
{
    for (uint32_t i = 0; i < f->window; i++) {
        struct exchange *x = &f->exchanges[i];
        if (x->resend_at != 0 && now >= x->resend_at)
            client_timer(f, x, now);
        if (x->answer_at == 0 || now < x->answer_at)
            continue;
        if (now >= x->answer_give_up) {
            x->answer_at = 0;
            continue;
        }
        f->tally.retransmissions++;
        x->answer_interval = longer(f, x->answer_interval, true);
        x->answer_at = now + x->answer_interval * NS_PER_MS;
        send_again(f, x);
    }
}
