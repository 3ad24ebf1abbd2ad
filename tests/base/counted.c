#include "counted.h"

#include <stdlib.h>
#include <string.h>

#define SHIFT 16 // behind a cache line's beginning

static void *take(struct counted *counted, size_t bytes, int node, size_t shift)
{
    if (counted->taken < sizeof(counted->nodes) / sizeof(counted->nodes[0]))
        counted->nodes[counted->taken] = node;
    if (++counted->taken == counted->fail)
        return NULL;
    void *block;

    // No more than was asked for: a sanitizer sees what is touched behind it.
    if (posix_memalign(&block, MEMORY_LINE, bytes + shift) != 0)
        abort();
    counted->bytes += bytes;
    counted->pieces++;
    return memset((char *)block + shift, 0, bytes);
}

static void give(struct counted *counted, void *at, size_t bytes, size_t shift)
{
    if (at == NULL)
        return;
    counted->bytes -= bytes;
    counted->pieces--;
    free((char *)at - shift);
}

static void *take_shifted(void *owner, size_t bytes, int node)
{
    return take(owner, bytes, node, SHIFT);
}

static void give_shifted(void *owner, void *at, size_t bytes)
{
    give(owner, at, bytes, SHIFT);
}

static void *take_line(void *owner, size_t bytes, int node)
{
    return take(owner, bytes, node, 0);
}

static void give_line(void *owner, void *at, size_t bytes)
{
    give(owner, at, bytes, 0);
}

struct memory counted_memory(struct counted *counted)
{
    return (struct memory){take_shifted, give_shifted, counted};
}

struct memory counted_lines(struct counted *counted)
{
    return (struct memory){take_line, give_line, counted};
}
