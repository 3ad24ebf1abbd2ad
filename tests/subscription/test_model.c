// Any events in any order against a plain model of each watcher: nothing is sent that the model does not expect, what
// it expects is sent in time, and in the end nothing is left.
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

enum {
    EVENTS = 1000000,
    WATCHERS = 60,
    PUBLICATIONS = 120,
    PRESENTITIES = 12,
    DOCUMENTS = 5,
    LONG = 3000,
    LARGEST = 60000
};

struct watcher {
    struct subscription *s; // NULL: not there
    unsigned presentity;
    bool held, wanted, any, over;
    uint8_t state, told, telling;
    uint64_t has, sending, expires_ms, next_ms;
    uint32_t cseq;
    bool under_way;
    uint64_t since_ms; // when there first was something to tell; 0: nothing
    uint32_t seed;     // of its target
};

struct publication {
    struct subscription_publication *p;
    unsigned presentity;
    uint64_t tag, expires_ms;
    uint32_t seed;
};

struct world {
    struct fixture f;
    uint64_t random, tags;
    struct watcher watchers[WATCHERS];
    struct publication publications[PUBLICATIONS];
    uint64_t wanted_tag[PRESENTITIES]; // of the document that is to be composed
    uint64_t tag[PRESENTITIES];        // of the current one; 0: none
    uint64_t sent, resent, removed, refused, outlived, suppressed, full;
    unsigned large_one_in; // texts and bodies
    char text[LARGEST];
};

static uint64_t below(struct world *w, uint64_t n)
{
    return random_next(&w->random) % n;
}

static bool one_in(struct world *w, uint64_t n)
{
    return below(w, n) == 0;
}

// Bytes that follow from their seed, mostly few.
static struct slice text_up_to(struct world *w, uint64_t seed, uint32_t most)
{
    uint64_t state = seed;
    uint32_t len = 1 + (uint32_t)(random_next(&state) % (seed % w->large_one_in == 0 ? most : 200));

    for (uint32_t i = 0; i < len; i++)
        w->text[i] = (char)(seed + 7 * i);
    return slice_of(w->text, len);
}

static struct slice text_of(struct world *w, uint64_t seed)
{
    return text_up_to(w, seed, LONG);
}

static struct slice body_of(struct world *w, uint64_t seed)
{
    return text_up_to(w, seed, LARGEST);
}

static void assert_body(struct world *w, uint32_t reference, uint64_t seed)
{
    const struct subscription_body *body = subscription_body(w->f.table, reference);
    struct slice expected = body_of(w, seed);

    assert_int_equal(body->len, expected.len);
    assert_memory_equal(body->bytes, expected.at, expected.len);
}

static bool follows(const struct watcher *watcher)
{
    return watcher->state == SUBSCRIPTION_ACTIVE && !watcher->s->blind;
}

static bool has_news(const struct world *w, const struct watcher *watcher)
{
    uint64_t tag = w->tag[watcher->presentity];

    if (watcher->s == NULL || watcher->held || watcher->under_way || watcher->over)
        return false;
    if (watcher->wanted || watcher->told != watcher->state)
        return true;
    return follows(watcher) && !watcher->any && tag != 0 && tag != watcher->has;
}

static struct watcher *watcher_of(struct world *w, const struct subscription *s)
{
    struct watcher *watcher = &w->watchers[s->check - 1];

    assert_ptr_equal(watcher->s, s);
    return watcher;
}

static void forget(struct world *w, struct watcher *watcher)
{
    subscription_close(w->f.table, watcher->s);
    *watcher = (struct watcher){0};
}

static void send_one(struct world *w, struct watcher *watcher)
{
    struct subscription *s = watcher->s;
    const struct subscription_presentity *presentity = subscription_presentity_of(w->f.table, s);

    assert_true(has_news(w, watcher));
    assert_true(watcher->wanted || w->f.now_ms >= watcher->next_ms);
    assert_int_equal(presentity->tag, w->tag[watcher->presentity]);
    w->sent++;
    if (one_in(w, 20))
        return; // it could not be done, and is said again
    subscription_notify_begin(w->f.table, s, one_in(w, 10) ? 0 : presentity->forms[0], w->f.now_ms);
    watcher->since_ms = 0;
    watcher->under_way = true;
    watcher->wanted = false;
    watcher->telling = watcher->state;
    watcher->sending = follows(watcher) ? presentity->tag : 0;
    watcher->next_ms = w->f.now_ms + s->min_ms;
    assert_int_equal(s->local_cseq, ++watcher->cseq);
}

// Whatever it waited for before, it waits for something else from now on.
static void want(struct watcher *watcher)
{
    watcher->wanted = true;
    watcher->since_ms = 0;
}

static void end_by_time(struct watcher *watcher, uint64_t now_ms)
{
    uint64_t grace_ms = watcher->held ? 64 * T1 : 0;

    assert_true(watcher->expires_ms + grace_ms <= now_ms);
    if (watcher->held && watcher->told == 0)
        watcher->over = true;
    watcher->held = false;
    watcher->state = SUBSCRIPTION_TERMINATED;
    want(watcher);
}

static void act(struct world *w, struct watcher *watcher, unsigned actions)
{
    if ((actions & SUBSCRIPTION_FAILED) != 0) {
        watcher->under_way = false;
        watcher->over = true;
    }
    if ((actions & SUBSCRIPTION_EXPIRED) != 0)
        end_by_time(watcher, w->f.now_ms);
    if ((actions & SUBSCRIPTION_RESEND) != 0) {
        w->resent++;
        assert_true(watcher->under_way);
        assert_int_equal(watcher->s->local_cseq, watcher->cseq);
        if (watcher->s->body != 0)
            assert_body(w, watcher->s->body, subscription_body(w->f.table, watcher->s->body)->tag);
    }
    if ((actions & SUBSCRIPTION_REMOVE) != 0) {
        assert_true(watcher->over);
        w->removed++;
        if (!one_in(w, 10))
            forget(w, watcher);
    } else if ((actions & SUBSCRIPTION_SEND) != 0) {
        send_one(w, watcher);
    }
}

static unsigned index_of(const struct subscription_presentity *presentity)
{
    for (unsigned i = 0; i < PRESENTITIES; i++)
        if (hash128_equal(presentity->key, fixture_key(i)))
            return i;
    fail();
    return 0;
}

static void compose(struct world *w, struct subscription_presentity *presentity)
{
    unsigned i = index_of(presentity);
    int error = subscription_document_put(w->f.table, presentity, w->wanted_tag[i], 0,
                                          body_of(w, w->wanted_tag[i]), w->f.now_ms);

    for (unsigned k = 0; k < WATCHERS && w->tag[i] != presentity->tag; k++)
        if (w->watchers[k].presentity == i)
            w->watchers[k].since_ms = 0;
    if (error == 0)
        w->tag[i] = w->wanted_tag[i];
    else
        w->full++;
    assert_int_equal(presentity->tag, w->tag[i]);
}

static void outlive(struct world *w, struct subscription_publication *p)
{
    for (unsigned i = 0; i < PUBLICATIONS; i++) {
        if (w->publications[i].p != p)
            continue;
        assert_true(w->publications[i].expires_ms <= w->f.now_ms);
        assert_body(w, p->body, w->publications[i].seed);
        subscription_publication_close(w->f.table, p);
        w->publications[i] = (struct publication){0};
        w->outlived++;
        return;
    }
    fail();
}

// Presentities vanish in turns alone, and with them their documents.
static void look_for_presentities(struct world *w)
{
    for (unsigned i = 0; i < PRESENTITIES; i++)
        if (subscription_presentity_find(w->f.table, fixture_key(i)) == NULL)
            w->tag[i] = 0;
}

static void turn(struct world *w)
{
    struct subscription_due due;

    rte_rcu_qsbr_quiescent(w->f.qsbr, 0);
    subscription_turn(w->f.table, 1000);
    while (subscription_due(w->f.table, w->f.now_ms, &due)) {
        if (due.kind == SUBSCRIPTION_DUE_COMPOSE)
            compose(w, due.presentity);
        else if (due.kind == SUBSCRIPTION_DUE_PUBLICATION)
            outlive(w, due.publication);
        else
            act(w, watcher_of(w, due.subscription), due.actions);
    }
    look_for_presentities(w);
}

// Events.

static void change(struct world *w)
{
    unsigned i = (unsigned)below(w, PRESENTITIES);

    // Few documents, so that one may come back.
    w->wanted_tag[i] = 1 + i * DOCUMENTS + below(w, DOCUMENTS);
    assert_int_equal(subscription_touch(w->f.table, fixture_key(i)),
                     subscription_presentity_find(w->f.table, fixture_key(i)) != NULL);
}

static void publish(struct world *w)
{
    struct publication *model = &w->publications[below(w, PUBLICATIONS)];
    uint32_t seed = (uint32_t)below(w, 1000);
    struct slice body = body_of(w, seed);
    uint64_t expires_ms = w->f.now_ms + below(w, 100000), tag = ++w->tags;

    if (model->p == NULL) {
        model->presentity = (unsigned)below(w, PRESENTITIES);
        struct subscription_presentity *presentity = fixture_presentity(&w->f, model->presentity);

        if (presentity != NULL)
            model->p = subscription_publish(w->f.table, presentity, tag, 0, body, expires_ms);
        if (model->p == NULL)
            w->refused++;
    } else if (one_in(w, 3)) {
        subscription_publication_close(w->f.table, model->p);
        *model = (struct publication){0};
        return;
    } else {
        bool refresh = one_in(w, 2);

        if (subscription_publication_change(w->f.table, model->p, tag, 0, refresh ? NULL : &body,
                                            expires_ms) != 0) {
            w->full++;
            return;
        }
        seed = refresh ? model->seed : seed;
    }
    model->tag = tag;
    model->seed = seed;
    model->expires_ms = expires_ms;
    if (model->p != NULL)
        assert_ptr_equal(
            subscription_publication_find(w->f.table, fixture_presentity(&w->f, model->presentity), tag),
            model->p);
}

static void subscribe(struct world *w, struct watcher *watcher, uint64_t check)
{
    struct subscription_opening opening = fixture_opening(check);
    unsigned i = (unsigned)below(w, PRESENTITIES);
    uint32_t seed = (uint32_t)below(w, 1000);
    struct subscription_presentity *presentity = fixture_presentity(&w->f, i);

    opening.text[SUBSCRIPTION_TARGET] = text_of(w, seed);
    opening.expires_ms = w->f.now_ms + (one_in(w, 8) ? 0 : below(w, 100000));
    opening.state = one_in(w, 4) ? SUBSCRIPTION_PENDING : SUBSCRIPTION_ACTIVE;
    opening.min_ms = one_in(w, 2) ? 0 : (uint32_t)below(w, 5000);
    opening.restored = one_in(w, 10);
    if (one_in(w, 4))
        opening.to.transport = ENDPOINT_TLS;
    struct subscription *s;

    if (presentity == NULL || subscription_open(w->f.table, presentity, &opening, w->f.now_ms, &s) != 0) {
        w->refused++;
        return;
    }
    s->blind = one_in(w, 10);
    *watcher = (struct watcher){
        .s = s,
        .presentity = i,
        .held = !opening.restored,
        .state = opening.state,
        .told = opening.restored ? opening.state : 0,
        .expires_ms = opening.expires_ms,
        .cseq = opening.local_cseq,
        .seed = seed,
    };
}

static void ask(struct world *w, struct watcher *watcher)
{
    watcher->held = false;
    want(watcher);
    if (watcher->expires_ms <= w->f.now_ms)
        watcher->state = SUBSCRIPTION_TERMINATED;
    act(w, watcher, subscription_ask(w->f.table, watcher->s, w->f.now_ms));
}

static void refresh(struct world *w, struct watcher *watcher)
{
    uint64_t expires_ms = w->f.now_ms + (one_in(w, 10) ? 0 : below(w, 100000));

    if (watcher->state == SUBSCRIPTION_TERMINATED)
        return;
    subscription_refresh(w->f.table, watcher->s, expires_ms, w->f.now_ms);
    watcher->expires_ms = expires_ms;
    watcher->any = false;
    if (!one_in(w, 4) || watcher->held) {
        ask(w, watcher);
        return;
    }
    watcher->any = one_in(w, 2);
    watcher->has = one_in(w, 4) ? below(w, 9) : w->tag[watcher->presentity]; // whatever he says
    subscription_suppress(watcher->s, watcher->has, watcher->any);
    w->suppressed++;
}

static void state_set(struct world *w, struct watcher *watcher)
{
    uint8_t state = (uint8_t)(1 + below(w, one_in(w, 5) ? 3 : 2));

    if (watcher->state != state && watcher->state != SUBSCRIPTION_TERMINATED) {
        watcher->state = state;
        want(watcher);
    }
    act(w, watcher, subscription_state_set(w->f.table, watcher->s, state, SUBSCRIPTION_GIVEUP, w->f.now_ms));
}

static void answer(struct world *w, struct watcher *watcher)
{
    static const uint16_t statuses[] = {100, 200, 200, 200, 200, 200, 481, 500, 503, 603};
    uint16_t status = statuses[below(w, sizeof(statuses) / sizeof(statuses[0]))];
    uint32_t cseq = watcher->cseq - one_in(w, 10), retry_after_s = one_in(w, 2) ? 0 : (uint32_t)below(w, 90);

    if (watcher->under_way && cseq == watcher->cseq && status >= 200) {
        uint64_t after_ms = retry_after_s > 0 ? retry_after_s * 1000 : 64 * T1;

        watcher->under_way = false;
        if (status == 200) {
            watcher->told = watcher->telling;
            if (watcher->telling != SUBSCRIPTION_PENDING)
                watcher->has = watcher->sending;
            watcher->over = watcher->telling == SUBSCRIPTION_TERMINATED;
        } else {
            watcher->next_ms = w->f.now_ms + (after_ms > watcher->s->min_ms ? after_ms : watcher->s->min_ms);
        }
    }
    act(w, watcher,
        subscription_notify_answer(w->f.table, watcher->s, cseq, status, retry_after_s, w->f.now_ms));
}

static void event_of_watcher(struct world *w)
{
    uint64_t check = 1 + below(w, WATCHERS);
    struct watcher *watcher = &w->watchers[check - 1];

    assert_ptr_equal(subscription_find(w->f.table, check), watcher->s);
    if (watcher->s == NULL) {
        subscribe(w, watcher, check);
        return;
    }
    uint32_t seed = (uint32_t)below(w, 1000);
    struct slice target = subscription_text(w->f.table, watcher->s, SUBSCRIPTION_TARGET);
    struct slice expected = text_of(w, watcher->seed);

    assert_true(slice_equal(target, expected));
    switch (below(w, 13)) {
    case 0:
        if (subscription_text_put(w->f.table, watcher->s, SUBSCRIPTION_TARGET, text_of(w, seed)) == 0)
            watcher->seed = seed;
        break;
    case 1:
        state_set(w, watcher);
        break;
    case 2:
        if (one_in(w, 4))
            forget(w, watcher);
        break;
    case 3:
    case 4:
    case 5:
        if (watcher->held)
            ask(w, watcher);
        else
            refresh(w, watcher);
        break;
    case 6:
        if (watcher->under_way && one_in(w, 4)) {
            subscription_notify_abandon(w->f.table, watcher->s, w->f.now_ms);
            watcher->under_way = false;
            watcher->next_ms = 0;
        }
        break;
    default:
        answer(w, watcher);
    }
}

// After a turn nobody waits for what he could have been told, but for what was said and not done.
static void check(struct world *w)
{
    struct subscription_usage usage = fixture_usage(&w->f);
    unsigned watchers = 0, publications = 0, pending = 0;

    for (unsigned i = 0; i < WATCHERS; i++) {
        struct watcher *watcher = &w->watchers[i];

        watchers += watcher->s != NULL;
        pending += watcher->s != NULL && watcher->state == SUBSCRIPTION_PENDING;
        if (watcher->s != NULL)
            assert_int_equal(watcher->s->state, watcher->state);
        if (!has_news(w, watcher)) {
            watcher->since_ms = 0;
            continue;
        }
        uint64_t now_ms = w->f.now_ms;
        uint64_t from_ms = watcher->since_ms != 0 ? watcher->since_ms : now_ms;

        watcher->since_ms = from_ms;
        if (!watcher->wanted && watcher->next_ms > from_ms)
            from_ms = watcher->next_ms;
        // One in twenty is not done when it is said, and is said again after T1.
        assert_true(now_ms <= from_ms + 6 * (T1 + SUBSCRIPTION_TICK_MS));
    }
    for (unsigned i = 0; i < PUBLICATIONS; i++) {
        const struct publication *p = &w->publications[i];

        publications += p->p != NULL;
        if (p->p != NULL)
            assert_true(p->expires_ms + SUBSCRIPTION_TICK_MS > w->f.now_ms);
    }
    assert_int_equal(usage.subscriptions, watchers);
    assert_int_equal(usage.pending, pending);
    assert_int_equal(usage.publications, publications);
}

static void pass_time(struct world *w)
{
    uint64_t ms = one_in(w, 100) ? below(w, 400) : below(w, 20);

    for (uint64_t end = w->f.now_ms + ms; w->f.now_ms < end;) {
        w->f.now_ms += 1 + below(w, SUBSCRIPTION_TICK_MS);
        turn(w);
    }
    turn(w);
    check(w);
}

static void run(struct world *w, unsigned events, uint64_t now_ms, uint64_t bytes, unsigned large_one_in)
{
    struct subscription_limits limits = {
        .presentities = PRESENTITIES,
        .publications = PUBLICATIONS,
        .subscriptions = WATCHERS - 5,
        .bytes = bytes,
        .watchers = 12,
        .per_source = 3,
        .node = MEMORY_ANY_NODE,
    };

    memset(w, 0, sizeof(*w));
    w->random = large_one_in;
    w->large_one_in = large_one_in;
    for (unsigned i = 0; i < PRESENTITIES; i++)
        w->wanted_tag[i] = 1 + i * DOCUMENTS;
    fixture_open_with(&w->f, &limits, now_ms);
    for (unsigned i = 0; i < events; i++) {
        uint64_t kind = below(w, 20);

        if (kind < 2)
            change(w);
        else if (kind < 4)
            publish(w);
        else if (kind < 16)
            event_of_watcher(w);
        else
            pass_time(w);
        look_for_presentities(w);
    }
    assert_true(w->sent > events / 25);
    assert_true(w->resent > events / 500);
    assert_true(w->removed > events / 500);
    assert_true(w->outlived > 100 && w->suppressed > 100 && w->refused > 100);
    fixture_close(&w->f);
}

static void test_table_agrees_with_model(void **state)
{
    (void)state;
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    run(w, EVENTS - EVENTS / 8, FIXTURE_EARLY, 0, 64);
    assert_int_equal(w->full, 0);
    run(w, EVENTS / 8, FIXTURE_WRAP - 250000, 1, 2); // hardly any memory, and deadlines that wrap
    assert_true(w->full > 100);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table_agrees_with_model)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
