#include "fixture.h"

#include <stdlib.h>

void fixture_open(struct fixture *f, uint64_t records, uint64_t branches, uint64_t now_ms)
{
    struct transaction_limits limits = {records, branches, MEMORY_ANY_NODE};
    struct transaction_timers timers = {T1, T2, T4, C};

    *f = (struct fixture){.now_ms = now_ms};
    struct memory memory = counted_memory(&f->counted);

    assert_int_equal(transaction_table_create(&f->table, &limits, &timers, &memory), 0);
    assert_null(transaction_due(f->table, now_ms)); // as the loop's first turn
}

void fixture_close(struct fixture *f)
{
    transaction_table_destroy(f->table);
    assert_int_equal(f->counted.bytes, 0);
}

struct hash128 fixture_key(uint64_t number)
{
    uint64_t state = number;
    uint64_t low = random_next(&state);

    return (struct hash128){low, random_next(&state)};
}

static void note_eviction(void *owner, struct transaction *transaction)
{
    struct fixture *f = owner;

    f->evicted++;
    f->last_evicted = transaction_slot(f->table, transaction);
}

struct transaction *fixture_begin(struct fixture *f, uint64_t number, uint8_t method)
{
    struct transaction *transaction =
        transaction_open(f->table, fixture_key(number), method, f->now_ms, note_eviction, f);

    if (transaction != NULL)
        transaction->reply_to.transport = f->transport & 0xf;
    return transaction;
}

struct transaction *fixture_forward(struct fixture *f, uint64_t number, uint8_t method)
{
    struct transaction *transaction = fixture_begin(f, number, method);

    assert_non_null(transaction);
    struct transaction_branch *branch = transaction_branch_add(f->table, transaction);

    branch->to.transport = f->transport & 0xf;
    transaction_client_begin(f->table, transaction, branch, f->now_ms);
    assert_true(transaction_settle(f->table, transaction, f->now_ms));
    return transaction;
}

struct transaction_usage fixture_usage(const struct fixture *f)
{
    struct transaction_usage usage;

    transaction_usage(f->table, &usage);
    return usage;
}

void fixture_run(struct fixture *f, uint64_t ms,
                 void (*fired)(void *owner, struct transaction *, struct transaction_branch *,
                               unsigned actions),
                 void *owner)
{
    struct transaction *transaction;

    for (uint64_t end = f->now_ms + ms; f->now_ms < end;) {
        f->now_ms++;
        while ((transaction = transaction_due(f->table, f->now_ms)) != NULL) {
            unsigned actions = transaction_server_timer(f->table, transaction, f->now_ms);

            if (actions != 0 && fired != NULL)
                fired(owner, transaction, NULL, actions);
            for (struct transaction_branch *branch = NULL;
                 (branch = transaction_branch_next(f->table, transaction, branch)) != NULL;) {
                actions = transaction_client_timer(f->table, transaction, branch, f->now_ms);
                if (actions != 0 && fired != NULL)
                    fired(owner, transaction, branch, actions);
            }
            if (!transaction_settle(f->table, transaction, f->now_ms))
                transaction_close(f->table, transaction);
        }
    }
}
