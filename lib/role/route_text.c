// The texts that every forward or answer needs, written once, and the scanners that get none.
#include "role/route_table.h"

#include "sip/transport.h"

static unsigned append(char *line, unsigned len, struct slice piece)
{
    memcpy(line + len, piece.at, piece.len);
    return len + piece.len;
}

// RFC 3261 26.2.2, RFC 5630 5.3: transport=tls is not said in a sips URI, whose scheme says it; in a sip URI nothing
// else does.
static unsigned write_record_route(char *line, bool sips, enum endpoint_transport transport,
                                   struct slice advertised)
{
    bool says = !sips || transport != ENDPOINT_TLS;
    unsigned len = append(line, 0, sips ? SLICE("Record-Route: <sips:") : SLICE("Record-Route: <sip:"));

    len = append(line, len, advertised);
    if (says)
        len = append(line, len, sip_transport_param(transport));
    return append(line, len, SLICE(";lr>\r\n"));
}

// RFC 5923 4, 8.1: over TLS we have a certificate to show, so what a server sends us may come by this connection.
static unsigned write_via(char *line, enum endpoint_transport transport, struct slice advertised)
{
    unsigned len = append(line, 0, SLICE("Via: SIP/2.0/"));

    len = append(line, len, sip_transport_name(transport));
    len = append(line, len, SLICE(" "));
    len = append(line, len, advertised);
    if (transport == ENDPOINT_TLS)
        len = append(line, len, SLICE(";alias"));
    return append(line, len, SLICE(";branch="));
}

static void write_listener(struct listener_text *text, const struct conf_listener *listener)
{
    struct slice advertised = text_of(&listener->advertised_text);

    text->via_len = (uint8_t)write_via(text->via, listener->transport, advertised);
    for (unsigned sips = 0; sips < 2; sips++)
        text->record_route_len[sips] =
            (uint8_t)write_record_route(text->record_route[sips], sips != 0, listener->transport, advertised);
}

static void add_server_line(struct role_route *route)
{
    const struct conf_text *name = &route->conf->server_name;

    if (name->len == 0 || name->len > SERVER_MAX - sizeof("Server: \r\n"))
        return;
    memcpy(route->server, "Server: ", 8);
    memcpy(route->server + 8, name->text, name->len);
    memcpy(route->server + 8 + name->len, "\r\n", 2);
    route->server_len = 8 + name->len + 2;
}

// The low five bits of each: the same for a letter in either case.
static unsigned pair_of(char first, char second)
{
    return (unsigned)(first & 31) << 5 | (unsigned)(second & 31);
}

static void add_scanners(struct role_route *route)
{
    for (unsigned i = 0; i < route->conf->scanners_n; i++) {
        struct slice name = text_of(&route->conf->scanners[i]);
        for (unsigned c = 0; c < 32 && name.len > 0; c++) {
            if (name.len == 1 || pair_of(0, (char)c) == pair_of(0, name.at[1]))
                route->scanner_pair[pair_of(name.at[0], (char)c)] = true;
        }
    }
}

void role_route_write_texts(struct role_route *route)
{
    for (unsigned i = 0; i < route->conf->listeners_n; i++)
        write_listener(&route->listeners[i], &route->conf->listeners[i]);
    add_server_line(route);
    add_scanners(route);
}

bool role_route_scanner(const struct role_route *route, struct slice user_agent)
{
    const struct conf *conf = route->conf;

    if (user_agent.len == 0)
        return false;
    if (user_agent.len > 1 && !route->scanner_pair[pair_of(user_agent.at[0], user_agent.at[1])])
        return false;
    for (unsigned i = 0; i < conf->scanners_n; i++) {
        struct slice name = text_of(&conf->scanners[i]);
        if (name.len > 0 && user_agent.len >= name.len &&
            slice_equal_nocase(slice_of(user_agent.at, name.len), name))
            return true;
    }
    return false;
}

struct slice role_route_via(const struct role_route *route, unsigned listener)
{
    return slice_of(route->listeners[listener].via, route->listeners[listener].via_len);
}

bool role_route_wrote_via(const struct role_route *route, struct slice text)
{
    const unsigned name = sizeof("Via: ") - 1;

    for (unsigned i = 0; i < route->conf->listeners_n; i++) {
        struct slice via = role_route_via(route, i);
        if (slice_equal(slice_of(via.at + name, via.len - name), text))
            return true;
    }
    return false;
}

struct slice role_route_record_route(const struct role_route *route, unsigned listener, bool sips)
{
    const struct listener_text *text = &route->listeners[listener];

    return slice_of(text->record_route[sips], text->record_route_len[sips]);
}

struct slice role_route_server_line(const struct role_route *route)
{
    return slice_of(route->server, route->server_len);
}
