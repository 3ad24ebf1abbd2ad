#include "base/memory.h"

#include <linux/mempolicy.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)

static size_t rounded(size_t bytes)
{
    return (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
}

static void prefer_node(void *at, size_t bytes, int node)
{
    unsigned long mask = 0;

    if (node < 0 || node >= (int)(8 * sizeof(mask)))
        return;
    mask = 1ul << node;
    // Preferred, not bound: memory on the far node is slow, no memory is an outage. A kernel without NUMA says
    // ENOSYS and there is nothing to prefer.
    (void)syscall(SYS_mbind, at, bytes, MPOL_PREFERRED, &mask, 8 * sizeof(mask) + 1, 0);
}

static void *system_take(void *owner, size_t bytes, int node)
{
    size_t size = rounded(bytes);

    (void)owner;
    if (bytes == 0 || size < bytes)
        return NULL;
    // Without MAP_NORESERVE the kernel reserves the huge pages here or refuses, so no later touch can be a SIGBUS.
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    if (at == MAP_FAILED) {
        at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED)
            return NULL;
        (void)madvise(at, size, MADV_HUGEPAGE);
    }
    prefer_node(at, size, node);
    return at;
}

static void system_give(void *owner, void *at, size_t bytes)
{
    (void)owner;
    if (at != NULL)
        munmap(at, rounded(bytes));
}

const struct memory memory_system = {system_take, system_give, NULL};
