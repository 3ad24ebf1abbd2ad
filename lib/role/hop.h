// hop: from what a URI or the configuration names to an address that can be sent to (RFC 3263).
//
// Literal addresses come out at once, names out of the cache (name/name.h); a name that is not in there parks the
// message. Workers; no waiting.
#ifndef ROLE_HOP_H
#define ROLE_HOP_H

#include "name/name.h"
#include "role/target.h"

// RFC 5626 5.3: a flow token leads to where its peer was seen. That may be where this came from: two lines of one phone
// call each other.
static inline bool role_flow_leads(const struct role_request *request)
{
    return request->routes.flow.family != ENDPOINT_NONE;
}

// A keyed hash of the Call-ID: the same for a request, its retransmissions, its CANCEL and its ACK.
uint64_t role_call_hash(const struct role_request *request);

// What the cache says of a name or of a number in digits; the question's name may lie anywhere. ROLE_TARGET: `answer`
// is set, and valid until the worker's next quiescent state. ANSWERED: it is not known and the message is parked. NONE:
// it is not known, and nobody waits for it: the request is one that was resumed, or the name is too long for one.
enum role_targeting role_name_find(struct role_request *request, const struct name_question *question,
                                   const struct name_answer **answer);

// RFC 3261 18.1.1: where a request over [proxy] udp_max goes instead, and from which listener. False: `hop` is a stream
// already, or no listener of its family has TCP; then both stay as they are.
bool role_hop_by_tcp(const struct role *role, struct endpoint *hop, uint8_t *listener);

// Targets are offered one after the other, in their order; the first that was not tried stays.
struct role_pick {
    const struct role_request *request;
    const struct role_tried *tried;
    struct role_target *target;
    bool found;
    bool insecure; // one was left out because it is not spoken to over TLS, which the request asks for
};

// Takes a candidate, whose hash is set here; not one without TLS for what asks for that (RFC 3261 26.2.2, RFC 5630
// 5.3). True: there is no need to offer more.
bool role_pick_offer(struct role_pick *pick, struct role_target *candidate);

// Offers `candidate` at a literal address, or at each address of a name. As role_name_find; ROLE_TARGET: all were
// offered. `failed`: the DNS does not answer.
enum role_targeting role_pick_hop(struct role_pick *pick, struct role_request *request,
                                  const struct conf_hop *hop, struct role_target *candidate, bool *failed);
enum role_targeting role_pick_uri(struct role_pick *pick, struct role_request *request,
                                  const struct sip_uri *uri, struct role_target *candidate, bool *failed);

#endif
