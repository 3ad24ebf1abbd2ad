// outlet: worker/outlet.h over plain memory, strict: what was released is gone, an index lives until the next one, and
// what a buffer says is never changed. Everything that leaves is noted, by it or by the test.
#ifndef TESTS_SERVICE_OUTLET_H
#define TESTS_SERVICE_OUTLET_H

// clang-format off
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "worker/outlet.h"

#define OUTLET_SENT 128 // the last so many are there to look at

struct sent {
    struct endpoint to;
    uint8_t listener;
    uint16_t status; // 0: a request
    char method[16];
    uint32_t len;
    char *bytes;
};

struct test_outlet {
    struct outlet outlet;
    unsigned buffers;   // alive
    unsigned room;      // how many may be; a copy beyond fails
    unsigned fail_each; // every so many copies one fails; 0: none
    unsigned copies;
    bool unsound;         // what came in is broken, and so may be what leaves
    unsigned long sent_n; // ever; the last is sent[(sent_n - 1) % OUTLET_SENT]
    struct sent sent[OUTLET_SENT];
    struct sip_message *index; // the last one given
    char log[4096];            // "180@192.0.2.4:5060 INVITE@…", what left since it was cleared
};

// "192.0.2.4:5060", of a stream "tls:192.0.2.4:40000#7": the transport in front, the flow behind. Both ways.
bool outlet_endpoint_read(const char *text, struct endpoint *endpoint);
unsigned outlet_endpoint_write(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_MAX + 16]);

void outlet_open(struct test_outlet *o);
void outlet_close(struct test_outlet *o); // fails when a buffer is alive

// A buffer of these bytes.
struct buffer *outlet_buffer(struct test_outlet *o, struct slice bytes, const struct arrival *arrival);
// Something left by itself.
void outlet_note(struct test_outlet *o, struct slice bytes, const struct endpoint *to, uint8_t listener);
// The newest that was sent to an endpoint, of a method; a response: "180". NULL: none. `to` NULL: to anybody.
const struct sent *outlet_find(const struct test_outlet *o, const struct endpoint *to, const char *what);

#endif
