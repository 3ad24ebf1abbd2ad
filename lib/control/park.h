// park: messages that wait until a name is known.
//
// Lists over one store, so that the bound holds over all names together. No list may have more than a quarter of the
// store: a flood for one dead name leaves room for the others. Control thread only; memory is taken at creation.
#ifndef CONTROL_PARK_H
#define CONTROL_PARK_H

#include <rte_mbuf.h>

#include "base/memory.h"

struct control_park; // the store

// The messages that wait for one name, in the order they came. Zeroed: none.
struct control_park_list {
    uint32_t first, last, n;
};

// `messages`: at least 1. 0 or -ENOMEM.
int control_park_create(struct control_park **park, uint32_t messages, const struct memory *memory);
// Every list is empty by now. NULL is allowed.
void control_park_destroy(struct control_park *park);

// False: there is no room, and the mbuf stays the caller's.
bool control_park_put(struct control_park *park, struct control_park_list *list, struct rte_mbuf *mbuf,
                      uint16_t worker);
// The next of the list and its worker, or NULL.
struct rte_mbuf *control_park_take(struct control_park *park, struct control_park_list *list,
                                   uint16_t *worker);

// Of all lists now, and the most there ever were. Any thread.
uint32_t control_park_waiting(const struct control_park *park);
uint32_t control_park_high(const struct control_park *park);

#endif
