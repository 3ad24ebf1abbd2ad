#include "role/merged.h"

#include "role/digest.h"
#include "role/request.h"

// For so long the transaction of the first counts as ongoing (64 * T1 over UDP, 17.2.2).
static uint64_t lasts_ms(const struct role *role)
{
    return 64ull * role->conf->t1_ms;
}

bool role_is_merged(struct role_request *request)
{
    struct role *role = request->role;
    uint64_t now_ms = request->arrival->now.ms;

    if (request->to_tag.at != NULL)
        return false;
    uint64_t cseq = (uint64_t)request->message->method << 32 | request->cseq.number;
    uint64_t key = role_digest_mix(role->secret.k1, request->call_id);
    key = role_digest_mix(key, request->from_tag);
    key = role_digest_mix(key, slice_of((const char *)&cseq, sizeof(cseq)));
    uint64_t via = role_digest_mix(role->secret.k0, request->via.branch);
    via = role_digest_mix(via, request->via.host);
    unsigned place = (unsigned)(key >> 32) % ROLE_MERGED_MAX;
    bool known = role->merged.seen[place].request == key && role->merged.seen[place].until_ms > now_ms;
    if (known && role->merged.seen[place].via != via) {
        role_answer(request, 482, "Merged Request");
        return true;
    }
    role->merged.seen[place].request = key;
    role->merged.seen[place].via = via;
    role->merged.seen[place].until_ms = now_ms + lasts_ms(role);
    return false;
}
