#include "sip/header.h"

#include "sip/name_table.h"

enum sip_header sip_header_of(struct slice name)
{
    return (enum sip_header)sip_name_number(&sip_header_names, name, ':');
}

struct slice sip_header_name(enum sip_header id)
{
    static const struct slice names[SIP_HEADER_COUNT] = {[SIP_HEADER_OTHER] = {"", 0},
#define HEADER_NAME(id, name, compact) [SIP_HEADER_##id] = {name, sizeof(name) - 1},
                                                         SIP_HEADERS(HEADER_NAME)
#undef HEADER_NAME
    };

    return (unsigned)id < SIP_HEADER_COUNT ? names[id] : names[SIP_HEADER_OTHER];
}
