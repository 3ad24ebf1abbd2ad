#include "control/mirror.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "control/log.h"
#include "control/route.h"

#define RECEIVE_BYTES (32 << 10) // the kernel fills a dump's messages up to this
#define SOCKET_BYTES \
    (8 << 20) // of events that may wait; a route flap of a full table is some hundred thousand
#define LOADS_MAX 5
#define READS_MAX 64 // messages taken per call, so that packets get their turn

// A resync's dumps, in order: interfaces first, for routes and neighbours refer to them.
static const struct {
    uint16_t type;
    uint8_t family;
} dumps[] = {
    {RTM_GETLINK, AF_UNSPEC}, {RTM_GETROUTE, AF_INET}, {RTM_GETROUTE, AF_INET6}, {RTM_GETNEIGH, AF_UNSPEC}};

static const int groups[] = {RTNLGRP_LINK,        RTNLGRP_NEIGH,       RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
                             RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_NEXTHOP};

struct control_mirror {
    struct mnl_socket *socket;
    struct net_hops *hops;
    const struct memory *memory;
    struct control_links links;
    struct control_routes *routes;
    struct control_neighbours neighbours;
    control_mirror_news news;
    void *owner;
    unsigned dump;     // in progress; RTE_DIM(dumps): none
    uint32_t sequence; // of the dump in progress
    bool wanted;       // a resync is due
    bool broken;       // the one in progress misses something and must not sweep
    uint64_t refused_seen;
    struct control_mirror_counters counters;
    _Alignas(struct nlmsghdr) char buffer[RECEIVE_BYTES];
};

static int open_socket(struct control_mirror *mirror)
{
    int bytes = SOCKET_BYTES;

    mirror->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (mirror->socket == NULL || mnl_socket_bind(mirror->socket, 0, MNL_SOCKET_AUTOPID) < 0)
        return -errno;
    int fd = mnl_socket_get_fd(mirror->socket);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)); // less, and more resyncs
    for (unsigned i = 0; i < RTE_DIM(groups); i++) {
        int group = groups[i];
        // Linux before 5.3 has no nexthop objects, and nothing to tell of them.
        if (mnl_socket_setsockopt(mirror->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0 &&
            group != RTNLGRP_NEXTHOP)
            return -errno;
    }
    return 0;
}

int control_mirror_create(struct control_mirror **created, const struct control_mirror_setup *setup)
{
    const struct memory *memory = setup->memory;
    struct control_mirror *mirror = memory->take(memory->owner, sizeof(*mirror), MEMORY_ANY_NODE);

    if (mirror == NULL)
        return -ENOMEM;
    mirror->hops = setup->hops;
    mirror->memory = memory;
    mirror->news = setup->news;
    mirror->owner = setup->owner;
    mirror->dump = RTE_DIM(dumps);
    int error = control_routes_create(&mirror->routes, setup->candidates_max, setup->hops, memory);
    if (error == 0)
        error = control_neighbours_open(&mirror->neighbours, setup->hops, &mirror->links, memory);
    if (error == 0)
        error = open_socket(mirror);
    if (error != 0) {
        control_mirror_destroy(mirror);
        return error;
    }
    *created = mirror;
    return 0;
}

void control_mirror_destroy(struct control_mirror *mirror)
{
    if (mirror == NULL)
        return;
    if (mirror->socket != NULL)
        mnl_socket_close(mirror->socket);
    control_neighbours_close(&mirror->neighbours);
    control_routes_destroy(mirror->routes);
    mirror->memory->give(mirror->memory->owner, mirror, sizeof(*mirror));
}

int control_mirror_twin(struct control_mirror *mirror, int ifindex, uint16_t port)
{
    return control_links_twin(&mirror->links, ifindex, port);
}

int control_mirror_fd(const struct control_mirror *mirror)
{
    return mnl_socket_get_fd(mirror->socket);
}

static int request_dump(struct control_mirror *mirror)
{
    _Alignas(struct nlmsghdr) char buffer[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct ifinfomsg))] = {0};
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

    message->nlmsg_type = dumps[mirror->dump].type;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    // Zero is for questions: their errors need no answer here.
    mirror->sequence += mirror->sequence == UINT32_MAX ? 2 : 1;
    message->nlmsg_seq = mirror->sequence;
    // An ifinfomsg begins with the family, as rtmsg and ndmsg do, and is as large as the larger of them.
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
    info->ifi_family = dumps[mirror->dump].family;
    return mnl_socket_sendto(mirror->socket, message, message->nlmsg_len) < 0 ? -errno : 0;
}

static void abandon_dump(struct control_mirror *mirror)
{
    mirror->dump = RTE_DIM(dumps);
    mirror->wanted = true;
}

static int begin_resync(struct control_mirror *mirror)
{
    control_links_mark(&mirror->links);
    control_routes_mark(mirror->routes);
    control_neighbours_mark(&mirror->neighbours);
    mirror->counters.resyncs++;
    mirror->wanted = mirror->broken = false;
    mirror->dump = 0;
    int error = request_dump(mirror);
    if (error != 0)
        abandon_dump(mirror);
    return error;
}

// The next dump, or the end of the resync.
static void end_dump(struct control_mirror *mirror)
{
    if (++mirror->dump < RTE_DIM(dumps)) {
        if (request_dump(mirror) != 0)
            abandon_dump(mirror);
        return;
    }
    if (mirror->broken) {
        mirror->wanted = true;
        return;
    }
    control_routes_sweep(mirror->routes);
    control_neighbours_sweep(&mirror->neighbours);
    control_links_sweep(&mirror->links);
}

static void hear_neighbour(struct control_mirror *mirror, const struct nlmsghdr *message)
{
    struct control_neighbour neighbour;
    enum control_neighbour_news news = control_neighbours_apply(&mirror->neighbours, message, &neighbour);

    if (news != CONTROL_NEIGHBOUR_SAME && mirror->news != NULL)
        mirror->news(mirror->owner, &neighbour, news == CONTROL_NEIGHBOUR_READY);
}

static void hear(struct control_mirror *mirror, const struct nlmsghdr *message)
{
    switch (message->nlmsg_type) {
    case NLMSG_DONE:
        if (message->nlmsg_seq == mirror->sequence && mirror->dump < RTE_DIM(dumps))
            end_dump(mirror);
        break;
    case NLMSG_ERROR:
        if (message->nlmsg_seq == mirror->sequence && mirror->dump < RTE_DIM(dumps))
            abandon_dump(mirror);
        break;
    case RTM_NEWLINK:
    case RTM_DELLINK:
        // In a dump the routes follow anyway.
        if (control_links_apply(&mirror->links, message) && message->nlmsg_seq != mirror->sequence)
            mirror->wanted = true;
        break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        control_route_apply(mirror->routes, &mirror->links, message);
        break;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        hear_neighbour(mirror, message);
        break;
    case RTM_DELADDR: // takes the IPv4 routes along that prefer it as their source, silently
    case RTM_DELNEXTHOP:
        mirror->wanted = true;
        break;
    default:
        break;
    }
}

static void hear_all(struct control_mirror *mirror, size_t bytes)
{
    int left = (int)bytes;

    for (const struct nlmsghdr *message = (const void *)mirror->buffer; mnl_nlmsg_ok(message, left);
         message = mnl_nlmsg_next(message, &left)) {
        mirror->counters.messages++;
        if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0 && message->nlmsg_seq == mirror->sequence)
            mirror->broken = true;
        hear(mirror, message);
    }
}

void control_mirror_read(struct control_mirror *mirror)
{
    for (unsigned i = 0; i < READS_MAX; i++) {
        ssize_t bytes = mnl_socket_recvfrom(mirror->socket, mirror->buffer, sizeof(mirror->buffer));
        if (bytes > 0) {
            hear_all(mirror, (size_t)bytes);
        } else if (bytes < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
            // Events were lost (ENOBUFS), or one was larger than the buffer (ENOSPC, from libmnl).
            mirror->counters.overflows++;
            mirror->wanted = mirror->broken = true;
        } else if (bytes == 0 || errno != EINTR) {
            return;
        }
    }
}

// Until the resync in progress is over.
static int await_dumps(struct control_mirror *mirror, int silence_ms)
{
    struct pollfd readable = {.fd = control_mirror_fd(mirror), .events = POLLIN};

    while (mirror->dump < RTE_DIM(dumps)) {
        int n = poll(&readable, 1, silence_ms);
        if (n == 0)
            return -ETIMEDOUT;
        if (n < 0 && errno != EINTR)
            return -errno;
        control_mirror_read(mirror);
    }
    return 0;
}

int control_mirror_load(struct control_mirror *mirror, int silence_ms)
{
    int error = 0;

    mirror->wanted = true;
    // Where routes flap all the time no dump is consistent: what the last one gave is a start, and ticks go on.
    for (unsigned attempt = 0; error == 0 && mirror->wanted && attempt < LOADS_MAX; attempt++) {
        error = begin_resync(mirror);
        if (error == 0)
            error = await_dumps(mirror, silence_ms);
    }
    return error;
}

// Once per resync or flood, not once per route.
static void complain(struct control_mirror *mirror)
{
    struct control_mirror_counters counters;

    control_mirror_counters(mirror, &counters);
    uint64_t refused = counters.refused_routes + counters.refused_neighbours + counters.refused_links;
    if (refused != mirror->refused_seen)
        CONTROL_LOG(
            ERR,
            "%" PRIu64 " routes, %" PRIu64 " neighbours, %" PRIu64
            " VLAN interfaces of the kernel found no room since the start: raise route_max or neighbour_max "
            "in [network]",
            counters.refused_routes, counters.refused_neighbours, counters.refused_links);
    mirror->refused_seen = refused;
}

void control_mirror_tick(struct control_mirror *mirror)
{
    if (mirror->wanted && mirror->dump == RTE_DIM(dumps))
        (void)begin_resync(mirror); // a failure leaves it wanted
}

int control_mirror_ask(struct control_mirror *mirror, const struct control_neighbour *neighbour)
{
    _Alignas(struct nlmsghdr) char buffer[CONTROL_QUESTION_MAX];
    const struct control_link *link = control_links_of(&mirror->links, neighbour->port, neighbour->vlan);

    if (link == NULL)
        return -ENODEV;
    const struct nlmsghdr *question = control_neighbours_question(buffer, &neighbour->address, link->ifindex);
    mirror->counters.questions++;
    return mnl_socket_sendto(mirror->socket, question, question->nlmsg_len) < 0 ? -errno : 0;
}

void control_mirror_verify(struct control_mirror *mirror)
{
    uint32_t hop = 0;

    while ((hop = control_neighbours_next_stale(&mirror->neighbours, hop)) != 0) {
        const struct net_hop *one = net_hop_at(mirror->hops, hop);
        struct control_neighbour neighbour = {one->address, one->port, one->vlan};
        (void)control_mirror_ask(mirror, &neighbour);
    }
    complain(mirror);
}

void control_mirror_counters(const struct control_mirror *mirror, struct control_mirror_counters *counters)
{
    struct control_routes_counters routes;

    control_routes_counters(mirror->routes, &routes);
    *counters = mirror->counters;
    counters->refused_routes = routes.refused;
    counters->refused_neighbours = mirror->neighbours.refused;
    counters->refused_links = mirror->links.refused;
}
