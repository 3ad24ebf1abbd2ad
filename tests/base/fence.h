// fence: puts a test's input right before a page that cannot be read, so that a read past its end is a SIGSEGV.
//
// Also a SIGSEGV: a read before the input's page. For one thread.
#ifndef TESTS_FENCE_H
#define TESTS_FENCE_H

#include "base/slice.h"

#define FENCE_MAX 65536 // bytes of one input

// A copy of `len` bytes that ends where the page ends. Valid until the next call. Never fails: it aborts.
struct slice fence_copy(const void *bytes, size_t len);

#endif
