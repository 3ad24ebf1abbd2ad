#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

void fixture_open(struct fixture *f, uint32_t calls)
{
    struct call_limits limits = {calls, LONGEST_MS, MEMORY_ANY_NODE};
    struct hash_key key = {1, 2};

    *f = (struct fixture){.now = {.ms = 5, .unix_s = 1000000}};
    struct memory memory = counted_memory(&f->counted);

    assert_int_equal(call_table_create(&f->table, &limits, &key, &memory), 0);
}

void fixture_close(struct fixture *f)
{
    call_table_destroy(f->table);
    assert_int_equal(f->counted.bytes, 0);
}

void fixture_pass(struct fixture *f, uint64_t ms)
{
    f->now.unix_s += (f->now.ms + ms) / 1000 - f->now.ms / 1000;
    f->now.ms += ms;
}

uint32_t fixture_begin(struct fixture *f, unsigned n)
{
    char call_id[32];
    struct slice text[CALL_TEXTS] = {SLICE(""), SLICE("sip:a@x"), SLICE("sip:b@y"), SLICE("sip:b@z")};
    struct endpoint source = endpoint_ip4(198, 18, 0, 1, 5060);

    text[CALL_CALL_ID] = slice_of(call_id, (size_t)snprintf(call_id, sizeof(call_id), "call-%u", n));
    return call_begin(f->table, &f->now, text, &source);
}

uint32_t fixture_find(const struct fixture *f, unsigned n)
{
    char call_id[32];

    return call_find(f->table, slice_of(call_id, (size_t)snprintf(call_id, sizeof(call_id), "call-%u", n)),
                     0);
}

struct call_usage fixture_usage(const struct fixture *f)
{
    struct call_usage usage;

    call_usage(f->table, &usage);
    return usage;
}

void fixture_take(struct fixture *f, char call_id[32])
{
    const struct call *call = call_take(f->table);

    call_id[0] = '\0';
    if (call == NULL)
        return;
    snprintf(call_id, 32, "%.*s", SLICE_PRINT(call_text(call, CALL_CALL_ID)));
    call_written(f->table, call);
}
