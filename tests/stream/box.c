#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_random.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stream/address.h"
#include "worker/worker.h"

#define MBUFS 1023
#define PORT  15060

static char runtime[] = "/tmp/strowger-test-XXXXXX";

int box_eal(void **state)
{
    (void)state;
    if (mkdtemp(runtime) == NULL || setenv("RUNTIME_DIRECTORY", runtime, 1) != 0)
        return -1;
    char *arguments[] = {(char *)"test",
                         (char *)"--no-huge",
                         (char *)"--no-pci",
                         (char *)"--no-shconf",
                         (char *)"--no-telemetry",
                         (char *)"-m",
                         (char *)"128",
                         (char *)"--lcores=0@0",
                         (char *)"--file-prefix=t",
                         (char *)"--log-level=*:error",
                         (char *)"--log-level=strowger.stream:critical",
                         NULL};
    return rte_eal_init(RTE_DIM(arguments) - 1, arguments) < 0 ? -1 : 0;
}

int box_eal_end(void **state)
{
    static const char *const parts[] = {"/dpdk/t", "/dpdk", ""};
    char path[128];

    (void)state;
    rte_eal_cleanup();
    for (unsigned i = 0; i < RTE_DIM(parts); i++) {
        snprintf(path, sizeof(path), "%s%s", runtime, parts[i]);
        (void)remove(path);
    }
    return 0;
}

static struct rte_mempool *make_pool(unsigned n, uint16_t room)
{
    char name[RTE_MEMPOOL_NAMESIZE];

    snprintf(name, sizeof(name), "box%" PRIx64, rte_rand());
    struct rte_mempool *pool =
        rte_pktmbuf_pool_create(name, n, 0, PACKET_SIZE, RTE_PKTMBUF_HEADROOM + room, SOCKET_ID_ANY);
    assert_non_null(pool);
    return pool;
}

// What is counted here is what the room takes at start; what it allocates later, AddressSanitizer counts.
static void *take(void *owner, size_t bytes, int node)
{
    struct box *box = owner;

    (void)node;
    if (box->takes_left == 0)
        return NULL;
    if (box->takes_left > 0)
        box->takes_left--;
    box->taken_bytes += bytes;
    return calloc(1, bytes);
}

static void give(void *owner, void *at, size_t bytes)
{
    struct box *box = owner;

    if (at != NULL)
        box->taken_bytes -= bytes;
    free(at);
}

static bool deliver(void *owner, struct rte_mbuf *mbuf)
{
    struct box *box = owner;

    if (box->full ||
        (box->only.family != ENDPOINT_NONE && !endpoint_equal(&box->only, &box_packet(mbuf)->arrival.source)))
        return false;
    assert_in_range(box->taken_n, 0, BOX_TAKEN_MAX - 1);
    box->taken[box->taken_n++] = mbuf;
    return true;
}

static void unsent(void *owner, struct rte_mbuf *mbuf, uint16_t worker)
{
    struct box *box = owner;

    assert_in_range(box->unsent_n, 0, BOX_TAKEN_MAX - 1);
    box->unsent_worker[box->unsent_n] = worker;
    box->unsent[box->unsent_n++] = mbuf;
}

static uint16_t identify(void *owner, struct slice name)
{
    struct box *box = owner;
    size_t len = strlen(box->identified);

    snprintf(box->identified + len, sizeof(box->identified) - len, "%.*s ", SLICE_PRINT(name));
    return box->gateway != NULL && slice_equal(name, slice_text(box->gateway)) ? 5 : 0;
}

static bool expect(void *owner, const struct endpoint *to, const struct rte_mbuf *mbuf, char *name)
{
    const struct box *box = owner;

    (void)to, (void)mbuf;
    if (box->expected != NULL)
        strcpy(name, box->expected);
    return box->expected != NULL;
}

// 127.X.Y.host, X and Y this process's: tests that run beside each other share no port.
struct endpoint box_address(uint8_t host)
{
    unsigned pid = (unsigned)getpid();

    return endpoint_ip4(127, (uint8_t)(1 + (pid >> 8) % 254), (uint8_t)pid, host, PORT);
}

void box_add(struct box *box, unsigned i, enum endpoint_transport transport)
{
    static char name[] = "listener";

    box->listeners[i] = (struct conf_listener){.name = name, .transport = transport, .port = CONF_NONE};
    box->listeners[i].address = box_address((uint8_t)(1 + i));
    if (i == BOX_TCP6) {
        assert_true(endpoint_parse(SLICE("[::1]"), &box->listeners[i].address));
        box->listeners[i].address.port = (uint16_t)(20000 + getpid() % 12000);
    }
    box->listeners[i].address.transport = transport & 0xf;
    box->listeners[i].proxy_protocol = i == BOX_PROXIED;
    if (i >= box->conf.listeners_n)
        box->conf.listeners_n = i + 1;
}

void box_make(struct box *box)
{
    *box = (struct box){.takes_left = -1};
    box->memory = (struct memory){take, give, box};
    box->pool = make_pool(MBUFS, 2048);
    box->large = make_pool(63, WORKER_LARGE_ROOM);
    box->base = event_base_new();
    assert_non_null(box->base);
    box->conf.listeners = box->listeners;
    box_add(box, BOX_TCP, ENDPOINT_TCP);
    box_add(box, BOX_TCP6, ENDPOINT_TCP);
    box_add(box, BOX_PROXIED, ENDPOINT_TCP);
    box_add(box, BOX_WS, ENDPOINT_WS);
    box_add(box, BOX_UDP, ENDPOINT_UDP);
    box->conf.message_max = 8192;
    box->conf.connections_max = 64;
    box->conf.connections_source_max = 64;
    box->conf.stream_buffer_max = 65536;
    box->conf.stream_idle_s = 3600;
    box->conf.stream_message_ms = 5000;
    box->conf.stream_connect_ms = 3000;
    box->conf.stream_handshake_ms = 2000;
    box->conf.stream_handshake_threads = 1;
    box->now_ms = clock_monotonic_ms();
}

void box_start(struct box *box, struct stream_tls *tls)
{
    const struct stream_setup setup = {.base = box->base,
                                       .conf = &box->conf,
                                       .tls = tls,
                                       .pool = box->pool,
                                       .large = box->large,
                                       .memory = &box->memory,
                                       .deliver = deliver,
                                       .unsent = unsent,
                                       .identify = identify,
                                       .expect = expect,
                                       .owner = box};

    assert_int_equal(stream_create(&box->stream, &setup), 0);
    box->now_ms = box->stream->now_ms;
}

void box_forget(struct box *box)
{
    rte_pktmbuf_free_bulk(box->taken, box->taken_n);
    rte_pktmbuf_free_bulk(box->unsent, box->unsent_n);
    box->taken_n = box->unsent_n = 0;
}

void box_stop(struct box *box)
{
    stream_destroy(box->stream);
    box_forget(box);
    assert_int_equal(rte_mempool_in_use_count(box->pool), 0);
    assert_int_equal(rte_mempool_in_use_count(box->large), 0);
    assert_int_equal(box->taken_bytes, 0);
    rte_mempool_free(box->pool);
    rte_mempool_free(box->large);
    event_base_free(box->base);
}

void box_turn(struct box *box)
{
    stream_turn(box->stream, box->now_ms);
    assert_in_range(event_base_loop(box->base, EVLOOP_NONBLOCK), 0, 1);
}

void box_pass(struct box *box, uint64_t ms)
{
    box_turn(box);
    box->now_ms += ms;
    box_turn(box);
}

void box_wait(struct box *box)
{
    box_turn(box);
    usleep(50);
}

static int attach(int how, const struct endpoint *from, const struct endpoint *to)
{
    union socket_address name;
    int fd = socket(to->family == ENDPOINT_IP6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); // pieces are what a test cuts
    if (from != NULL) {
        socklen_t len = stream_socket_address_of(from, &name);
        assert_int_equal(bind(fd, &name.any, len), 0);
    }
    socklen_t len = stream_socket_address_of(to, &name);
    if (how != 0)
        assert_int_equal(listen(fd, how), 0);
    else if (connect(fd, &name.any, len) != 0)
        fail_msg("connect: %s", strerror(errno));
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

int box_connect(struct box *box, unsigned listener)
{
    return attach(0, NULL, &box->listeners[listener].address);
}

int box_connect_from(struct box *box, unsigned listener, uint8_t host, uint16_t port)
{
    struct endpoint from = box_address(host);

    from.port = port;
    return attach(0, &from, &box->listeners[listener].address);
}

int box_connect_to(const struct endpoint *to)
{
    return attach(0, NULL, to);
}

int box_listen(struct box *box, uint8_t host, struct endpoint *at)
{
    (void)box;
    *at = box_address(host);
    at->transport = ENDPOINT_TCP;
    return attach(64, at, at);
}

int box_accept(struct box *box, int listening)
{
    int fd;

    box_until(box, (fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
    return fd;
}

void box_say(int peer, const void *bytes, size_t len)
{
    assert_int_equal(send(peer, bytes, len, MSG_NOSIGNAL), len);
}

void box_say_text(int peer, const char *text)
{
    box_say(peer, text, strlen(text));
}

size_t box_hear(struct box *box, int peer, char *to, size_t len)
{
    size_t heard = 0;
    ssize_t n = -1;

    while (heard < len && n != 0) {
        box_until(box, (n = recv(peer, to + heard, len - heard, 0)) >= 0 || errno != EAGAIN);
        heard += n > 0 ? (size_t)n : 0;
        if (n < 0)
            break;
    }
    to[heard] = 0;
    return heard;
}

void box_hears(struct box *box, int peer, const char *text)
{
    char heard[4096];

    assert_in_range(strlen(text), 1, sizeof(heard) - 1);
    box_hear(box, peer, heard, strlen(text));
    assert_string_equal(heard, text);
}

void box_hears_end(struct box *box, int peer)
{
    char heard[2];

    assert_int_equal(box_hear(box, peer, heard, 1), 0);
}

struct slice box_bytes(const struct rte_mbuf *mbuf)
{
    return slice_of(rte_pktmbuf_mtod(mbuf, const char *), mbuf->data_len);
}

const struct packet *box_packet(const struct rte_mbuf *mbuf)
{
    return rte_mbuf_to_priv((struct rte_mbuf *)(uintptr_t)mbuf);
}

void box_took(struct box *box, unsigned n, const char *const *texts)
{
    box_until(box, box->taken_n >= n);
    assert_int_equal(box->taken_n, n);
    for (unsigned i = 0; i < n; i++) {
        struct slice bytes = box_bytes(box->taken[i]);
        assert_int_equal(bytes.len, strlen(texts[i]));
        assert_memory_equal(bytes.at, texts[i], bytes.len);
    }
    box_forget(box);
}

struct rte_mbuf *box_message(struct box *box, const char *text, const struct endpoint *to, unsigned listener)
{
    size_t len = strlen(text);
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(len > 2048 ? box->large : box->pool);

    assert_non_null(mbuf);
    memcpy(rte_pktmbuf_append(mbuf, (uint16_t)len), text, len);
    packet_of(mbuf)->to = *to;
    packet_of(mbuf)->listener = (uint8_t)listener;
    packet_of(mbuf)->errand = PACKET_STREAM;
    return mbuf;
}

void box_send(struct box *box, const char *text, const struct endpoint *to, unsigned listener)
{
    stream_send(box->stream, box_message(box, text, to, listener), 3, box->now_ms);
}

uint64_t box_ended(const struct box *box, enum stream_end end)
{
    return stream_counters(box->stream)->ends[end];
}

uint64_t box_connections(const struct box *box)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < ENDPOINT_TRANSPORTS; i++)
        all += stream_counters(box->stream)->connections[i];
    return all;
}

bool box_view(const struct box *box, struct stream_view *view)
{
    uint64_t position = 0;

    return stream_next(box->stream, &position, view);
}
