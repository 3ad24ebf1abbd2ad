// torture: the messages of RFC 4475 and RFC 5118, byte for byte, and what is to become of each.
//
// One table for the parser's test, which is here, and the roles', which is in tests/service. For one thread.
#ifndef TESTS_TORTURE_H
#define TESTS_TORTURE_H

#include <stddef.h>

#include "base/slice.h"
#include "sip/error.h"

struct torture {
    const char *name; // of the file in tests/sip/torture, without ".dat"
    const char *section;
    // What sip_message_parse and sip_message_check say; when that is SIP_OK, the first thing that the typed parsers
    // find in the request-URI and the header lines that a server reads.
    enum sip_error error;
    // What a proxy does that has a route for the request-URI: "forward", "drop" or the status of its answer.
    const char *proxy;
    // What a registrar does. "-": the message is none for it.
    const char *registrar;
    const char *why; // the RFC's words, and the choice made where it leaves one
};

extern const struct torture torture[];
extern const unsigned torture_n;

// The bytes of a message, valid until the next call. Fails the program when the file is not there.
struct slice torture_read(const char *name);

// The name of an error as in sip/error.h; "OK" for SIP_OK.
const char *torture_error_name(enum sip_error error);

#endif
