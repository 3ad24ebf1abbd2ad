#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

void fixture_limits(struct subscription_limits *limits)
{
    *limits = (struct subscription_limits){
        .presentities = 100,
        .publications = 100,
        .subscriptions = 100,
        .watchers = 10,
        .per_source = 5,
        .node = MEMORY_ANY_NODE,
    };
}

void fixture_open_with(struct fixture *f, const struct subscription_limits *limits, uint64_t now_ms)
{
    const struct subscription_timers timers = {T1, T2};
    const struct hash_key key = {1, 2};
    size_t bytes = rte_rcu_qsbr_get_memsize(2);

    *f = (struct fixture){.now_ms = now_ms, .qsbr = aligned_alloc(64, bytes)};
    assert_non_null(f->qsbr);
    assert_int_equal(rte_rcu_qsbr_init(f->qsbr, 2), 0);
    assert_int_equal(rte_rcu_qsbr_thread_register(f->qsbr, 0), 0);
    rte_rcu_qsbr_thread_online(f->qsbr, 0);
    struct memory memory = counted_memory(&f->counted);

    assert_int_equal(subscription_table_create(&f->table, limits, &timers, &key, f->qsbr, &memory), 0);
    fixture_write(f, 1, "first");
    fixture_turn(f);
}

void fixture_open(struct fixture *f, uint64_t now_ms)
{
    struct subscription_limits limits;

    fixture_limits(&limits);
    fixture_open_with(f, &limits, now_ms);
}

static void close_all(struct fixture *f)
{
    uint64_t position = 0;
    const struct subscription_presentity *presentity;

    while ((presentity = subscription_presentity_walk(f->table, &position, UINT32_MAX)) != NULL) {
        struct subscription_publication *publication;
        struct subscription *subscription;

        while ((publication = subscription_publication_next(f->table, presentity, NULL)) != NULL)
            subscription_publication_close(f->table, publication);
        while ((subscription = subscription_next(f->table, presentity, NULL)) != NULL)
            subscription_close(f->table, subscription);
    }
}

void fixture_close(struct fixture *f)
{
    close_all(f);
    struct subscription_usage usage = fixture_usage(f);

    for (unsigned i = 0; i < 100000 && usage.bytes > 0; i++) {
        fixture_turn(f);
        usage = fixture_usage(f);
    }
    assert_int_equal(usage.presentities, 0);
    assert_int_equal(usage.publications, 0);
    assert_int_equal(usage.subscriptions, 0);
    assert_int_equal(usage.sources, 0);
    assert_int_equal(usage.pending, 0);
    assert_int_equal(usage.deferred, 0);
    assert_int_equal(usage.bytes, 0);
    subscription_table_destroy(f->table);
    assert_int_equal(f->counted.bytes, 0);
    free(f->qsbr);
}

struct hash128 fixture_key(uint64_t number)
{
    uint64_t state = number;
    uint64_t low = random_next(&state);

    return (struct hash128){low, random_next(&state)};
}

struct subscription_presentity *fixture_presentity(struct fixture *f, uint64_t number)
{
    char owner[40];
    int len = snprintf(owner, sizeof(owner), "sip:user%llu@example.com", (unsigned long long)number);

    return subscription_presentity_open(f->table, fixture_key(number), slice_of(owner, (size_t)len), 1,
                                        UNIX_S);
}

void fixture_write(struct fixture *f, uint64_t tag, const char *document)
{
    f->tag = tag;
    snprintf(f->document, sizeof(f->document), "%s", document);
}

struct subscription_opening fixture_opening(uint64_t check)
{
    return (struct subscription_opening){
        .text = {SLICE("call-id-1"), SLICE("our-tag"), SLICE("their-tag"), SLICE("<sip:alice@example.com>"),
                 SLICE("<sip:bob@example.com>"), SLICE("sip:bob@192.0.2.1:5060"), SLICE(""), SLICE("")},
        .to = endpoint_ip4(192, 0, 2, 1, 5060),
        .source = endpoint_ip4(192, 0, 2, (uint8_t)check, 5060),
        .check = check,
        .local_cseq = 100,
        .state = SUBSCRIPTION_ACTIVE,
    };
}

struct subscription *fixture_subscribe(struct fixture *f, uint64_t number, uint64_t check)
{
    struct subscription_presentity *presentity = fixture_presentity(f, number);
    struct subscription_opening opening = fixture_opening(check);
    struct subscription *subscription = NULL;

    opening.expires_ms = f->now_ms + 3600000;
    assert_non_null(presentity);
    assert_int_equal(subscription_open(f->table, presentity, &opening, f->now_ms, &subscription), 0);
    return subscription;
}

struct subscription *fixture_watch(struct fixture *f, uint64_t number, uint64_t check)
{
    struct subscription *subscription = fixture_subscribe(f, number, check);

    fixture_act(f, subscription, subscription_ask(f->table, subscription, f->now_ms));
    fixture_turn(f);
    assert_int_equal(subscription->notify, SUBSCRIPTION_TRYING);
    fixture_answer(f, subscription, 200);
    f->log = (struct fixture_log){0};
    return subscription;
}

void fixture_change(struct fixture *f, uint64_t number, uint64_t tag)
{
    char document[32];

    snprintf(document, sizeof(document), "document %llu", (unsigned long long)tag);
    fixture_write(f, tag, document);
    assert_true(subscription_touch(f->table, fixture_key(number)));
    fixture_turn(f);
}

void fixture_act(struct fixture *f, struct subscription *subscription, unsigned actions)
{
    struct fixture_log *log = &f->log;

    log->expired += (actions & SUBSCRIPTION_EXPIRED) != 0;
    log->failed += (actions & SUBSCRIPTION_FAILED) != 0;
    log->resent += (actions & SUBSCRIPTION_RESEND) != 0;
    if ((actions & SUBSCRIPTION_RESEND) != 0) {
        log->body = subscription->body;
        log->resent_ms = f->now_ms;
    }
    if ((actions & SUBSCRIPTION_SEND) != 0) {
        const struct subscription_presentity *presentity = subscription_presentity_of(f->table, subscription);

        log->sent++;
        log->sent_ms = f->now_ms;
        log->last = subscription;
        log->state = subscription->state;
        log->body = subscription_is_bodyless(subscription, presentity->tag) ? 0 : presentity->forms[0];
        if (!f->idle)
            subscription_notify_begin(f->table, subscription, log->body, f->now_ms);
    }
    log->removed += (actions & SUBSCRIPTION_REMOVE) != 0;
    if ((actions & SUBSCRIPTION_REMOVE) != 0 && !f->idle)
        subscription_close(f->table, subscription);
}

void fixture_answer(struct fixture *f, struct subscription *subscription, uint16_t status)
{
    fixture_act(
        f, subscription,
        subscription_notify_answer(f->table, subscription, subscription->local_cseq, status, 0, f->now_ms));
}

static void serve(struct fixture *f, const struct subscription_due *due)
{
    switch (due->kind) {
    case SUBSCRIPTION_DUE_COMPOSE:
        f->log.composed++;
        subscription_document_put(f->table, due->presentity, f->tag, 7, slice_text(f->document), f->now_ms);
        break;
    case SUBSCRIPTION_DUE_WATCHER:
        fixture_act(f, due->subscription, due->actions);
        break;
    case SUBSCRIPTION_DUE_PUBLICATION:
        f->log.outlived++;
        if (!f->idle)
            subscription_publication_close(f->table, due->publication);
        break;
    default:
        fail();
    }
}

void fixture_turn(struct fixture *f)
{
    struct subscription_due due;

    rte_rcu_qsbr_quiescent(f->qsbr, 0);
    subscription_turn(f->table, BUDGET);
    while (subscription_due(f->table, f->now_ms, &due))
        serve(f, &due);
    assert_int_equal(due.kind, SUBSCRIPTION_NOTHING);
}

void fixture_run(struct fixture *f, uint64_t ms, uint64_t step_ms)
{
    for (uint64_t end = f->now_ms + ms; f->now_ms < end;) {
        f->now_ms += step_ms;
        fixture_turn(f);
    }
}

void fixture_both(void (*test)(struct fixture *f))
{
    static const uint64_t times[] = {FIXTURE_EARLY, FIXTURE_WRAP};

    for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct fixture f;

        fixture_open(&f, times[i]);
        test(&f);
        fixture_close(&f);
    }
}

struct subscription_publication *fixture_publish(struct fixture *f, uint64_t number, uint64_t tag,
                                                 const char *body)
{
    struct subscription_presentity *presentity = fixture_presentity(f, number);

    assert_non_null(presentity);
    return subscription_publish(f->table, presentity, tag, 5, slice_text(body), f->now_ms + 60000);
}

void fixture_assert_text(struct slice text, const char *expected)
{
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.at, expected, text.len);
}

const char *fixture_body(const struct fixture *f, uint32_t reference)
{
    static char text[64];
    const struct subscription_body *body = subscription_body(f->table, reference);

    if (body == NULL)
        return "";
    assert_true(body->len < sizeof(text));
    memcpy(text, body->bytes, body->len);
    text[body->len] = 0;
    return text;
}

struct subscription_usage fixture_usage(const struct fixture *f)
{
    struct subscription_usage usage;

    subscription_usage(f->table, &usage);
    return usage;
}
