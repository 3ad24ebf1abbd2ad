// method: request methods by number (RFC 3261 7.1 and its extensions). Methods are case-sensitive.
// Constant data: any thread.
#ifndef SIP_METHOD_H
#define SIP_METHOD_H

#include "base/slice.h"

#define SIP_METHODS(X) \
    X(INVITE)          \
    X(ACK)             \
    X(BYE)             \
    X(CANCEL)          \
    X(REGISTER)        \
    X(OPTIONS)         \
    X(SUBSCRIBE)       \
    X(NOTIFY)          \
    X(PUBLISH)         \
    X(MESSAGE)         \
    X(INFO)            \
    X(PRACK)           \
    X(UPDATE)          \
    X(REFER)

enum sip_method {
    SIP_METHOD_OTHER = 0, // a token that is none of these: carried, never refused for its name
#define SIP_METHOD_ENUM(name) SIP_METHOD_##name,
    SIP_METHODS(SIP_METHOD_ENUM)
#undef SIP_METHOD_ENUM
        SIP_METHOD_COUNT
};

// For sets of methods (an Allow header field): bit 0 says that some method outside the table is in it.
#define SIP_METHOD_BIT(method) (1u << (method))

enum sip_method sip_method_of(struct slice name);

// "INVITE" …; "OTHER" for SIP_METHOD_OTHER.
struct slice sip_method_name(enum sip_method method);

#endif
