#include "sip/error.h"

struct error_row {
    uint16_t status;
    const char *text;
};

static const struct error_row error_row[SIP_ERROR_COUNT] = {[SIP_OK] = {200, "OK"},
#define ERROR_ROW(name, status, words) [SIP_ERROR_##name] = {status, words},
                                                            SIP_ERRORS(ERROR_ROW)
#undef ERROR_ROW
};

uint16_t sip_error_status(enum sip_error error)
{
    return (unsigned)error < SIP_ERROR_COUNT ? error_row[error].status : 0;
}

const char *sip_error_text(enum sip_error error)
{
    return (unsigned)error < SIP_ERROR_COUNT ? error_row[error].text : "Unknown Error";
}
