// date: the Date header field's form, "Sat, 13 Nov 2010 23:29:00 GMT" (RFC 3261 20.17). Pure: any thread.
#ifndef SIP_DATE_H
#define SIP_DATE_H

#include <stdint.h>

#define SIP_DATE_LEN 29 // bytes, always

// Writes SIP_DATE_LEN bytes, no NUL. `unix_s`: seconds since 1970 UTC, up to the year 9999.
void sip_date_write(uint64_t unix_s, char text[SIP_DATE_LEN]);

#endif
