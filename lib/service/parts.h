// parts: what is done with a request in this room itself: refused as unfit, or served by a role that is one file.
//
// Internal to the room; role/request.h says what the bool means.
#ifndef SERVICE_PARTS_H
#define SERVICE_PARTS_H

#include "role/request.h"

// sanity.c: is it fit to be served? RFC 3261 16.3 step 1 and 2, 8.2.
bool service_request_sane(struct role_request *request, enum sip_error parsed);

// The servers. Each sets the verdict.
void service_redirect(struct role_request *request);
void service_options(struct role_request *request);

#endif
