#include "stream/table.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/wheel.h"

#define IP6_SOURCE 8 // bytes of an IPv6 address that stand for one source

// What the two indices look for. Padding would be hashed, so there is none.
struct place {
    struct endpoint peer; // without flow
    uint8_t listener;
};
_Static_assert(sizeof(struct place) == sizeof(struct endpoint) + 2, "one byte of padding, which is cleared");

static uint32_t bucket_of(const struct table *table, const struct endpoint *peer, uint8_t listener)
{
    struct place place;

    memset(&place, 0, sizeof(place));
    memcpy(&place.peer, peer, sizeof(*peer));
    place.peer.flow = 0;
    place.listener = listener;
    return (uint32_t)hash_sip13(&table->key, &place, sizeof(place)).low & (table->buckets - 1);
}

static size_t at_least_one(size_t n)
{
    return n > 0 ? n : 1;
}

static void *take(const struct table *table, size_t n, size_t bytes)
{
    return table->memory->take(table->memory->owner, at_least_one(n) * bytes, MEMORY_ANY_NODE);
}

static void give(const struct table *table, void *at, size_t n, size_t bytes)
{
    table->memory->give(table->memory->owner, at, at_least_one(n) * bytes);
}

// A server that has just started knows nobody's last flow; what was handed out before must not fit by habit.
static int draw(struct table *table)
{
    for (size_t at = 0; at < table->buckets;) {
        ssize_t n = getrandom(table->flows + at, table->buckets - at, 0);
        if (n < 0 && errno != EINTR)
            return -errno;
        at += n > 0 ? (size_t)n : 0;
    }
    return getrandom(&table->key, sizeof(table->key), 0) == sizeof(table->key) ? 0 : -EIO;
}

int stream_table_create(struct table *table, uint32_t bound, const struct memory *memory)
{
    *table = (struct table){.memory = memory, .bound = bound, .buckets = memory_power_of_two(bound)};
    table->connections = take(table, bound, sizeof(*table->connections));
    table->timers = take(table, (size_t)bound + 1, sizeof(*table->timers));
    table->waiting = take(table, (size_t)bound + 1, sizeof(*table->waiting));
    table->sources = take(table, bound, sizeof(*table->sources));
    table->peers = take(table, table->buckets, sizeof(*table->peers));
    table->aliases = take(table, table->buckets, sizeof(*table->aliases));
    table->source_heads = take(table, table->buckets, sizeof(*table->source_heads));
    table->flows = take(table, table->buckets, sizeof(*table->flows));
    int error = -ENOMEM;
    if (table->connections != NULL && table->timers != NULL && table->waiting != NULL &&
        table->sources != NULL && table->peers != NULL && table->aliases != NULL &&
        table->source_heads != NULL && table->flows != NULL)
        error = draw(table);
    if (error != 0) {
        stream_table_destroy(table);
        return error;
    }
    memset(table->peers, 0xff, table->buckets * sizeof(*table->peers));
    memset(table->aliases, 0xff, table->buckets * sizeof(*table->aliases));
    memset(table->source_heads, 0xff, table->buckets * sizeof(*table->source_heads));
    // Nothing is touched before it is used: a free record that never was one is found by counting.
    table->free = table->free_source = CONNECTION_NONE;
    return 0;
}

void stream_table_destroy(struct table *table)
{
    if (table->memory == NULL)
        return;
    give(table, table->connections, table->bound, sizeof(*table->connections));
    give(table, table->timers, (size_t)table->bound + 1, sizeof(*table->timers));
    give(table, table->waiting, (size_t)table->bound + 1, sizeof(*table->waiting));
    give(table, table->sources, table->bound, sizeof(*table->sources));
    give(table, table->peers, table->buckets, sizeof(*table->peers));
    give(table, table->aliases, table->buckets, sizeof(*table->aliases));
    give(table, table->source_heads, table->buckets, sizeof(*table->source_heads));
    give(table, table->flows, table->buckets, sizeof(*table->flows));
    table->memory = NULL;
}

struct connection *stream_table_take(struct table *table)
{
    struct connection *connection;

    if (table->free != CONNECTION_NONE) {
        connection = &table->connections[table->free];
        table->free = connection->next_peer;
    } else if (table->touched < table->bound) {
        connection = &table->connections[table->touched++];
    } else {
        return NULL;
    }
    *connection = (struct connection){.fd = -1,
                                      .source = CONNECTION_NONE,
                                      .next_peer = CONNECTION_NONE,
                                      .next_alias = CONNECTION_NONE,
                                      .wheel_at = WHEEL_NONE};
    connection->last = &connection->first;
    return connection;
}

void stream_table_give(struct table *table, struct connection *connection)
{
    connection->state = CONNECTION_FREE;
    connection->next_peer = table->free;
    table->free = stream_table_number(table, connection);
}

static struct connection *at(const struct table *table, uint32_t number)
{
    return number == CONNECTION_NONE ? NULL : &table->connections[number];
}

static bool same_place(const struct connection *connection, const struct endpoint *peer, uint8_t listener)
{
    return connection->listener == listener && connection->peer.port == peer->port &&
           connection->peer.transport == peer->transport && endpoint_same_address(&connection->peer, peer);
}

struct connection *stream_table_find(const struct table *table, const struct endpoint *peer, uint8_t listener)
{
    struct connection *found = at(table, table->peers[bucket_of(table, peer, listener)]);

    while (found != NULL && (found->listener != listener || !endpoint_equal(&found->peer, peer)))
        found = at(table, found->next_peer);
    return found;
}

bool stream_table_put(struct table *table, struct connection *connection)
{
    uint32_t bucket = bucket_of(table, &connection->peer, connection->listener);
    uint8_t *flow = &table->flows[bucket];

    for (unsigned tries = 1; tries < ENDPOINT_FLOW_GONE; tries++) {
        *flow = *flow < ENDPOINT_FLOW_GONE - 1 ? (uint8_t)(*flow + 1) : 1; // 0: none is meant
        connection->peer.flow = *flow;
        if (stream_table_find(table, &connection->peer, connection->listener) == NULL) {
            connection->next_peer = table->peers[bucket];
            table->peers[bucket] = stream_table_number(table, connection);
            return true;
        }
    }
    connection->peer.flow = 0;
    return false;
}

static struct endpoint alias_of(const struct connection *connection)
{
    struct endpoint alias = connection->peer;

    alias.port = connection->alias;
    return alias;
}

bool stream_table_put_alias(struct table *table, struct connection *connection, uint16_t port)
{
    if (port == 0 || connection->alias != 0)
        return false;
    connection->alias = port;
    struct endpoint alias = alias_of(connection);
    uint32_t *head = &table->aliases[bucket_of(table, &alias, connection->listener)];
    connection->next_alias = *head;
    *head = stream_table_number(table, connection);
    return true;
}

void stream_table_remove(struct table *table, struct connection *connection)
{
    uint32_t number = stream_table_number(table, connection);
    struct endpoint alias = alias_of(connection);

    uint32_t *link = &table->peers[bucket_of(table, &connection->peer, connection->listener)];
    while (*link != number && *link != CONNECTION_NONE)
        link = &table->connections[*link].next_peer;
    if (*link == number)
        *link = connection->next_peer;
    if (connection->alias != 0) {
        link = &table->aliases[bucket_of(table, &alias, connection->listener)];
        while (*link != number)
            link = &table->connections[*link].next_alias;
        *link = connection->next_alias;
        connection->alias = 0;
    }
}

struct connection *stream_table_next(const struct table *table, const struct endpoint *peer, uint8_t listener,
                                     const struct connection *from)
{
    uint32_t bucket = bucket_of(table, peer, listener);
    bool aliases = from != NULL && !same_place(from, peer, listener);
    uint32_t next = from == NULL ? table->peers[bucket] : aliases ? from->next_alias : from->next_peer;

    for (; !aliases && next != CONNECTION_NONE; next = table->connections[next].next_peer) {
        if (same_place(&table->connections[next], peer, listener))
            return &table->connections[next];
    }
    if (!aliases)
        next = table->aliases[bucket];
    for (; next != CONNECTION_NONE; next = table->connections[next].next_alias) {
        struct connection *found = &table->connections[next];
        struct endpoint alias = alias_of(found);
        // One that is found by its own port has been told already.
        if (found->peer.port != peer->port && found->listener == listener && alias.port == peer->port &&
            alias.transport == peer->transport && endpoint_same_address(&alias, peer))
            return found;
    }
    return NULL;
}

static uint32_t *source_head(const struct table *table, struct endpoint *address)
{
    address->port = 0;
    address->transport = 0;
    address->flow = 0;
    if (address->family == ENDPOINT_IP6)
        memset(address->address + IP6_SOURCE, 0, sizeof(address->address) - IP6_SOURCE);
    return &table->source_heads[bucket_of(table, address, 0)];
}

static struct table_source *take_source(struct table *table)
{
    if (table->free_source == CONNECTION_NONE)
        return &table->sources[table->touched_sources++]; // there are as many as connections
    struct table_source *source = &table->sources[table->free_source];
    table->free_source = source->next;
    return source;
}

bool stream_table_count_source(struct table *table, struct connection *connection, uint32_t max)
{
    struct endpoint address = connection->peer;
    uint32_t *head = source_head(table, &address);
    uint32_t number = *head;

    while (number != CONNECTION_NONE && !endpoint_equal(&table->sources[number].address, &address))
        number = table->sources[number].next;
    if (number == CONNECTION_NONE) {
        struct table_source *source = take_source(table);
        *source = (struct table_source){.address = address, .next = *head};
        number = *head = (uint32_t)(source - table->sources);
    } else if (table->sources[number].connections >= max) {
        return false;
    }
    table->sources[number].connections++;
    connection->source = number;
    return true;
}

void stream_table_uncount_source(struct table *table, struct connection *connection)
{
    if (connection->source == CONNECTION_NONE)
        return;
    struct table_source *source = &table->sources[connection->source];
    if (--source->connections == 0) {
        struct endpoint address = source->address;
        uint32_t *link = source_head(table, &address);
        while (*link != connection->source)
            link = &table->sources[*link].next;
        *link = source->next;
        source->next = table->free_source;
        table->free_source = connection->source;
    }
    connection->source = CONNECTION_NONE;
}
