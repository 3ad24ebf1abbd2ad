#include "sip/method.h"

#include "sip/name_table.h"

enum sip_method sip_method_of(struct slice name)
{
    return (enum sip_method)sip_name_number(&sip_method_names, name, ' ');
}

struct slice sip_method_name(enum sip_method method)
{
    static const struct slice names[SIP_METHOD_COUNT] = {[SIP_METHOD_OTHER] = {"OTHER", 5},
#define METHOD_NAME(name) [SIP_METHOD_##name] = {#name, sizeof(#name) - 1},
                                                         SIP_METHODS(METHOD_NAME)
#undef METHOD_NAME
    };

    return (unsigned)method < SIP_METHOD_COUNT ? names[method] : names[SIP_METHOD_OTHER];
}
