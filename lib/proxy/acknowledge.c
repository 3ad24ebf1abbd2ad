// The ACK to a negative answer: RFC 3261 17.1.1.3.
#include "proxy/core.h"

// From the INVITE as it was sent and the To of the answer in hand. The INVITE is not needed any more then.
static void make(struct proxy_event *event, struct transaction_branch *branch)
{
    struct role *role = event->role;
    const struct sip_message *sent = role->outlet.index(role->outlet.owner, branch->request);

    if (sent == NULL || event->response == NULL)
        return;
    sip_edits_clear(&role->spare);
    proxy_hop_request_note(sent, SLICE("ACK"), sip_message_first(event->response, SIP_HEADER_TO), SLICE(""),
                           &role->spare);
    struct buffer *ack =
        role->outlet.copy(role->outlet.owner, slice_of(sent->bytes, sent->len), &role->spare, NULL);
    if (ack == NULL) // it is made when the answer comes again
        return;
    proxy_buffer_release(role, &branch->extra);
    proxy_buffer_release(role, &branch->request);
    branch->extra = ack;
}

void proxy_acknowledge(struct proxy_event *event, struct transaction_branch *branch)
{
    struct role *role = event->role;

    if (branch->request != NULL)
        make(event, branch);
    if (branch->request == NULL && branch->extra != NULL)
        role->outlet.send(role->outlet.owner, branch->extra, &branch->to, branch->listener, 0);
    if (branch->request == NULL && !proxy_may_linger(role)) // it was sent once, and mostly that is enough
        proxy_buffer_release(role, &branch->extra);
}
