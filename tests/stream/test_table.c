// Finding connections, and counting sources. No sockets.
#include "box.h"
#include "stream/table.h"

#define BOUND 600

static struct table table;

static int setup(void **state)
{
    (void)state;
    return stream_table_create(&table, BOUND, &memory_system);
}

static int teardown(void **state)
{
    (void)state;
    stream_table_destroy(&table);
    return 0;
}

static struct endpoint from(uint8_t host, uint16_t port)
{
    struct endpoint endpoint = endpoint_ip4(192, 0, 2, host, port);

    endpoint.transport = ENDPOINT_TCP;
    return endpoint;
}

static struct connection *put(struct endpoint peer, uint8_t listener)
{
    struct connection *connection = stream_table_take(&table);

    assert_non_null(connection);
    connection->peer = peer;
    connection->listener = listener;
    connection->state = CONNECTION_OPEN;
    assert_true(stream_table_put(&table, connection));
    return connection;
}

static void drop(struct connection *connection)
{
    stream_table_remove(&table, connection);
    stream_table_give(&table, connection);
}

static void test_each_is_found_by_its_flow_alone(void **state)
{
    struct connection *all[BOUND];

    (void)state;
    for (unsigned i = 0; i < BOUND; i++)
        all[i] = put(from((uint8_t)(i % 7), (uint16_t)(i / 70)), (uint8_t)(i % 2));
    assert_null(stream_table_take(&table));
    for (unsigned i = 0; i < BOUND; i++) {
        assert_ptr_equal(stream_table_find(&table, &all[i]->peer, all[i]->listener), all[i]);
        struct endpoint other = all[i]->peer;
        other.transport = ENDPOINT_TLS;
        assert_null(stream_table_find(&table, &other, all[i]->listener));
        assert_null(stream_table_find(&table, &all[i]->peer, 9));
    }
    for (unsigned i = 0; i < BOUND; i += 2)
        drop(all[i]);
    for (unsigned i = 0; i < BOUND; i++) {
        if (i % 2)
            assert_ptr_equal(stream_table_find(&table, &all[i]->peer, all[i]->listener), all[i]);
    }
    for (unsigned i = 1; i < BOUND; i += 2)
        drop(all[i]);
}

static void test_a_flow_comes_again_after_253_others(void **state)
{
    uint8_t seen[256] = {0};

    (void)state;
    for (unsigned i = 0; i < 254; i++) {
        struct connection *connection = put(from(1, 5060), 0);
        assert_int_not_equal(connection->peer.flow, 0);
        assert_int_not_equal(connection->peer.flow, ENDPOINT_FLOW_GONE);
        assert_int_equal(seen[connection->peer.flow]++, 0);
        drop(connection);
    }
}

static void test_there_are_254_of_one_address_and_port(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 254; i++)
        put(from(1, 5060), 0);
    struct connection *connection = stream_table_take(&table);
    connection->peer = from(1, 5060);
    assert_false(stream_table_put(&table, connection));
    stream_table_remove(&table, connection);
    connection->peer = from(1, 5061);
    assert_true(stream_table_put(&table, connection));
}

static void test_all_of_an_address_are_found_one_after_the_other(void **state)
{
    struct endpoint to = from(1, 5060);
    struct connection *one = put(to, 0), *two = put(to, 0), *alias = put(from(1, 40000), 0);

    (void)state;
    put(to, 1);
    put(from(2, 5060), 0);
    assert_true(stream_table_put_alias(&table, alias, 5060));
    assert_false(stream_table_put_alias(&table, alias, 5061)); // it has one
    assert_false(stream_table_put_alias(&table, one, 0));
    assert_true(stream_table_put_alias(&table, two, 5060)); // under its own: told once
    struct connection *found = stream_table_next(&table, &to, 0, NULL);
    struct connection *next = stream_table_next(&table, &to, 0, found);
    assert_true((found == one && next == two) || (found == two && next == one));
    assert_ptr_equal(stream_table_next(&table, &to, 0, next), alias);
    assert_null(stream_table_next(&table, &to, 0, alias));
    struct endpoint tls = to;
    tls.transport = ENDPOINT_TLS;
    assert_null(stream_table_next(&table, &tls, 0, NULL));
    drop(alias);
    assert_null(stream_table_next(&table, &to, 0, next));
    drop(one);
    drop(two);
    assert_null(stream_table_next(&table, &to, 0, NULL));
}

static void test_sources_are_counted_and_forgotten(void **state)
{
    static const char *const same[] = {"[2001:db8::1]", "[2001:db8::2]", "[2001:db8::ffff:0:0:1]"};
    struct connection *connections[3], *other;

    (void)state;
    // A subscriber has a /64, and so many addresses.
    for (unsigned i = 0; i < RTE_DIM(same); i++) {
        connections[i] = stream_table_take(&table);
        assert_true(endpoint_parse(slice_text(same[i]), &connections[i]->peer));
        connections[i]->peer.port = (uint16_t)(1000 + i);
    }
    assert_true(stream_table_count_source(&table, connections[0], 2));
    assert_true(stream_table_count_source(&table, connections[1], 2));
    assert_false(stream_table_count_source(&table, connections[2], 2));
    other = stream_table_take(&table);
    assert_true(endpoint_parse(SLICE("[2001:db8:0:1::1]"), &other->peer));
    assert_true(stream_table_count_source(&table, other, 2));
    stream_table_uncount_source(&table, connections[0]);
    assert_true(stream_table_count_source(&table, connections[2], 2));
    stream_table_uncount_source(&table, connections[2]);
    stream_table_uncount_source(&table, connections[2]); // it is not counted any more
    stream_table_uncount_source(&table, connections[1]);
    stream_table_uncount_source(&table, other);
    // All records are free again: there is one for each of BOUND addresses.
    for (unsigned i = 0; i < BOUND - 4; i++) {
        struct connection *connection = stream_table_take(&table);
        connection->peer = endpoint_ip4(10, (uint8_t)(i >> 8), (uint8_t)i, 1, 1);
        assert_true(stream_table_count_source(&table, connection, 1));
    }
    connections[0]->peer = endpoint_ip4(10, 0, 5, 1, 9);
    assert_false(stream_table_count_source(&table, connections[0], 1));
}

static void test_a_table_of_none_has_none(void **state)
{
    struct table none;

    (void)state;
    assert_int_equal(stream_table_create(&none, 0, &memory_system), 0);
    assert_null(stream_table_take(&none));
    struct endpoint to = from(1, 1);
    assert_null(stream_table_find(&none, &to, 0));
    assert_null(stream_table_next(&none, &to, 0, NULL));
    stream_table_destroy(&none);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(test_each_is_found_by_its_flow_alone),
        WITH(test_a_flow_comes_again_after_253_others),
        WITH(test_there_are_254_of_one_address_and_port),
        WITH(test_all_of_an_address_are_found_one_after_the_other),
        WITH(test_sources_are_counted_and_forgotten),
        cmocka_unit_test(test_a_table_of_none_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
