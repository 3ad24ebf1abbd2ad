#include "call/ring.h"

bool call_ring_put(struct call_ring *ring, uint32_t slot)
{
    uint32_t written = ring->written;

    if (written - __atomic_load_n(&ring->read, __ATOMIC_ACQUIRE) > ring->mask)
        return false;
    ring->slots[written & ring->mask] = slot;
    __atomic_store_n(&ring->written, written + 1, __ATOMIC_RELEASE);
    return true;
}

bool call_ring_take(struct call_ring *ring, uint32_t *slot)
{
    uint32_t read = ring->read;

    if (read == __atomic_load_n(&ring->written, __ATOMIC_ACQUIRE))
        return false;
    *slot = ring->slots[read & ring->mask];
    __atomic_store_n(&ring->read, read + 1, __ATOMIC_RELEASE);
    return true;
}
