// certificates: made for a test, in a directory of its own that goes with it. No key is kept anywhere else.
#ifndef TESTS_STREAM_CERTIFICATES_H
#define TESTS_STREAM_CERTIFICATES_H

#include <openssl/x509.h>

#include "conf/conf.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
// clang-format on

#define HOUR 3600L
#define DAY  (24 * HOUR)

// What is to be in one.
struct wanted {
    const char
        *name; // of the files NAME.pem and NAME.key, and, where no subject is given, of the common name
    const char *subject; // common name
    const char *san;     // as openssl.cnf has it: "DNS:example.com,URI:sip:example.com"; NULL: no extension
    const char *usage;   // extendedKeyUsage; NULL: none
    const char *signer;  // name of another, made before; NULL: itself
    long from, to;       // seconds from now; both 0: from an hour ago for a year
    int bits;            // RSA; 0: elliptic, P-256
    bool authority;      // may sign
};

struct certificates {
    char directory[64];
    char *paths[64]; // given out
    unsigned paths_n;
};

void certificates_begin(struct certificates *certificates);
void certificates_end(struct certificates *certificates);

// Makes one and its files; the file has its signer behind it unless that is an authority that signed itself.
void certificates_make(struct certificates *certificates, const struct wanted *wanted);

// The certificate alone; the caller's.
X509 *certificates_read(struct certificates *certificates, const char *name);

// "DIRECTORY/NAME"; valid until the end.
char *certificates_path(struct certificates *certificates, const char *name);

// Writes a file of that name.
void certificates_write(struct certificates *certificates, const char *name, const char *text);

#endif
