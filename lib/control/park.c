#include "control/park.h"

#include <errno.h>

struct place {
    struct rte_mbuf *mbuf;
    uint32_t next; // of its list, or the next free one; 0: the last
    uint16_t worker;
};

struct control_park {
    const struct memory *memory;
    uint32_t places_n;
    uint32_t list_max;
    uint32_t free;          // the first free place
    uint32_t waiting, high; // control: wo, telemetry: ro
    struct place places[];  // from 1
};

static size_t bytes_for(uint32_t messages)
{
    return sizeof(struct control_park) + ((size_t)messages + 1) * sizeof(struct place);
}

int control_park_create(struct control_park **created, uint32_t messages, const struct memory *memory)
{
    struct control_park *park = memory->take(memory->owner, bytes_for(messages), MEMORY_ANY_NODE);

    if (park == NULL)
        return -ENOMEM;
    park->memory = memory;
    park->places_n = messages;
    park->list_max = (messages + 3) / 4;
    for (uint32_t i = messages; i > 0; i--) {
        park->places[i].next = park->free;
        park->free = i;
    }
    *created = park;
    return 0;
}

void control_park_destroy(struct control_park *park)
{
    if (park != NULL)
        park->memory->give(park->memory->owner, park, bytes_for(park->places_n));
}

static void count(struct control_park *park, uint32_t waiting)
{
    __atomic_store_n(&park->waiting, waiting, __ATOMIC_RELAXED);
    if (waiting > park->high)
        __atomic_store_n(&park->high, waiting, __ATOMIC_RELAXED);
}

bool control_park_put(struct control_park *park, struct control_park_list *list, struct rte_mbuf *mbuf,
                      uint16_t worker)
{
    uint32_t place = park->free;

    if (place == 0 || list->n == park->list_max)
        return false;
    park->free = park->places[place].next;
    park->places[place] = (struct place){mbuf, 0, worker};
    if (list->first == 0)
        list->first = place;
    else
        park->places[list->last].next = place;
    list->last = place;
    list->n++;
    count(park, park->waiting + 1);
    return true;
}

struct rte_mbuf *control_park_take(struct control_park *park, struct control_park_list *list,
                                   uint16_t *worker)
{
    uint32_t at = list->first;

    if (at == 0)
        return NULL;
    struct place *place = &park->places[at];
    list->first = place->next;
    list->n--;
    place->next = park->free;
    park->free = at;
    count(park, park->waiting - 1);
    *worker = place->worker;
    return place->mbuf;
}

uint32_t control_park_waiting(const struct control_park *park)
{
    return __atomic_load_n(&park->waiting, __ATOMIC_RELAXED);
}

uint32_t control_park_high(const struct control_park *park)
{
    return __atomic_load_n(&park->high, __ATOMIC_RELAXED);
}
