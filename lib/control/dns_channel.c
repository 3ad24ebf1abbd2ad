#include "control/dns_channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// c-ares has one UDP and one TCP socket open for each server.
#define SOCKETS_MAX 64

#define EDNS_BYTES 1232 // of an answer by UDP: what no usual path cuts into fragments

struct watched {
    ares_socket_t fd;
    struct event *event; // NULL: free
};

struct control_dns_channel {
    struct event_base *base;
    ares_channel ares;
    struct event *timer;
    struct watched sockets[SOCKETS_MAX];
};

// The next moment at which c-ares wants to give up on a try.
static void arm(struct control_dns_channel *channel)
{
    struct timeval left;

    if (ares_timeout(channel->ares, NULL, &left) != NULL)
        (void)event_add(channel->timer, &left);
    else
        (void)event_del(channel->timer);
}

static void on_socket(evutil_socket_t fd, short what, void *argument)
{
    struct control_dns_channel *channel = argument;

    ares_process_fd(channel->ares, what & EV_READ ? fd : ARES_SOCKET_BAD,
                    what & EV_WRITE ? fd : ARES_SOCKET_BAD);
    arm(channel);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct control_dns_channel *channel = argument;

    (void)fd, (void)what;
    ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(channel);
}

static struct watched *find(struct control_dns_channel *channel, ares_socket_t fd)
{
    for (unsigned i = 0; i < SOCKETS_MAX; i++) {
        if (channel->sockets[i].event != NULL && channel->sockets[i].fd == fd)
            return &channel->sockets[i];
    }
    return NULL;
}

static struct watched *find_free(struct control_dns_channel *channel)
{
    for (unsigned i = 0; i < SOCKETS_MAX; i++) {
        if (channel->sockets[i].event == NULL)
            return &channel->sockets[i];
    }
    return NULL;
}

// c-ares says what it waits for on a socket; nothing any more before it closes it. A socket that cannot be watched is
// one whose server seems silent.
static void on_state(void *argument, ares_socket_t fd, int readable, int writable)
{
    struct control_dns_channel *channel = argument;
    struct watched *watched = find(channel, fd);

    if (watched != NULL) {
        event_free(watched->event);
        watched->event = NULL;
    }
    if (!readable && !writable)
        return;
    watched = find_free(channel);
    if (watched == NULL)
        return;
    watched->fd = fd;
    watched->event = event_new(channel->base, fd,
                               (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST),
                               on_socket, channel);
    if (watched->event != NULL)
        (void)event_add(watched->event, NULL);
}

static int set_servers(ares_channel ares, const struct control_dns_channel_setup *setup)
{
    struct ares_addr_port_node *nodes = calloc(setup->servers_n, sizeof(*nodes));

    if (nodes == NULL)
        return ARES_ENOMEM;
    for (unsigned i = 0; i < setup->servers_n; i++) {
        const struct endpoint *server = &setup->servers[i];
        nodes[i].next = i + 1 < setup->servers_n ? &nodes[i + 1] : NULL;
        nodes[i].family = server->family == ENDPOINT_IP6 ? AF_INET6 : AF_INET;
        nodes[i].udp_port = nodes[i].tcp_port = server->port != 0 ? server->port : 53;
        memcpy(&nodes[i].addr, server->address, server->family == ENDPOINT_IP6 ? 16 : 4);
    }
    int status = ares_set_servers_ports(ares, nodes);
    free(nodes);
    return status;
}

static int open_ares(struct control_dns_channel *channel, const struct control_dns_channel_setup *setup)
{
    struct ares_options options = {.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
                                   .timeout = (int)setup->timeout_ms,
                                   .tries = setup->tries,
                                   .ednspsz = EDNS_BYTES,
                                   .sock_state_cb = on_state,
                                   .sock_state_cb_data = channel};

    int status = ares_init_options(&channel->ares, &options,
                                   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
                                       ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE);
    if (status != ARES_SUCCESS)
        return status;
    if (setup->servers_n > 0)
        status = set_servers(channel->ares, setup);
    if (status != ARES_SUCCESS)
        ares_destroy(channel->ares);
    return status;
}

int control_dns_channel_create(struct control_dns_channel **created,
                               const struct control_dns_channel_setup *setup)
{
    int status = ares_library_init(ARES_LIB_INIT_ALL);

    if (status != ARES_SUCCESS)
        return -ENOMEM;
    struct control_dns_channel *channel = calloc(1, sizeof(*channel));
    if (channel == NULL)
        goto undo_library;
    channel->base = setup->base;
    channel->timer = evtimer_new(setup->base, on_timer, channel);
    if (channel->timer == NULL)
        goto undo_channel;
    status = open_ares(channel, setup);
    if (status != ARES_SUCCESS)
        goto undo_timer;
    *created = channel;
    return 0;

undo_timer:
    event_free(channel->timer);
undo_channel:
    free(channel);
undo_library:
    ares_library_cleanup();
    return status == ARES_SUCCESS || status == ARES_ENOMEM ? -ENOMEM : -EINVAL;
}

void control_dns_channel_destroy(struct control_dns_channel *channel)
{
    if (channel == NULL)
        return;
    ares_destroy(channel->ares);
    event_free(channel->timer);
    free(channel);
    ares_library_cleanup();
}

void control_dns_channel_ask(struct control_dns_channel *channel, const char *name,
                             enum control_dns_type type, ares_callback answered, void *owner)
{
    ares_query(channel->ares, name, 1, (int)type, answered, owner); // class IN
    arm(channel);
}
