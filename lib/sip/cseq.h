// cseq: number and method (RFC 3261 20.16; the number is below 2**31, 8.1.1.5). Any thread.
#ifndef SIP_CSEQ_H
#define SIP_CSEQ_H

#include "base/slice.h"
#include "sip/error.h"
#include "sip/method.h"

struct sip_cseq {
    uint32_t number;
    uint8_t method; // enum sip_method
    struct slice method_text;
};

// SIP_OK or SIP_ERROR_CSEQ. A number of 2**31 and more is an error.
enum sip_error sip_cseq_parse(struct slice value, struct sip_cseq *cseq);

#endif
