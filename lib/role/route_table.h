// route_table: what role/route.h hides, for the two files that fill it: whose an address or a name is (route.c), and
// the texts that are written once (route_text.c).
#ifndef ROLE_ROUTE_TABLE_H
#define ROLE_ROUTE_TABLE_H

#include "role/route.h"

#define TEXT_MAX   128 // bytes of a ready Via or Record-Route, around ENDPOINT_TEXT_MAX of address
#define SERVER_MAX 256 // bytes of the Server line
#define PAIRS      1024

// A host name, in lower case, and the domain that has it.
struct domain_name {
    struct slice name; // at == NULL: an empty slot
    int16_t domain;
};

// An address of ours: a listener's own, its advertised one, or one that stands among a domain's names.
struct own_address {
    struct endpoint endpoint; // port 0: a domain's name, on whatever port
    struct slice text;        // of the host, to recognise it without parsing
    int16_t listener;         // or CONF_NONE
    int16_t domain;           // that has the address as a name, or CONF_NONE
};

struct listener_text {
    char via[TEXT_MAX], record_route[2][TEXT_MAX]; // of a sip and of a sips URI
    uint8_t via_len, record_route_len[2];
};

struct role_route {
    const struct conf *conf;
    uint32_t names_mask; // slots - 1
    struct domain_name *names;
    struct own_address *addresses;
    unsigned addresses_n;
    unsigned transports; // of the listeners, a bit for each enum endpoint_transport
    struct listener_text *listeners;
    bool scanner_pair[PAIRS]; // by pair_of() a User-Agent's first two bytes: some scanner's name begins so
    unsigned server_len;
    char server[SERVER_MAX];
};

static inline struct slice text_of(const struct conf_text *text)
{
    return slice_of(text->text, text->len);
}

// route_text.c: everything but names and addresses; route->listeners has its memory.
void role_route_write_texts(struct role_route *route);

#endif
