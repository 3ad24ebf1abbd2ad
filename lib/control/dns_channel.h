// dns_channel: questions to name servers: c-ares on control's event loop.
//
// One channel asks the configured servers over UDP, and over TCP where an answer is cut off, tries again after silence,
// and gives each question exactly one answer. Control thread only; memory and sockets are c-ares's and libevent's.
#ifndef CONTROL_DNS_CHANNEL_H
#define CONTROL_DNS_CHANNEL_H

#include <ares.h>
#include <event2/event.h>

#include "base/endpoint.h"

enum control_dns_type { // RFC 1035 3.2.2, 3596, 2782, 3403
    CONTROL_DNS_A = 1,
    CONTROL_DNS_AAAA = 28,
    CONTROL_DNS_SRV = 33,
    CONTROL_DNS_NAPTR = 35,
};

struct control_dns_channel_setup {
    struct event_base *base;
    const struct endpoint *servers; // port 0: 53
    unsigned servers_n;             // 0: those of /etc/resolv.conf
    uint32_t timeout_ms;            // of a server's first try; c-ares doubles it for each round after
    uint16_t tries;                 // at each server
};

struct control_dns_channel;

// 0, -ENOMEM, -EINVAL.
int control_dns_channel_create(struct control_dns_channel **channel,
                               const struct control_dns_channel_setup *setup);
// Whoever still waits is answered ARES_EDESTRUCTION. NULL is allowed.
void control_dns_channel_destroy(struct control_dns_channel *channel);

// Asks for the records of a name. `answered` is called once, perhaps before this returns.
void control_dns_channel_ask(struct control_dns_channel *channel, const char *name,
                             enum control_dns_type type, ares_callback answered, void *owner);

#endif
