#include "torture.h"

#include <stdio.h>
#include <stdlib.h>

#define BYTES_MAX 4096

const struct torture torture[] = {
    // RFC 4475: valid messages
    {"wsinv", "4475 3.1.1.1", SIP_OK, "forward", "-",
     "\"all elements should treat this as a well-formed request\""},
    {"intmeth", "4475 3.1.1.2", SIP_OK, "forward", "-",
     "\"if this unusual URI has been defined at a proxy, the proxy will forward this request normally\""},
    {"esc01", "4475 3.1.1.3", SIP_OK, "forward", "-",
     "\"a parser must accept this as a well-formed message\""},
    {"escnull", "4475 3.1.1.4", SIP_OK, "forward", "200",
     "\"this request registers two distinct contact URIs\""},
    {"esc02", "4475 3.1.1.5", SIP_OK, "forward", "404",
     "\"a proxy would forward or reject the message depending on what the Request-URI meant\"; no REGISTER"},
    {"lwsdisp", "4475 3.1.1.6", SIP_OK, "forward", "-",
     "\"elements should accept this request as well formed\""},
    {"longreq", "4475 3.1.1.7", SIP_OK, "forward", "-", "\"well-formed request\" with long values"},
    {"dblreq", "4475 3.1.1.8", SIP_OK, "forward", "200",
     "\"the INVITE octets would not appear in the forwarded request\""},
    {"semiuri", "4475 3.1.1.9", SIP_OK, "forward", "-",
     "\"will accept this as a well-formed message\" with user;par=u@example.net as its user"},
    {"transports", "4475 3.1.1.10", SIP_OK, "forward", "-",
     "\"as if the 2nd and subsequent header field values were not there\""},
    {"mpart01", "4475 3.1.1.11", SIP_OK, "forward", "-",
     "\"parsers must accept this message as well formed\"; its body has NULs, its Route is a strict "
     "router's"},
    {"unreason", "4475 3.1.1.12", SIP_OK, "forward", "-", "\"this response is well formed\""},
    {"noreason", "4475 3.1.1.13", SIP_OK, "forward", "-",
     "\"well-formed response contains no reason phrase\""},

    // invalid messages
    {"badinv01", "4475 3.1.2.1", SIP_ERROR_VIA, "400", "-",
     "\"should respond with a 400\"; the sent-by of its Via can be read"},
    {"clerr", "4475 3.1.2.2", SIP_ERROR_BODY_SHORT, "400", "-", "\"should respond with a 400\" over UDP"},
    {"ncl", "4475 3.1.2.3", SIP_ERROR_CONTENT_LENGTH, "400", "-", "\"should respond with an error\""},
    {"scalar02", "4475 3.1.2.4", SIP_ERROR_CSEQ, "400", "400",
     "\"should respond with a 400 due to the CSeq error\""},
    {"scalarlg", "4475 3.1.2.5", SIP_ERROR_CSEQ, "drop", "-", "\"will simply discard it\""},
    {"quotbal", "4475 3.1.2.6", SIP_ERROR_QUOTED_STRING, "400", "-",
     "\"should return a 400\"; a guess where the quote ends would choose who is called"},
    {"ltgtruri", "4475 3.1.2.7", SIP_ERROR_REQUEST_URI, "400", "-",
     "\"reasonable always to reject with a 400\""},
    {"lwsruri", "4475 3.1.2.8", SIP_ERROR_REQUEST_URI, "400", "-", "\"should respond with a 400\""},
    {"lwsstart", "4475 3.1.2.9", SIP_ERROR_REQUEST_LINE, "400", "-",
     "\"acceptable to reject this request as malformed\": two readers of one line must not differ"},
    {"trws", "4475 3.1.2.10", SIP_ERROR_REQUEST_LINE, "400", "-",
     "\"acceptable to reject this request as malformed\", as lwsstart"},
    {"escruri", "4475 3.1.2.11", SIP_OK, "400", "-",
     "\"acceptable to reject with a 400\": a URI with headers is well-formed, but not where it stands"},
    {"baddate", "4475 3.1.2.12", SIP_OK, "forward", "-",
     "\"shouldn't [reject] unless the Date header field were important to its processing\""},
    {"regbadct", "4475 3.1.2.13", SIP_ERROR_ADDRESS, "forward", "400",
     "\"reasonable to respond with a 400\" for a registrar; a proxy reads no Contact (RFC 3261 16.3)"},
    {"badaspec", "4475 3.1.2.14", SIP_ERROR_URI, "400", "-",
     "\"reasonable to reject this request with a 400\""},
    {"baddn", "4475 3.1.2.15", SIP_ERROR_ADDRESS, "400", "-",
     "\"reasonable always to reject with a 400\"; a proxy \"must not propagate the error\""},
    {"badvers", "4475 3.1.2.16", SIP_ERROR_VERSION, "505", "-",
     "\"should respond to the request with a 505\""},
    {"mismatch01", "4475 3.1.2.17", SIP_ERROR_CSEQ_METHOD, "400", "-", "\"will respond with a 400\""},
    {"mismatch02", "4475 3.1.2.18", SIP_ERROR_CSEQ_METHOD, "501", "-",
     "\"should respond with a 501\", which \"has better future-proof characteristics\" than a 400"},
    {"bigcode", "4475 3.1.2.19", SIP_ERROR_START_LINE, "drop", "-", "\"should simply drop it\""},

    // transaction and application layer
    {"badbranch", "4475 3.2.1", SIP_OK, "forward", "-",
     "\"could fall back to the RFC 2543-style transaction identifier\": the caller gets his call"},
    {"insuf", "4475 3.3.1", SIP_ERROR_MISSING_FROM, "400", "-", "\"ideally, it will respond with a 400\""},
    {"unkscm", "4475 3.3.2", SIP_OK, "416", "-", "\"will reject it with a 416\""},
    {"novelsc", "4475 3.3.3", SIP_OK, "416", "-", "\"if [it] will never accept this scheme … a 416\""},
    {"unksm2", "4475 3.3.4", SIP_OK, "forward", "400",
     "\"proxies should treat this message as any other\", \"a registrar would reject this request with a "
     "400\""},
    {"bext01", "4475 3.3.5", SIP_OK, "420", "-", "\"will respond with a 420\" with Unsupported"},
    {"invut", "4475 3.3.6", SIP_OK, "forward", "-", "\"would process it just as it would any other INVITE\""},
    {"regaut01", "4475 3.3.7", SIP_OK, "forward", "200",
     "forwarded \"unmodified\"; a registrar without authentication \"will simply ignore the header field\""},
    {"multi01", "4475 3.3.8", SIP_ERROR_REPEATED_HEADER, "400", "-", "\"would respond with a 400\""},
    {"mcl01", "4475 3.3.9", SIP_ERROR_CONTENT_LENGTH, "400", "-", "\"should respond with an error\""},
    {"bcast", "4475 3.3.10", SIP_OK, "drop", "-", "\"proxies should drop such responses\""},
    {"zeromf", "4475 3.3.11", SIP_OK, "483", "-",
     "\"should not forward and should respond 483\"; RFC 3261 16.3 lets a proxy answer OPTIONS for the user, "
     "which "
     "would tell of one that may not be there"},
    {"cparam01", "4475 3.3.12", SIP_OK, "forward", "200", "\"this REGISTER should succeed\""},
    {"cparam02", "4475 3.3.13", SIP_OK, "forward", "200", "\"the register should succeed\""},
    {"regescrt", "4475 3.3.14", SIP_OK, "forward", "200", "\"the register should succeed\""},
    {"sdp01", "4475 3.3.15", SIP_OK, "forward", "-", "Accept is for the one who makes a body"},
    {"inv2543", "4475 3.4.1", SIP_OK, "forward", "-", "\"should be accepted\" for compatibility's sake"},
    {"test", "4475 A.1", SIP_ERROR_START_LINE, "drop", "-",
     "in the archive alone and without a word: a request line without a version is none of SIP"},

    // RFC 5118
    {"ipv6-good", "5118 4.1", SIP_OK, "forward", "200", "\"well-formatted\""},
    {"ipv6-bad", "5118 4.2", SIP_ERROR_URI, "400", "400", "\"should respond with a 400\""},
    {"port-ambiguous", "5118 4.3", SIP_OK, "forward", "forward",
     "\"well-formed\", but the port is read as a part of the address, which is not the registrar's"},
    {"port-unambiguous", "5118 4.4", SIP_OK, "forward", "200", "\"leaves no ambiguity whatsoever\""},
    {"via-received-param-with-delim", "5118 4.5", SIP_OK, "forward", "-",
     "\"robust implementations must nonetheless be able to parse the topmost Via\""},
    {"via-received-param-no-delim", "5118 4.5", SIP_OK, "forward", "-", "\"valid according to the grammar\""},
    {"ipv6-in-sdp", "5118 4.6", SIP_ERROR_BODY_SHORT, "400", "-",
     "\"valid and well-formed\", but its Content-Length is 268 where 251 bytes are: RFC 3261 18.3 comes "
     "first"},
    {"mult-ip-in-header", "5118 4.7", SIP_OK, "forward", "-", "\"valid and well-formed\""},
    {"mult-ip-in-sdp", "5118 4.8", SIP_OK, "forward", "-",
     "\"valid and well-formed\"; its Content-Length of 181 leaves 8 bytes to be ignored"},
    {"ipv4-mapped-ipv6", "5118 4.9", SIP_OK, "forward", "-", "\"must be prepared to parse it successfully\""},
    {"ipv6-bug-abnf-3-colons", "5118 4.10", SIP_OK, "forward", "-",
     "\"must tolerate both of the constructs\""},
    {"ipv6-correct-abnf-2-colons", "5118 4.10", SIP_OK, "forward", "-", "\"the correct syntax\""},
};

const unsigned torture_n = sizeof(torture) / sizeof(torture[0]);

struct slice torture_read(const char *name)
{
    static char bytes[BYTES_MAX];
    char path[1024];

    snprintf(path, sizeof(path), TORTURE_DIRECTORY "/%s.dat", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        abort();
    }
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    if (len == 0 || len == sizeof(bytes)) {
        fprintf(stderr, "%s: has no or too many bytes\n", path);
        abort();
    }
    return slice_of(bytes, len);
}

const char *torture_error_name(enum sip_error error)
{
    static const char *const names[] = {"OK",
#define NAME(name, status, words) #name,
                                        SIP_ERRORS(NAME)
#undef NAME
    };

    return names[error];
}
