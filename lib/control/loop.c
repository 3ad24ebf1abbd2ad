#include "control/loop.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "control/log.h"
#include "control/parts.h"
#include "control/telemetry.h"

#define FRAMES_MAX 64 // of one twin, before the next gets its turn
#define US_PER_S   1000000

// The port of a punted frame, when it has a twin.
static struct control_port *port_of(struct control *control, uint16_t port)
{
    if (port >= control->setup.conf->ports_n || control->ports[port].twin.fd < 0)
        return NULL;
    return &control->ports[port];
}

static void take_punted(struct control *control, struct rte_mbuf *mbuf, const struct worker *worker)
{
    const struct packet *packet = packet_of(mbuf);
    struct control_port *port;

    switch (packet->errand) {
    case PACKET_FRAME:
        if ((port = port_of(control, packet->port)) != NULL)
            control_twin_write(&port->twin, mbuf);
        else
            control_drop(control, mbuf, DROP_NO_TWIN);
        break;
    case PACKET_DATAGRAM: {
        struct endpoint to = packet->to;
        control_resolve_put(control->resolve, mbuf, &to, worker->id, control->now_ms);
        break;
    }
    case PACKET_STREAM:
        control_streams_send(control, mbuf, worker->id);
        break;
    case PACKET_ANSWER:
        control_commands_hear(control->commands, mbuf);
        break;
    case PACKET_RESOLVE:
        if (control->dns != NULL)
            control_dns_park(control->dns, mbuf, worker->id, control->now_ms);
        else
            control_drop(control, mbuf, DROP_NO_TWIN); // there is no configuration to serve by
        break;
    default: // nothing else is ever punted
        control_drop(control, mbuf, DROP_NO_TWIN);
        break;
    }
}

static unsigned poll_punts(struct control *control)
{
    struct rte_mbuf *burst[WORKER_BURST];
    unsigned taken = 0;

    for (unsigned w = 0; w < control->setup.workers_n; w++) {
        struct worker *worker = control->setup.workers[w];
        unsigned n = rte_ring_dequeue_burst(worker->punt, (void **)burst, WORKER_BURST, NULL);
        for (unsigned i = 0; i < n; i++)
            take_punted(control, burst[i], worker);
        taken += n;
    }
    control->counters.punted += taken;
    return taken;
}

static void on_twin(evutil_socket_t fd, short what, void *argument)
{
    struct control_port *port = argument;
    struct rte_mbuf *mbuf;

    (void)fd, (void)what;
    for (unsigned i = 0; i < FRAMES_MAX && (mbuf = control_twin_read(&port->twin)) != NULL; i++) {
        struct packet *packet = packet_of(mbuf);
        packet->errand = PACKET_FRAME;
        packet->port = port->twin.port;
        packet->vlan = 0; // the kernel's tags are in the frame
        control_inject(port->control, mbuf, port->sender);
    }
}

static void on_netlink(evutil_socket_t fd, short what, void *argument)
{
    const struct control *control = argument;

    (void)fd, (void)what;
    control_mirror_read(control->mirror);
}

static void on_tick(evutil_socket_t fd, short what, void *argument)
{
    struct control *control = argument;

    (void)fd, (void)what;
    control->now_ms = clock_monotonic_ms();
    control_mirror_tick(control->mirror);
    control_resolve_tick(control->resolve, control->now_ms);
    net_hops_reclaim(control->setup.hops);
    if (control->dns != NULL)
        control_dns_tick(control->dns, control->now_ms);
    if (control->reload != NULL)
        control_reload_tick(control->reload, control->now_ms);
    if (control->setup.commit != NULL)
        control_commit_tick(control->setup.commit, control->now_ms);
    control_commands_tick(control->commands);
    control_drain_tick(control);
}

static void on_hangup(evutil_socket_t number, short what, void *argument)
{
    struct control *control = argument;

    (void)number, (void)what;
    control->now_ms = clock_monotonic_ms();
    if (control->reload != NULL)
        control_reload_ask(control->reload, control->now_ms);
}

static void on_verify(evutil_socket_t fd, short what, void *argument)
{
    struct control *control = argument;

    (void)fd, (void)what;
    control_mirror_verify(control->mirror);
    control_tune_clocks(control);
}

static void on_idle(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what, (void)argument; // it ended the sleep, that is all
}

static void on_signal(evutil_socket_t number, short what, void *argument)
{
    struct control *control = argument;

    (void)what;
    CONTROL_LOG(INFO, "stopping on %s", strsignal((int)number));
    if (control->setup.stop != NULL)
        control->setup.stop(control->setup.owner);
    control_stop(control);
}

void control_stop(struct control *control)
{
    atomic_store(&control->stopping, true);
}

// What was given to a worker is mostly answered at once, and an answer that finds control asleep waits for a nap's end.
static bool stays_awake(struct control *control, bool busy)
{
    uint64_t now_tsc = rte_rdtsc();

    if (busy || control->counters.injected != control->injected_before)
        control->awake_tsc = now_tsc + rte_get_tsc_hz() / US_PER_S * CONTROL_AWAKE_US;
    control->injected_before = control->counters.injected;
    return now_tsc < control->awake_tsc;
}

int control_turn(struct control *control)
{
    static const struct timeval nap = {.tv_usec = CONTROL_IDLE_MS * 1000};
    int flags = EVLOOP_NONBLOCK;

    control->now_ms = clock_monotonic_ms();
    bool busy = poll_punts(control) > 0;
    if (control_streams_turn(control))
        busy = true;
    if (control->cdr != NULL && control_cdr_turn(control->cdr, control->now_ms))
        busy = true;
    if (stays_awake(control, busy)) {
        control->counters.busy_turns++;
    } else {
        control->counters.idle_turns++;
        flags = EVLOOP_ONCE;
        if (event_add(control->idle, &nap) != 0)
            return -ENOMEM;
    }
    return event_base_loop(control->base, flags) < 0 ? -EIO : 0;
}

int control_run(struct control *control)
{
    int error = 0;

    while (error == 0 && !atomic_load(&control->stopping))
        error = control_turn(control);
    return error;
}

static int watch(struct control *control, struct event **event, evutil_socket_t fd, short what,
                 event_callback_fn run, void *argument, unsigned period_ms)
{
    struct timeval period = {.tv_sec = period_ms / 1000, .tv_usec = period_ms % 1000 * 1000};

    *event = event_new(control->base, fd, what, run, argument);
    if (*event == NULL || event_add(*event, period_ms == 0 ? NULL : &period) != 0)
        return -ENOMEM;
    return 0;
}

static int watch_all(struct control *control)
{
    int error = watch(control, &control->tick, -1, EV_PERSIST, on_tick, control, CONTROL_TICK_MS);
    if (error == 0)
        error = watch(control, &control->verify, -1, EV_PERSIST, on_verify, control, CONTROL_VERIFY_MS);
    if (error == 0)
        error = watch(control, &control->idle, -1, 0, on_idle, control, CONTROL_IDLE_MS);
    if (error == 0)
        error = watch(control, &control->netlink, control_mirror_fd(control->mirror), EV_READ | EV_PERSIST,
                      on_netlink, control, 0);
    if (error == 0)
        error = watch(control, &control->terminate, SIGTERM, EV_SIGNAL | EV_PERSIST, on_signal, control, 0);
    if (error == 0)
        error = watch(control, &control->interrupt, SIGINT, EV_SIGNAL | EV_PERSIST, on_signal, control, 0);
    if (error == 0)
        error = watch(control, &control->hangup, SIGHUP, EV_SIGNAL | EV_PERSIST, on_hangup, control, 0);
    for (unsigned i = 0; error == 0 && i < control->setup.conf->ports_n; i++) {
        struct control_port *port = &control->ports[i];
        if (port->twin.fd >= 0)
            error = watch(control, &port->readable, port->twin.fd, EV_READ | EV_PERSIST, on_twin, port, 0);
    }
    return error;
}

static void unwatch(struct event **event)
{
    if (*event != NULL)
        event_free(*event);
    *event = NULL;
}

static void unwatch_all(struct control *control)
{
    unwatch(&control->tick);
    unwatch(&control->verify);
    unwatch(&control->idle);
    unwatch(&control->netlink);
    unwatch(&control->terminate);
    unwatch(&control->interrupt);
    unwatch(&control->hangup);
    for (unsigned i = 0; i < control->setup.conf->ports_n; i++)
        unwatch(&control->ports[i].readable);
}

// The worker that transmits for a port: one with a queue there, others for other ports.
static struct worker *sender_of(const struct control_setup *setup, unsigned port)
{
    for (unsigned i = 0; i < setup->workers_n; i++) {
        struct worker *worker = setup->workers[(port + i) % setup->workers_n];
        if (worker->ports[port].tx_queue != WORKER_NO_QUEUE)
            return worker;
    }
    return setup->workers[port % setup->workers_n];
}

static int open_twins(struct control *control)
{
    const struct control_setup *setup = &control->setup;

    for (unsigned i = 0; i < setup->conf->ports_n; i++) {
        struct control_port *port = &control->ports[i];
        struct rte_ether_addr mac;
        if (setup->conf->ports[i].twin == NULL)
            continue;
        int error = rte_eth_macaddr_get(setup->ports[i], &mac);
        if (error == 0)
            error = control_twin_open(&port->twin, &setup->conf->ports[i], (uint16_t)i, &mac, setup->pool);
        if (error == 0)
            error = control_mirror_twin(control->mirror, port->twin.ifindex, (uint16_t)i);
        if (error != 0)
            return error;
        port->sender = sender_of(setup, i);
    }
    return 0;
}

static void close_twins(struct control *control)
{
    for (unsigned i = 0; i < control->setup.conf->ports_n; i++)
        control_twin_close(&control->ports[i].twin);
}

static size_t port_bytes(const struct control_setup *setup)
{
    return RTE_MAX(setup->conf->ports_n, 1u) * sizeof(struct control_port);
}

int control_create(struct control **created, const struct control_setup *setup)
{
    const struct memory *memory = setup->memory;
    int error = -ENOMEM;

    struct control *control = memory->take(memory->owner, sizeof(*control), MEMORY_ANY_NODE);
    if (control == NULL)
        return error;
    control->setup = *setup;
    control->now_ms = control->started_ms = clock_monotonic_ms();
    control->ports = memory->take(memory->owner, port_bytes(setup), MEMORY_ANY_NODE);
    if (control->ports == NULL)
        goto undo_control;
    for (unsigned i = 0; i < setup->conf->ports_n; i++)
        control->ports[i] = (struct control_port){.control = control, .twin.fd = -1};
    control->base = event_base_new();
    if (control->base == NULL)
        goto undo_ports;
    error = control_parts_make(control);
    if (error != 0)
        goto undo_base;
    error = open_twins(control);
    if (error != 0)
        goto undo_twins;
    error = control_mirror_load(control->mirror, CONTROL_LOAD_MS);
    if (error != 0) {
        CONTROL_LOG(ERR, "cannot read the kernel's routes and neighbours: %s", strerror(-error));
        goto undo_twins;
    }
    error = watch_all(control);
    if (error != 0)
        goto undo_events;
    control_telemetry_open(control);
    *created = control;
    return 0;

undo_events:
    unwatch_all(control);
undo_twins:
    close_twins(control);
    control_parts_unmake(control);
undo_base:
    event_base_free(control->base);
undo_ports:
    memory->give(memory->owner, control->ports, port_bytes(setup));
undo_control:
    memory->give(memory->owner, control, sizeof(*control));
    return error;
}

static void drain(struct control *control)
{
    void *mbuf;

    for (unsigned w = 0; w < control->setup.workers_n; w++) {
        while (rte_ring_dequeue(control->setup.workers[w]->punt, &mbuf) == 0)
            control_drop(control, mbuf, DROP_STOPPING);
    }
}

void control_destroy(struct control *control)
{
    if (control == NULL)
        return;
    const struct memory *memory = control->setup.memory;
    control_telemetry_close();
    unwatch_all(control);
    drain(control);
    close_twins(control);
    control_parts_unmake(control);
    event_base_free(control->base);
    memory->give(memory->owner, control->ports, port_bytes(&control->setup));
    memory->give(memory->owner, control, sizeof(*control));
}
