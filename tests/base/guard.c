#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE 4096

// GUARD_MAX bytes between two pages that cannot be read.
static char *room(void)
{
    static char *room;

    if (room == NULL) {
        char *at = mmap(NULL, GUARD_MAX + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED || mprotect(at + PAGE, GUARD_MAX, PROT_READ | PROT_WRITE) != 0) {
            perror("guard page");
            abort();
        }
        room = at + PAGE;
    }
    return room;
}

struct slice guard_copy(const void *bytes, size_t len)
{
    if (len > GUARD_MAX)
        abort();
    char *at = room() + GUARD_MAX - len;
    if (len > 0)
        memcpy(at, bytes, len);
    return slice_of(at, len);
}
