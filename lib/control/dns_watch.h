// dns_watch: the names of the configuration, and when each is to be asked for again. Control thread only.
#ifndef CONTROL_DNS_WATCH_H
#define CONTROL_DNS_WATCH_H

#include "base/memory.h"
#include "conf/conf.h"
#include "name/name.h"

// A gateway or a next hop that has a name. Texts belong to the configuration.
struct control_watched {
    struct name_question question;
    const char *section; // its name, for the log
    int gateway;         // index into conf->gateways, or CONF_NONE
    uint64_t due_ms;
    bool lost; // the last answer led nowhere, which was logged
};

struct control_watch {
    const struct memory *memory;
    struct control_watched *names;
    unsigned n;
    size_t bytes;
};

// All that the configuration has, due at once, instead of what was there. 0, or -ENOMEM and then there are none.
int control_watch_set(struct control_watch *watch, const struct conf *conf);
void control_watch_clear(struct control_watch *watch);

#endif
