// ring: numbers from one thread to one other, without a lock. Internal to the room.
//
// Each end has its own index, which the other one only reads; they never wrap to the size but run on.
#ifndef CALL_RING_H
#define CALL_RING_H

#include <stdbool.h>
#include <stdint.h>

struct call_ring {
    uint32_t *slots;
    uint32_t mask;                                 // size - 1; the size is a power of two
    uint32_t written __attribute__((aligned(64))); // producer: wo, consumer: ro
    uint32_t read __attribute__((aligned(64)));    // consumer: wo, producer: ro
};

// False: it is full. The one producer.
bool call_ring_put(struct call_ring *ring, uint32_t slot);

// False: it is empty. The one consumer.
bool call_ring_take(struct call_ring *ring, uint32_t *slot);

#endif
