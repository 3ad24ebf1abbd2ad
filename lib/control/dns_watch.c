#include "control/dns_watch.h"

#include <errno.h>

_Static_assert(CONF_TRANSPORT_ANY == NAME_TRANSPORT_ANY, "a hop that says none asks for any");

static bool is_name(const struct conf_hop *hop)
{
    return hop->address.family == ENDPOINT_NONE && hop->host.len > 0;
}

static unsigned count(const struct conf *conf)
{
    unsigned n = 0;

    for (unsigned i = 0; i < conf->gateways_n; i++)
        n += is_name(&conf->gateways[i].address);
    for (unsigned i = 0; i < conf->routes_n; i++)
        n += conf->routes[i].action == CONF_ACTION_HOP && is_name(&conf->routes[i].hop);
    return n;
}

static void add(struct control_watch *watch, const struct conf_hop *hop, const char *section, int gateway)
{
    watch->names[watch->n++] = (struct control_watched){
        .question = {slice_of(hop->host.text, hop->host.len), hop->port, NAME_SIP, hop->transport},
        .section = section,
        .gateway = gateway};
}

void control_watch_clear(struct control_watch *watch)
{
    if (watch->names != NULL)
        watch->memory->give(watch->memory->owner, watch->names, watch->bytes);
    watch->names = NULL;
    watch->n = 0;
}

int control_watch_set(struct control_watch *watch, const struct conf *conf)
{
    unsigned n = count(conf);

    control_watch_clear(watch);
    if (n == 0)
        return 0;
    watch->bytes = n * sizeof(*watch->names);
    watch->names = watch->memory->take(watch->memory->owner, watch->bytes, MEMORY_ANY_NODE);
    if (watch->names == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < conf->gateways_n; i++) {
        if (is_name(&conf->gateways[i].address))
            add(watch, &conf->gateways[i].address, conf->gateways[i].name, (int)i);
    }
    for (unsigned i = 0; i < conf->routes_n; i++) {
        if (conf->routes[i].action == CONF_ACTION_HOP && is_name(&conf->routes[i].hop))
            add(watch, &conf->routes[i].hop, conf->routes[i].name, CONF_NONE);
    }
    return 0;
}
