#include "gateway/states.h"

#include <errno.h>

static size_t rounded(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

int gateway_states_create(struct gateway_states **states, unsigned workers, const struct memory *memory)
{
    size_t shares = rounded(sizeof(struct gateway_states));
    size_t probers = shares + sizeof(struct gateway_share) * GATEWAY_SLOTS * workers;
    size_t bytes = probers + sizeof(struct gateway_prober) * workers;
    char *at = memory->take(memory->owner, bytes, MEMORY_ANY_NODE);

    if (at == NULL)
        return -ENOMEM;
    *states = (struct gateway_states *)at;
    (*states)->memory = *memory;
    (*states)->bytes = bytes;
    (*states)->workers = workers;
    (*states)->shares = (struct gateway_share *)(at + shares);
    (*states)->probers = (struct gateway_prober *)(at + probers);
    return 0;
}

void gateway_states_destroy(struct gateway_states *states)
{
    if (states == NULL)
        return;
    struct memory memory = states->memory;

    memory.give(memory.owner, states, states->bytes);
}
