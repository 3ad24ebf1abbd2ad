// The order in which the hops of a name are tried: RFC 2782, with a draw that can be repeated.
#include "base/random.h"
#include "name/name.h"

// Hops of the target that begins at `from`.
static unsigned target_length(const struct name_answer *answer, unsigned from)
{
    const struct name_hop *first = &answer->hops[from];
    unsigned n = 1;

    while (first->target != 0 && from + n < answer->hops_n && first[n].target == first->target &&
           first[n].priority == first->priority)
        n++;
    return n;
}

// RFC 2782: of the targets in [from, to) that are not taken, the first one whose running sum of weights reaches what is
// drawn between 0 and the sum of all. name_put has those of weight 0 at the beginning.
static unsigned draw_target(const struct name_answer *answer, unsigned from, unsigned to, uint32_t taken,
                            uint64_t random)
{
    uint32_t sum = 0, running = 0;
    unsigned last = from;

    for (unsigned at = from; at < to; at += target_length(answer, at))
        sum += taken >> at & 1 ? 0 : answer->hops[at].weight;
    uint32_t drawn = (uint32_t)(random_next(&random) % (sum + 1));
    for (unsigned at = from; at < to; at += target_length(answer, at)) {
        if (taken >> at & 1)
            continue;
        last = at;
        running += answer->hops[at].weight;
        if (running >= drawn)
            break;
    }
    return last;
}

bool name_hop(const struct name_answer *answer, uint64_t random, unsigned i, struct endpoint *hop)
{
    unsigned from = 0, to = 0;
    uint32_t taken = 0;

    if (i >= answer->hops_n || answer->hops_n > NAME_HOPS_MAX)
        return false;
    // Priorities do not mix: the i-th hop is one of those of the priority that has the i-th place.
    while (to <= i) {
        for (from = to; to < answer->hops_n && answer->hops[to].priority == answer->hops[from].priority;)
            to++;
    }
    i -= from;
    for (;;) {
        unsigned at = draw_target(answer, from, to, taken, ++random);
        unsigned n = target_length(answer, at);
        if (i < n) {
            *hop = answer->hops[at + i].endpoint;
            return true;
        }
        i -= n;
        taken |= 1u << at;
    }
}
