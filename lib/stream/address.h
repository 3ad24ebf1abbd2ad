// address: endpoints as the kernel's sockets have them.
#ifndef STREAM_ADDRESS_H
#define STREAM_ADDRESS_H

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/endpoint.h"

union socket_address {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
};

static inline socklen_t stream_socket_address_of(const struct endpoint *endpoint,
                                                 union socket_address *address)
{
    memset(address, 0, sizeof(*address));
    if (endpoint->family == ENDPOINT_IP4) {
        address->ip4.sin_family = AF_INET;
        address->ip4.sin_port = htons(endpoint->port);
        memcpy(&address->ip4.sin_addr, endpoint->address, 4);
        return sizeof(address->ip4);
    }
    address->ip6.sin6_family = AF_INET6;
    address->ip6.sin6_port = htons(endpoint->port);
    memcpy(&address->ip6.sin6_addr, endpoint->address, 16);
    return sizeof(address->ip6);
}

static inline struct endpoint stream_socket_address_endpoint(const union socket_address *address)
{
    struct endpoint endpoint = {.family = ENDPOINT_NONE};

    if (address->any.sa_family == AF_INET) {
        endpoint.family = ENDPOINT_IP4;
        endpoint.port = ntohs(address->ip4.sin_port);
        memcpy(endpoint.address, &address->ip4.sin_addr, 4);
    } else if (address->any.sa_family == AF_INET6) {
        endpoint.family = ENDPOINT_IP6;
        endpoint.port = ntohs(address->ip6.sin6_port);
        memcpy(endpoint.address, &address->ip6.sin6_addr, 16);
    }
    return endpoint;
}

#endif
