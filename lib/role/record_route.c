// Which requests get a Record-Route (RFC 3261 16.6 step 4).
#include "role/request.h"

// The methods that make a dialog or may do so: INVITE, SUBSCRIBE, REFER (RFC 3515), NOTIFY, which makes the
// dialog when it outruns the answer to its SUBSCRIBE (RFC 6665 4.3), and every method that is not known.
// Inside a dialog it changes nothing for the ends and lets one that lost its state find us again (16.6 step
// 4: SHOULD).
#define RECORDED                                                                \
    (SIP_METHOD_BIT(SIP_METHOD_INVITE) | SIP_METHOD_BIT(SIP_METHOD_SUBSCRIBE) | \
     SIP_METHOD_BIT(SIP_METHOD_REFER) | SIP_METHOD_BIT(SIP_METHOD_NOTIFY) |     \
     SIP_METHOD_BIT(SIP_METHOD_OTHER))

bool role_records_route(const struct role_request *request)
{
    return request->role->conf->record_route && (RECORDED & SIP_METHOD_BIT(request->message->method));
}
