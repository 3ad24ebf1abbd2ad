// head: the header lines of a message, with the vector form named. The private half of message.c; a test takes it to
// hold all forms to one answer.
#ifndef SIP_HEAD_H
#define SIP_HEAD_H

#include "sip/message.h"
#include "sip/scan.h"

// Indexes the header lines that begin at offset `at` of message->bytes[0 .. message->len) until the empty line; then
// lines[lines_n].name is where the empty line begins (or where reading had to stop) and `body` is what is behind.
// Returns the first error met; with SIP_ERROR_NO_HEAD_END and SIP_ERROR_TOO_MANY_LINES where the body begins is not
// known. The CPU must have `level`: sip_scan_level_best() or below.
enum sip_error sip_head_index(struct sip_message *message, uint32_t at, enum sip_scan_level level);

#endif
