// message_level: the parser with the vector form named, so that a test can hold all forms to one answer.
#ifndef SIP_MESSAGE_LEVEL_H
#define SIP_MESSAGE_LEVEL_H

#include "sip/message.h"
#include "sip/scan.h"

// As sip_message_parse. A `level` that the CPU lacks must not be asked for (sip_scan_level_best() and below exist).
enum sip_error sip_message_parse_level(struct sip_message *message, const char *bytes, size_t len,
                                       enum sip_scan_level level);

#endif
