// What a peer says, on a socket of each kind: messages, PROXY headers, upgrades, frames.
//
// The first byte says which kind; the rest is said twice. Once as it is, to workers that take everything; once cut
// anywhere, to workers that often have no room. What workers get must be the same, and so must the connection's end.
#include "../sip/fuzz.h"

#include <event2/event.h>
#include <fcntl.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/parts.h"
#include "stream/stream.h"
#include "worker/worker.h"

#define SAID_MAX  60000 // bytes of an input
#define TAKEN_MAX 65536
#define UPGRADE                                                                    \
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Protocol: sip\r\n\r\n"

enum { TCP, PROXIED, WS, WS_OPEN, KINDS };

struct outcome {
    uint64_t messages, bytes, sum; // of what workers got
    uint64_t ends[STREAM_ENDS];
    uint64_t pings;
};

static struct conf_listener listeners[3] = {{.transport = ENDPOINT_TCP},
                                            {.transport = ENDPOINT_TCP, .proxy_protocol = true},
                                            {.transport = ENDPOINT_WS}};
static struct conf conf = {.listeners = listeners,
                           .message_max = 2048,
                           .connections_max = 4,
                           .connections_source_max = 4,
                           .stream_buffer_max = 32768,
                           .stream_idle_s = 3600,
                           .stream_message_ms = 5000,
                           .stream_handshake_ms = 5000};

struct room {
    struct event_base *base;
    struct rte_mempool *pool, *large;
    struct stream *stream;
    struct fuzz_dice dice;
    bool hesitant; // workers often have no room
    struct outcome outcome;
};

static bool deliver(void *owner, struct rte_mbuf *mbuf)
{
    struct room *room = owner;
    const struct packet *packet = packet_of(mbuf);

    if (room->hesitant && fuzz_throw(&room->dice, 3) != 0)
        return false;
    FUZZ_CHECK(packet->message.bytes == rte_pktmbuf_mtod(mbuf, const char *));
    FUZZ_CHECK(packet->message.kind != 0 && packet->message.len <= mbuf->data_len);
    FUZZ_CHECK(mbuf->data_len == mbuf->pkt_len && mbuf->data_len <= conf.message_max);
    room->outcome.messages++;
    room->outcome.bytes += mbuf->data_len;
    for (unsigned i = 0; i < mbuf->data_len; i++)
        room->outcome.sum = room->outcome.sum * 31 + *rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, i);
    room->outcome.sum = room->outcome.sum * 31 + packet->parsed;
    rte_pktmbuf_free(mbuf);
    return true;
}

static void unsent(void *owner, struct rte_mbuf *mbuf, uint16_t worker)
{
    (void)owner, (void)mbuf, (void)worker;
    FUZZ_CHECK(false); // nothing was sent
}

// EAL made a directory and keeps nothing in it; nobody knows when a fuzzer ends.
static void tidy(const char *runtime)
{
    static const char *const parts[] = {"/dpdk/rte", "/dpdk", ""};
    char path[128];

    for (unsigned i = 0; i < RTE_DIM(parts); i++) {
        snprintf(path, sizeof(path), "%s%s", runtime, parts[i]);
        (void)remove(path);
    }
}

static void make(struct room *room)
{
    char *arguments[] = {(char *)"fuzz",
                         (char *)"--no-huge",
                         (char *)"--no-pci",
                         (char *)"--no-shconf",
                         (char *)"--no-telemetry",
                         (char *)"-m",
                         (char *)"64",
                         (char *)"--lcores=0@0",
                         (char *)"--log-level=*:error",
                         NULL};
    static char runtime[] = "/tmp/strowger-fuzz-XXXXXX";

    FUZZ_CHECK(mkdtemp(runtime) != NULL && setenv("RUNTIME_DIRECTORY", runtime, 1) == 0);
    FUZZ_CHECK(rte_eal_init(RTE_DIM(arguments) - 1, arguments) >= 0);
    tidy(runtime);
    room->base = event_base_new();
    room->pool =
        rte_pktmbuf_pool_create("pool", 63, 0, PACKET_SIZE, RTE_PKTMBUF_HEADROOM + 1024, SOCKET_ID_ANY);
    room->large = rte_pktmbuf_pool_create("large", 7, 0, PACKET_SIZE,
                                          RTE_PKTMBUF_HEADROOM + WORKER_LARGE_ROOM, SOCKET_ID_ANY);
    FUZZ_CHECK(room->base != NULL && room->pool != NULL && room->large != NULL);
    const struct stream_setup setup = {.base = room->base,
                                       .conf = &conf,
                                       .pool = room->pool,
                                       .large = room->large,
                                       .memory = &memory_system,
                                       .deliver = deliver,
                                       .unsent = unsent,
                                       .owner = room};
    // Nobody listens: connections are handed in as if they had been accepted.
    FUZZ_CHECK(stream_create(&room->stream, &setup) == 0);
    conf.listeners_n = RTE_DIM(listeners);
    FUZZ_CHECK(stream_table_create(&room->stream->table, conf.connections_max, &memory_system) == 0);
}

static void turn(struct room *room)
{
    do
        FUZZ_CHECK(event_base_loop(room->base, EVLOOP_NONBLOCK) >= 0);
    while (stream_turn(room->stream, room->stream->now_ms) > 0);
    FUZZ_CHECK(room->stream->counters.bytes_held <= 2ull * conf.stream_buffer_max + 16384);
}

static void drain(int peer)
{
    char heard[4096];

    while (recv(peer, heard, sizeof(heard), MSG_DONTWAIT) > 0)
        ;
}

static void say(struct room *room, int peer, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t piece =
            room->hesitant ? 1 + fuzz_throw(&room->dice, fuzz_throw(&room->dice, 4) ? 40 : 4000) : len;
        ssize_t n = send(peer, bytes, RTE_MIN(piece, len), MSG_DONTWAIT | MSG_NOSIGNAL);
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
        drain(peer);
        turn(room);
        if (n < 0 && errno != EAGAIN)
            return; // it was thrown out
    }
}

static struct outcome meet(struct room *room, unsigned kind, bool hesitant, struct slice input)
{
    static const uint8_t of_kind[KINDS] = {[TCP] = 0, [PROXIED] = 1, [WS] = 2, [WS_OPEN] = 2};
    struct stream *stream = room->stream;
    struct endpoint peer = endpoint_ip4(192, 0, 2, 1, 5060);
    int fds[2];

    room->outcome = (struct outcome){0};
    room->dice = fuzz_dice_of(input);
    room->hesitant = hesitant;
    memset(stream->counters.ends, 0, sizeof(stream->counters.ends));
    stream->counters.pings = 0;
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    struct connection *connection = stream_connection_create(stream, fds[0], &peer, of_kind[kind], false);
    FUZZ_CHECK(connection != NULL);
    stream_connection_settle(connection, stream_connection_advance(connection));
    if (kind == WS_OPEN)
        say(room, fds[1], UPGRADE, strlen(UPGRADE));
    say(room, fds[1], input.at, input.len);
    shutdown(fds[1], SHUT_WR);
    for (unsigned i = 0; stream->counters.connections[listeners[of_kind[kind]].transport] > 0; i++) {
        FUZZ_CHECK(i < 100000);
        drain(fds[1]);
        turn(room);
    }
    close(fds[1]);
    memcpy(room->outcome.ends, stream->counters.ends, sizeof(room->outcome.ends));
    room->outcome.pings = stream->counters.pings;
    FUZZ_CHECK(stream->counters.bytes_held == 0);
    return room->outcome;
}

static void tell(const char *what, const struct outcome *outcome)
{
    fprintf(stderr, "%s: %llu messages, %llu bytes, %llu pings", what, (unsigned long long)outcome->messages,
            (unsigned long long)outcome->bytes, (unsigned long long)outcome->pings);
    for (unsigned end = 0; end < STREAM_ENDS; end++) {
        if (outcome->ends[end] > 0)
            fprintf(stderr, ", %s", stream_end_name((enum stream_end)end));
    }
    fputc('\n', stderr);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct room room;

    if (room.stream == NULL)
        make(&room);
    if (len < 1 || len > SAID_MAX)
        return 0;
    struct slice input = slice_of((const char *)bytes + 1, len - 1);
    struct outcome whole = meet(&room, bytes[0] % KINDS, false, input);
    struct outcome cut = meet(&room, bytes[0] % KINDS, true, input);
    uint64_t ends = 0;
    for (unsigned end = 0; end < STREAM_ENDS; end++)
        ends += whole.ends[end];
    if (ends != 1 || memcmp(&whole, &cut, sizeof(whole)) != 0) {
        tell("whole", &whole);
        tell("cut", &cut);
        FUZZ_CHECK(!"the same");
    }
    // All buffers are back, but for the one of each kind that waits for the next message.
    FUZZ_CHECK(rte_mempool_in_use_count(room.pool) <= 1 && rte_mempool_in_use_count(room.large) <= 1);
    return 0;
}
