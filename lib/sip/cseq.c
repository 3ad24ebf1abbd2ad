#include "sip/cseq.h"

#include "sip/token.h"

#define CSEQ_LIMIT ((uint64_t)1 << 31) // RFC 3261 8.1.1.5

// 1*DIGIT, below 2**31; false and nothing taken when it is not there.
static inline bool take_number(struct cursor *c, uint32_t *number)
{
    const char *at = c->at;
    uint64_t value = 0;

    for (; at < c->end; at++) {
        unsigned digit = (unsigned char)*at - '0';
        if (digit > 9)
            break;
        value = value * 10 + digit;
        if (value >= CSEQ_LIMIT)
            return false;
    }
    if (at == c->at)
        return false;
    *number = (uint32_t)value;
    c->at = at;
    return true;
}

enum sip_error sip_cseq_parse(struct slice value, struct sip_cseq *cseq)
{
    struct cursor c = cursor_over(value);

    sip_skip_space(&c);
    if (!take_number(&c, &cseq->number))
        return SIP_ERROR_CSEQ;
    const char *digits_end = c.at;
    sip_skip_space(&c);
    if (c.at == digits_end)
        return SIP_ERROR_CSEQ;
    // The rest is a method that is known, mostly, and so needs no look at its bytes.
    cseq->method_text = slice_of(c.at, cursor_left(&c));
    cseq->method = (uint8_t)sip_method_of(cseq->method_text);
    if (cseq->method != SIP_METHOD_OTHER)
        return SIP_OK;
    cseq->method_text = sip_take_token(&c, SIP_ERROR_CSEQ);
    sip_skip_space(&c);
    if (c.error != 0 || !cursor_done(&c))
        return SIP_ERROR_CSEQ;
    cseq->method = (uint8_t)sip_method_of(cseq->method_text);
    return SIP_OK;
}
