// phones: a rig with a caller and gateways around it, who say what a test has them say.
#ifndef TESTS_DATAPATH_PHONES_H
#define TESTS_DATAPATH_PHONES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> // after the headers that it leaves to others

#include "rig/rig.h"

#define PHONES_TEXT 8192

#define CALLER endpoint_ip4(198, 18, 0, 10, 5060)
#define FIRST  endpoint_ip4(198, 18, 0, 21, 5070) // of the gateways
#define SECOND endpoint_ip4(198, 18, 0, 22, 5070)
#define SERVER endpoint_ip4(198, 18, 0, 1, 5060)

// What has a bound has a small one; [transaction] is the last section, to be gone on with.
#define PHONES_INI                                                                                 \
    "[network]\nmbufs = 4096\nmailbox_size = 64\nroute_max = 64\nneighbour_max = 64\n"             \
    "reassembly_max = 16\n[location]\nbindings_max = 1000\n[dns]\nnames_max = 64\n"                \
    "[port p0]\ndevice = net_ring_rig0\ntwin = sip0\n[listener four]\naddress = 198.18.0.1:5060\n" \
    "port = p0\n[domain example.com]\n"                                                            \
    "[gateways trunk]\nalgorithm = priority\nprobe_interval = 0\nprobe_down = 100\nanswer_timeout = 30s\n"         \
    "[gateway first]\ngroup = trunk\naddress = 198.18.0.21:5070\n"                                 \
    "[gateway second]\ngroup = trunk\naddress = 198.18.0.22:5070\npriority = 1\n"                  \
    "[route out]\nuser = +*\naction = gateways\ngateways = trunk\n"                                \
    "[route named]\nuser = named\naction = hop\nhop = gw.example.net:5080\n"                       \
    "[transaction]\ntransactions_max = 1024\n"

extern struct rig rig;

// Two workers on one queue, everybody a neighbour, a clock that stands still.
void phones_open(const char *ini);
void phones_close(void); // fails the test where a buffer is missing

// A request of the caller's: CSeq 1, a branch and a From tag made of the Call-ID; `extra` are header lines.
void phones_call(const char *method, const char *user, const char *call_id, const char *extra,
                 const char *body);

// The next datagram that left, into phones_text; fails where there is none, or not to `to`.
extern char phones_text[PHONES_TEXT];
void phones_expect(const struct endpoint *to, const char *begins);
void phones_expect_nothing(void);

// An answer to the request in phones_text, from `from`; its Via header fields and so on are copied.
void phones_answer(const struct endpoint *from, const char *status);

// Any text from anybody.
void phones_say(const struct endpoint *from, const char *text);

#endif
