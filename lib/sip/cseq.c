#include "sip/cseq.h"

#include "sip/name_table.h"
#include "sip/token.h"

#define CSEQ_MAX INT32_MAX // RFC 3261 8.1.1.5

enum sip_error sip_cseq_parse(struct slice value, struct sip_cseq *cseq)
{
    struct cursor c = cursor_over(value);

    sip_skip_space(&c);
    const char *from = c.at;
    uint64_t number = cursor_take_number(&c, CSEQ_MAX);
    const char *digits_end = c.at;
    sip_skip_space(&c);
    if (digits_end == from || c.at == digits_end || number > CSEQ_MAX)
        return SIP_ERROR_CSEQ;
    cseq->number = (uint32_t)number;
    // The rest is a method that is known, mostly, and so needs no look at its bytes.
    cseq->method_text = slice_of(c.at, cursor_left(&c));
    cseq->method = sip_name_number(&sip_method_names, cseq->method_text, ' ');
    if (cseq->method != SIP_METHOD_OTHER)
        return SIP_OK;
    cseq->method_text = sip_take_token(&c, SIP_ERROR_CSEQ);
    sip_skip_space(&c);
    if (c.error != 0 || !cursor_done(&c))
        return SIP_ERROR_CSEQ;
    cseq->method = sip_name_number(&sip_method_names, cseq->method_text, ' ');
    return SIP_OK;
}
