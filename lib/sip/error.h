// error: everything that can be wrong with a SIP message, once.
//
// Parsers return SIP_OK (0) or one of these. Each row says what a server answers (RFC 3261 21.4) and the words it
// puts behind the code; status 0 means that the message cannot be answered at all and is dropped and counted.
// Constant data: any thread.
#ifndef SIP_ERROR_H
#define SIP_ERROR_H

#include <stdint.h>

// name, status, words (also the reason phrase of the answer and the label of the counter)
#define SIP_ERRORS(X)                                             \
    X(EMPTY, 0, "Empty datagram")                                 \
    X(START_LINE, 0, "Malformed start line")                      \
    X(VERSION, 505, "Version Not Supported")                      \
    X(TOO_LONG, 513, "Message Too Large")                         \
    X(TOO_MANY_LINES, 513, "Too Many Header Fields")              \
    X(NO_HEAD_END, 400, "Missing Empty Line")                     \
    X(HEADER_NAME, 400, "Malformed Header Field Name")            \
    X(MISSING_VIA, 0, "Missing Via")                              \
    X(MISSING_FROM, 400, "Missing From")                          \
    X(MISSING_TO, 400, "Missing To")                              \
    X(MISSING_CALL_ID, 400, "Missing Call-ID")                    \
    X(MISSING_CSEQ, 400, "Missing CSeq")                          \
    X(REPEATED_HEADER, 400, "Repeated Single-Value Header Field") \
    X(CONTENT_LENGTH, 400, "Malformed Content-Length")            \
    X(BODY_SHORT, 400, "Content-Length Larger Than Message")      \
    X(VIA, 400, "Malformed Via")                                  \
    X(REQUEST_LINE, 400, "Malformed Request-Line")                \
    X(REQUEST_URI, 400, "Malformed Request-URI")                  \
    X(URI, 400, "Malformed URI")                                  \
    X(URI_SCHEME, 416, "Unsupported URI Scheme")                  \
    X(FROM, 400, "Malformed From")                                \
    X(TO, 400, "Malformed To")                                    \
    X(ADDRESS, 400, "Malformed Address")                          \
    X(CALL_ID, 400, "Malformed Call-ID")                          \
    X(CSEQ, 400, "Malformed CSeq")                                \
    X(CSEQ_METHOD, 400, "CSeq Method Does Not Match")             \
    X(CONTACT, 400, "Malformed Contact")                          \
    X(ROUTE, 400, "Malformed Route")                              \
    X(RECORD_ROUTE, 400, "Malformed Record-Route")                \
    X(PATH, 400, "Malformed Path")                                \
    X(MAX_FORWARDS, 400, "Malformed Max-Forwards")                \
    X(EXPIRES, 400, "Malformed Expires")                          \
    X(PARAMETER, 400, "Malformed Parameter")                      \
    X(QUOTED_STRING, 400, "Unterminated Quoted String")           \
    X(OPTION_TAG, 400, "Malformed Option Tag")                    \
    X(CREDENTIALS, 400, "Malformed Credentials")                  \
    X(DATE, 400, "Malformed Date")                                \
    X(EDIT_ROOM, 513, "No Room For The Edits")

enum sip_error {
    SIP_OK = 0,
#define SIP_ERROR_ENUM(name, status, words) SIP_ERROR_##name,
    SIP_ERRORS(SIP_ERROR_ENUM)
#undef SIP_ERROR_ENUM
        SIP_ERROR_COUNT
};

// The status to answer with, or 0: do not answer.
uint16_t sip_error_status(enum sip_error error);

// English words for the answer and the counter; never NULL.
const char *sip_error_text(enum sip_error error);

#endif
