#include "fixture.h"

#include <stdlib.h>

// Misaligned on purpose, as far as malloc's callers must bear.
#define SHIFT 16

static void *counted_take(void *owner, size_t bytes, int node)
{
    struct fixture_memory *counted = owner;

    (void)node;
    if (counted->fail > 0) {
        counted->fail--;
        return NULL;
    }
    char *at = calloc(1, bytes + SHIFT);
    assert_non_null(at);
    counted->bytes += bytes;
    counted->pieces++;
    return at + SHIFT;
}

static void counted_give(void *owner, void *at, size_t bytes)
{
    struct fixture_memory *counted = owner;

    if (at == NULL)
        return;
    counted->bytes -= bytes;
    counted->pieces--;
    free((char *)at - SHIFT);
}

void fixture_open(struct fixture *f, uint32_t names)
{
    const struct hash_key key = {1, 2};

    *f = (struct fixture){.qsbr = aligned_alloc(64, rte_rcu_qsbr_get_memsize(2))};
    f->memory = (struct memory){counted_take, counted_give, &f->counted};
    assert_non_null(f->qsbr);
    assert_int_equal(rte_rcu_qsbr_init(f->qsbr, 2), 0);
    assert_int_equal(name_table_create(&f->table, names, &key, f->qsbr, &f->memory), 0);
    assert_int_equal(rte_rcu_qsbr_thread_register(f->qsbr, 0), 0);
    rte_rcu_qsbr_thread_online(f->qsbr, 0);
}

void fixture_close(struct fixture *f)
{
    name_table_destroy(f->table);
    free(f->qsbr);
    assert_int_equal(f->counted.bytes, 0);
    assert_int_equal(f->counted.pieces, 0);
}

void fixture_quiescent(struct fixture *f)
{
    rte_rcu_qsbr_quiescent(f->qsbr, 0);
}

struct name_question fixture_sip(const char *name)
{
    return (struct name_question){.name = slice_text(name), .kind = NAME_SIP};
}

struct endpoint fixture_hop(uint32_t number)
{
    return endpoint_ip4(10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number, 5060);
}

void fixture_add(struct fixture_answer *answer, uint32_t number, uint16_t priority, uint16_t weight,
                 uint16_t target)
{
    answer->answer.hops[answer->answer.hops_n++] = (struct name_hop){
        .endpoint = fixture_hop(number), .priority = priority, .weight = weight, .target = target};
}

int fixture_put(struct fixture *f, const char *name, uint32_t number, uint64_t expires_ms, uint64_t now_ms)
{
    struct fixture_answer one = {.answer.expires_ms = expires_ms};
    struct name_question question = fixture_sip(name);

    fixture_add(&one, number, 0, 0, 0);
    return name_put(f->table, &question, &one.answer, now_ms);
}

uint32_t fixture_find(const struct fixture *f, const char *name, uint64_t now_ms)
{
    struct name_question question = fixture_sip(name);
    const struct name_answer *answer = name_find(f->table, &question, now_ms);
    struct endpoint hop;

    if (answer == NULL || !name_hop(answer, 0, 0, &hop))
        return 0;
    return (uint32_t)hop.address[1] << 16 | (uint32_t)hop.address[2] << 8 | hop.address[3];
}
