// What a request is answered that comes again when what it did is not there to see: its publication is no more, or has
// another tag, or its watcher ended the subscription (RFC 3261 17.2.2). 412 or 481 would say that it had never been.
#include "presence/parts.h"

#define ODD UINT64_C(0x9fb21c651e98df25)

static struct presence_repeat *places_of(struct presence *presence, uint64_t key)
{
    return &presence->repeat[key % PRESENCE_REPEATS * PRESENCE_REPEATS_EACH];
}

uint64_t presence_repeat_key(uint64_t check, uint32_t cseq)
{
    return check ^ (cseq + UINT64_C(1)) * ODD;
}

// The one that is forgotten first makes room.
void presence_repeat_note(const struct role_request *request, uint64_t key, uint16_t status)
{
    const struct role *role = request->role;
    struct presence_repeat *places = places_of(role->presence, key), *place = places;

    for (unsigned i = 0; i < PRESENCE_REPEATS_EACH; i++) {
        if (places[i].key == key) {
            place = &places[i];
            break;
        }
        if (places[i].until_s < place->until_s)
            place = &places[i];
    }
    *place = (struct presence_repeat){
        .key = key,
        .until_s = (uint32_t)((request->arrival->now.ms + 64 * (uint64_t)role->conf->t1_ms) / 1000 + 1),
        .status = status,
    };
}

uint16_t presence_repeat_find(const struct role_request *request, uint64_t key)
{
    const struct presence_repeat *places = places_of(request->role->presence, key);
    uint64_t now_s = request->arrival->now.ms / 1000;

    for (unsigned i = 0; i < PRESENCE_REPEATS_EACH; i++) {
        if (places[i].key == key && places[i].until_s > now_s)
            return places[i].status;
    }
    return 0;
}
