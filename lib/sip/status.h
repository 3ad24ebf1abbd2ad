// status: reason phrases (RFC 3261 21 and extensions). Constant data: any thread.
#ifndef SIP_STATUS_H
#define SIP_STATUS_H

#include <stdint.h>

// "Not Found" for 404; for a code without a phrase of its own the phrase of its class (RFC 3261 8.1.3.2). Not NULL.
const char *sip_status_reason(uint16_t status);

#endif
