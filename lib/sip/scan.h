// scan: the vector pass of the parser.
//
// Finds the line feeds of a message's head. Three forms (AVX2, SSE4.2, portable) give the same answer on every
// input; sip_scan_choose() picks the best one that the CPU has, and a test runs all. None of them reads outside of
// bytes[0 .. len). Pure: any thread; sip_scan_choose is called once by the thread that starts.
#ifndef SIP_SCAN_H
#define SIP_SCAN_H

#include <stdint.h>

enum sip_scan_level {
    SIP_SCAN_PORTABLE = 0,
    SIP_SCAN_SSE42,
    SIP_SCAN_AVX2,
};

#endif
