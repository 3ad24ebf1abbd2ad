#include "stream/wheel.h"

#include <string.h>

// The first is 1: a connection that is due at 0 is in no place.
static uint32_t tick_of(const struct wheel *wheel, uint64_t ms)
{
    return ms > wheel->start_ms ? (uint32_t)((ms - wheel->start_ms) / WHEEL_TICK_MS) + 1 : 1;
}

void stream_wheel_clear(struct wheel *wheel, uint64_t now_ms)
{
    wheel->start_ms = now_ms;
    wheel->now = 1;
    memset(wheel->places, 0xff, sizeof(wheel->places)); // CONNECTION_NONE
}

static uint32_t *place_of(struct wheel *wheel, uint32_t tick)
{
    return &wheel->places[tick % WHEEL_PLACES];
}

void stream_wheel_remove(struct wheel *wheel, struct table *table, struct connection *connection)
{
    if (connection->due == 0)
        return;
    if (connection->previous_timer != CONNECTION_NONE)
        table->connections[connection->previous_timer].next_timer = connection->next_timer;
    else
        *place_of(wheel, connection->due) = connection->next_timer;
    if (connection->next_timer != CONNECTION_NONE)
        table->connections[connection->next_timer].previous_timer = connection->previous_timer;
    connection->due = 0;
}

void stream_wheel_put(struct wheel *wheel, struct table *table, struct connection *connection,
                      uint64_t due_ms)
{
    uint32_t due = tick_of(wheel, due_ms) + 1; // by then it has passed

    if (due <= wheel->now)
        due = wheel->now + 1;
    if (due - wheel->now >= WHEEL_PLACES)
        due = wheel->now + WHEEL_PLACES - 1;
    if (connection->due != 0 && connection->due <= due)
        return;
    stream_wheel_remove(wheel, table, connection);
    uint32_t *place = place_of(wheel, due);
    connection->due = due;
    connection->previous_timer = CONNECTION_NONE;
    connection->next_timer = *place;
    if (*place != CONNECTION_NONE)
        table->connections[*place].previous_timer = stream_table_number(table, connection);
    *place = stream_table_number(table, connection);
}

struct connection *stream_wheel_next(struct wheel *wheel, struct table *table, uint64_t now_ms)
{
    uint32_t now = tick_of(wheel, now_ms);

    // After a long sleep every place is looked at once.
    if (now > wheel->now + WHEEL_PLACES)
        wheel->now = now - WHEEL_PLACES;
    for (;; wheel->now++) {
        uint32_t first = *place_of(wheel, wheel->now);
        if (first != CONNECTION_NONE) {
            struct connection *connection = &table->connections[first];
            stream_wheel_remove(wheel, table, connection);
            return connection;
        }
        if (wheel->now >= now)
            return NULL;
    }
}
