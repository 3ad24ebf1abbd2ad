// table: the records of all connections, and the ways to find one.
//
// Taken whole when the room is made. One chain of hashed buckets leads from (peer's address and port, transport,
// listener) to its connections, the flow among them; a second one from the ports that they are offered under (RFC
// 5923). A third counts connections by source address. The keys are hashed with a key that nobody outside knows.
//
// Control's thread.
#ifndef STREAM_TABLE_H
#define STREAM_TABLE_H

#include "base/hash.h"
#include "base/list.h"
#include "base/memory.h"
#include "stream/connection.h"

// A source address; its connections are counted.
struct table_source {
    struct endpoint address;
    uint32_t connections;
    uint32_t next;
};

struct table {
    const struct memory *memory;
    struct connection *connections;           // `bound` of them
    struct list_link *timers, *waiting;       // of the wheel, of those who are read later
    struct table_source *sources;             // as many
    uint32_t *peers, *aliases, *source_heads; // `buckets` of each
    uint8_t *flows;                           // the flow that was last given to somebody of this bucket
    struct hash_key key;
    uint32_t bound, buckets;
    uint32_t touched, touched_sources; // records that were ever in use: those behind cost no memory yet
    uint32_t free, free_source;        // of these the free ones, chained by next_peer and next
};

// 0, or -errno and nothing is left. `bound` may be 0.
int stream_table_create(struct table *table, uint32_t bound, const struct memory *memory);
void stream_table_destroy(struct table *table);

// A record, cleared, its `peer`, `listener` and links empty. NULL: all are in use.
struct connection *stream_table_take(struct table *table);
void stream_table_give(struct table *table, struct connection *connection); // it is in no index any more

static inline uint32_t stream_table_number(const struct table *table, const struct connection *connection)
{
    return (uint32_t)(connection - table->connections);
}

// The number of its links, where 0 is none.
static inline uint32_t stream_table_link(const struct table *table, const struct connection *connection)
{
    return stream_table_number(table, connection) + 1;
}

static inline struct connection *stream_table_linked(const struct table *table, uint32_t link)
{
    return &table->connections[link - 1];
}

// Puts it under its peer and listener with a flow of its own. Whoever had the address and port before had another one,
// and the 253 before him. False: there are 255 now that say they come from there.
bool stream_table_put(struct table *table, struct connection *connection);
void stream_table_remove(struct table *table,
                         struct connection *connection); // from both indices; it need not be there

// Offers it under `port` of its address, too. False: the port is 0, or it is offered already.
bool stream_table_put_alias(struct table *table, struct connection *connection, uint16_t port);

// The connection of an endpoint with its flow, at a listener; NULL: none.
struct connection *stream_table_find(const struct table *table, const struct endpoint *peer,
                                     uint8_t listener);

// All connections of an endpoint, whatever its flow, one after the other: first those whose peer it is, then those
// offered under it. `from` NULL: the first. NULL: no more.
struct connection *stream_table_next(const struct table *table, const struct endpoint *peer, uint8_t listener,
                                     const struct connection *from);

// Counts it for its peer's address (of IPv6: for the /64, which one subscriber has whole). False: there are `max`
// already, and nothing was counted.
bool stream_table_count_source(struct table *table, struct connection *connection, uint32_t max);
void stream_table_uncount_source(struct table *table,
                                 struct connection *connection); // it need not be counted

#endif
