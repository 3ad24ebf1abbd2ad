// Subscriptions that their watchers ended. Such a SUBSCRIBE whose answer was lost comes again when the subscription is
// gone, and is answered as it was (RFC 3261 17.2.2): by 481 its watcher would take it for refused.
#include "presence/parts.h"

static struct presence_ended *place_of(struct presence *presence, uint64_t check)
{
    return &presence->ended[check % PRESENCE_ENDED_MAX];
}

void presence_ended_note(const struct role_request *request, uint64_t check, uint16_t status)
{
    const struct role *role = request->role;

    *place_of(role->presence, check) = (struct presence_ended){
        .check = check,
        .until_ms = request->arrival->now.ms + 64 * (uint64_t)role->conf->t1_ms,
        .cseq = request->cseq.number,
        .status = status,
    };
}

uint16_t presence_ended_with(const struct role_request *request)
{
    const struct presence_ended *ended;
    struct role_dialog_tag tag;

    if (!role_dialog_tag_read(request->to_tag, &tag))
        return 0;
    ended = place_of(request->role->presence, tag.check);
    bool same = ended->check == tag.check && ended->cseq == request->cseq.number;
    return same && ended->until_ms > request->arrival->now.ms ? ended->status : 0;
}
