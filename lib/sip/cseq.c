#include "sip/cseq.h"

#include "sip/token.h"

#define CSEQ_LIMIT ((uint64_t)1 << 31) // RFC 3261 8.1.1.5

enum sip_error sip_cseq_parse(struct slice value, struct sip_cseq *cseq)
{
    struct cursor c = cursor_over(value);
    uint64_t number = 0;

    sip_skip_space(&c);
    const char *from = c.at;
    while (c.at < c.end && *c.at >= '0' && *c.at <= '9' && number < CSEQ_LIMIT)
        number = number * 10 + (uint64_t)(*c.at++ - '0');
    const char *digits_end = c.at;
    sip_skip_space(&c);
    if (digits_end == from || c.at == digits_end || number >= CSEQ_LIMIT)
        return SIP_ERROR_CSEQ;
    cseq->number = (uint32_t)number;
    cseq->method_text = sip_take_token(&c, SIP_ERROR_CSEQ);
    sip_skip_space(&c);
    if (c.error != 0 || !cursor_done(&c))
        return SIP_ERROR_CSEQ;
    cseq->method = (uint8_t)sip_method_of(cseq->method_text);
    return SIP_OK;
}
