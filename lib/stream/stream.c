#include "stream/stream.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "stream/input.h"
#include "stream/log.h"
#include "stream/output.h"
#include "stream/secure.h"
#include "stream/upgrade.h"
#include "worker/worker.h"

// What all connections together may hold back: a little for each of them, and enough for a few that hold a lot.
#define HELD_EACH    2048
#define HELD_ANYWAYS (64ull << 20)

_Static_assert(UPGRADE_MAX <= SIP_MESSAGE_MAX, "what holds a message holds an upgrade");

static void on_handshaken(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    stream_connection_come_back(argument);
}

static bool has_transport(const struct conf *conf, bool secure)
{
    for (unsigned i = 0; i < conf->listeners_n; i++) {
        const struct endpoint address = {.transport = conf->listeners[i].transport & 0xf};
        if (endpoint_is_stream(&address) && (!secure || endpoint_is_secure(&address)))
            return true;
    }
    return false;
}

static int start_handshakes(struct stream *stream)
{
    if (!has_transport(stream->conf, true))
        return 0;
    int error = stream_handshakes_create(&stream->handshakes, stream->conf->stream_handshake_threads);
    if (error != 0) {
        STREAM_LOG(ERR, "[stream] handshake_threads: %s", strerror(-error));
        return error;
    }
    stream->handshaken = event_new(stream->setup.base, stream_handshakes_fd(stream->handshakes),
                                   EV_READ | EV_PERSIST, on_handshaken, stream);
    return stream->handshaken != NULL && event_add(stream->handshaken, NULL) == 0 ? 0 : -ENOMEM;
}

static void *take(const struct stream *stream, size_t bytes)
{
    return stream->setup.memory->take(stream->setup.memory->owner, bytes, MEMORY_ANY_NODE);
}

static void give(const struct stream *stream, void *at, size_t bytes)
{
    stream->setup.memory->give(stream->setup.memory->owner, at, bytes);
}

static size_t sockets_bytes(const struct stream *stream)
{
    return RTE_MAX(stream->sockets_n, 1u) * sizeof(struct stream_socket);
}

static int take_memory(struct stream *stream)
{
    const struct conf *conf = stream->conf;
    uint32_t bound = has_transport(conf, false) ? conf->connections_max : 0;

    stream->sockets_n = conf->listeners_n;
    stream->sockets = take(stream, sockets_bytes(stream));
    // It must hold what is kept of a connection, and what it says next.
    stream->scratch_n = RTE_MAX(conf->stream_buffer_max, (uint32_t)SIP_MESSAGE_MAX) + 1;
    stream->scratch = take(stream, stream->scratch_n);
    stream->outbox_n = WORKER_LONGEST_ROOM;
    stream->outbox = take(stream, stream->outbox_n);
    stream->held_max = HELD_ANYWAYS + (uint64_t)HELD_EACH * bound;
    if (stream->sockets == NULL || stream->scratch == NULL || stream->outbox == NULL)
        return -ENOMEM;
    if (bound > 0)
        stream_want_files(bound);
    int error = stream_table_create(&stream->table, bound, stream->setup.memory);
    wheel_init(&stream->wheel, stream->spokes, SPOKES, stream->table.timers);
    wheel_leap(&stream->wheel, stream->now_ms / TICK_MS);
    return error;
}

int stream_create(struct stream **created, const struct stream_setup *setup)
{
    struct stream *stream = setup->memory->take(setup->memory->owner, sizeof(*stream), MEMORY_ANY_NODE);

    if (stream == NULL) {
        stream_tls_destroy(setup->tls);
        return -ENOMEM;
    }
    stream->setup = *setup;
    stream->conf = setup->conf;
    stream->tls = setup->tls;
    stream->now_ms = clock_monotonic_ms();
    stream->reserve = -1;
    int error = getrandom(&stream->key, sizeof(stream->key), 0) == sizeof(stream->key) ? 0 : -EIO;
    if (error == 0)
        error = take_memory(stream);
    if (error == 0)
        error = start_handshakes(stream);
    if (error == 0)
        error = stream_listen(stream);
    if (error == 0) {
        *created = stream;
        return 0;
    }
    stream_destroy(stream);
    return error;
}

void stream_destroy(struct stream *stream)
{
    if (stream == NULL)
        return;
    for (uint32_t i = 0; i < stream->table.touched; i++) {
        if (stream->table.connections[i].state != CONNECTION_FREE)
            stream_connection_settle(&stream->table.connections[i], STREAM_END_STOPPING);
    }
    if (stream->sockets != NULL)
        stream_unlisten(stream);
    if (stream->handshaken != NULL)
        event_free(stream->handshaken);
    stream_handshakes_destroy(stream->handshakes);
    stream_tls_destroy(stream->tls);
    rte_pktmbuf_free(stream->fresh);
    rte_pktmbuf_free(stream->fresh_large);
    stream_table_destroy(&stream->table);
    give(stream, stream->sockets, sockets_bytes(stream));
    give(stream, stream->scratch, stream->scratch_n);
    give(stream, stream->outbox, stream->outbox_n);
    give(stream, stream, sizeof(*stream));
}

void stream_renew(struct stream *stream, const struct conf *conf, struct stream_tls *tls)
{
    stream->conf = conf;
    stream_tls_destroy(stream->tls);
    stream->tls = tls;
    for (uint32_t i = 0; i < stream->table.touched; i++) {
        if (stream->table.connections[i].verified)
            stream_connection_identify(&stream->table.connections[i]);
    }
}

unsigned stream_turn(struct stream *stream, uint64_t now_ms)
{
    unsigned done = 0;

    if (now_ms > stream->now_ms)
        stream->now_ms = now_ms;
    for (uint32_t number; (number = wheel_due(&stream->wheel, stream->now_ms / TICK_MS)) != 0; done++) {
        struct connection *connection = stream_table_linked(&stream->table, number);
        connection->wheel_at = WHEEL_NONE;
        stream_connection_look(connection);
    }
    if (stream->paused_ms != 0 && stream->now_ms >= stream->paused_ms)
        stream_listen_again(stream);
    if (stream->handshakes != NULL)
        stream->counters.handshaking = stream_handshakes_count(stream->handshakes);
    return done + stream_input_resume(stream);
}

const struct stream_counters *stream_counters(const struct stream *stream)
{
    return &stream->counters;
}

static const char *const states[] = {
    [CONNECTION_FREE] = "free",
    [CONNECTION_CONNECTING] = "connecting",
    [CONNECTION_PROXY_HEADER] = "proxy header",
    [CONNECTION_HANDSHAKE] = "handshake",
    [CONNECTION_UPGRADE] = "upgrade",
    [CONNECTION_OPEN] = "open",
    [CONNECTION_CLOSING] = "closing",
};

bool stream_next(const struct stream *stream, uint64_t *position, struct stream_view *view)
{
    const struct table *table = &stream->table;
    char *name = (char *)(uintptr_t)stream->name; // the caller's until his next call

    while (*position < table->touched && table->connections[*position].state == CONNECTION_FREE)
        ++*position;
    if (*position >= table->touched)
        return false;
    const struct connection *connection = &table->connections[(*position)++];
    *view = (struct stream_view){.peer = connection->peer,
                                 .listener = connection->listener,
                                 .outgoing = connection->outgoing,
                                 .since_ms = connection->since_ms,
                                 .heard_ms = connection->heard_ms,
                                 .received = connection->received,
                                 .sent = connection->sent,
                                 .held = connection->held_n + connection->outgoing_n,
                                 .state = states[connection->state]};
    if (connection->verified && stream_tls_name(connection, 0, name))
        view->name = slice_text(name);
    return true;
}
