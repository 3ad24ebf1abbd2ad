// core: the proxy core (RFC 3261 16) between its files.
//
// Internal to the room. A request that is forwarded with state has one record (transaction/transaction.h). The machines
// in there say what to do; these functions do it: edit, copy, send, choose. What happens to a record afterwards, a
// response, a timer, an ICMP error, a CANCEL, is an event; whoever makes one calls proxy_event_end at last.
#ifndef PROXY_CORE_H
#define PROXY_CORE_H

#include "proxy/proxy.h"
#include "role/branch.h"
#include "role/target.h"

#define PROXY_TOGETHER_MAX 16 // branches that are begun at once: [proxy] branches_max is at most that
#define PROXY_TAG_LEN      20

struct proxy_contacts; // proxy/recursion.h

// How a request leaves for one target.
struct proxy_leg {
    struct role_branch branch; // for our Via
    uint8_t out;               // the listener it is sent from
    uint8_t breadth;           // its share of Max-Breadth
};

// Something happened to a record.
struct proxy_event {
    struct role *role;
    struct transaction *transaction;
    struct clock now;
    // The message in hand, which becomes a response to the server transaction or is dropped; NULL: a timer or an error.
    const struct sip_message *response;
    const struct arrival *arrival;
    struct verdict *verdict;
    struct sip_edits *edits;
    struct sip_span cut; // the edit that takes our Via off it
    bool shrinks;        // what went over a stream for its size is to go as it would have gone
};

// forward.c: the edits of RFC 3261 16.6 for one target, into request->edits. May be asked for any number of targets.
void proxy_forward_note(struct role_request *request, const struct role_target *target,
                        const struct proxy_leg *leg);
// RFC 3261 16.6 step 10: over a stream nothing else says where a message ends that came without Content-Length, and what
// is its body would be read there as a message of ours.
void proxy_length_note(const struct sip_message *message, const struct endpoint *to, struct sip_edits *edits);
// The listener that reaches the target; else the status of the answer and its reason.
uint16_t proxy_forward_listener(const struct role_request *request, const struct role_target *target,
                                uint8_t *out, const char **reason);
// RFC 3261 18.1.1: over TCP, where some listener has it, what is too large for UDP as it would leave, unless the target
// is reached where it was seen alone. True: the hop's transport and `out` are changed.
bool proxy_forward_by_size(struct role_request *request, struct role_target *target, uint8_t *out);
// Max-Breadth as it came, or as this server gives and bounds it (RFC 5393 5.3.3). 0: not even one branch is allowed.
uint8_t proxy_forward_breadth(const struct role_request *request);

// record_route.c. Whether the request gets a Record-Route of ours.
bool proxy_records_route(const struct role_request *request);

// identity.c. Notes the edits that keep asserted identities within the trust domain (RFC 3325 5, 7, RFC 3323 for
// Privacy: id) and take away what the untrusted may not say (P-Asserted-Identity, Record-Route, Path of others).
void proxy_identity_note(struct role_request *request, const struct role_target *target);
// The same for a response on its way back, towards `to`.
void proxy_identity_note_response(struct role *role, const struct sip_message *message,
                                  const struct arrival *arrival, const struct endpoint *to,
                                  struct sip_edits *edits);

// record_route.c. The Record-Route lines for a target that is sent to from listener `out`, into the edit that is open.
//
// Each has a token (role/flow.h). There are two where the sides differ (RFC 5658 3.1) or one of them is behind a NAT:
// the upper one for the side that the request leaves by, the lower one for the side it came from. The callee has them
// in this order in its route set and the caller in the other (RFC 3261 12.1), so whoever sends a request in the dialog
// puts his own side's on top and the other's behind it: the last of our values says by which listener to leave and,
// with a flow in it, where to. Over a stream the flow is the connection.
void proxy_record_route_put(struct role_request *request, const struct role_target *target, unsigned out);
// Whether the target is reached by that very hop alone, where its connection or its NAT leads.
bool proxy_target_is_flow(const struct role_request *request, const struct role_target *target);

// contact.c. [proxy] nat = repair: the Contact of a request or response whose sender is behind a NAT.
void proxy_contact_note(const struct role *role, const struct sip_message *message,
                        const struct endpoint *source, struct sip_edits *edits);

// transact.c: requests and their server transactions.
// Opens a record for a request and answers 100 to an INVITE. NULL: there is no room.
struct transaction *proxy_transaction_open(struct role_request *request, unsigned buffers);
// 100 to an INVITE that waits for a name; nobody remembers it.
void proxy_transaction_trying(struct role_request *request);
void proxy_transaction_tag(const struct role *role, const struct transaction *transaction,
                           char tag[PROXY_TAG_LEN]);

// group.c: targets that are tried together.
struct proxy_group {
    unsigned n;
    bool more;       // there may be further targets when these have failed
    bool by_size;    // some of them are
    uint16_t status; // of the answer where none of them can be reached
    const char *reason;
    struct {
        struct role_target target;
        uint8_t out;  // listener
        bool by_size; // the hop is the target's over TCP, for the request is large (RFC 3261 18.1.1)
        int8_t from;  // the branch whose 3xx named it, or -1
    } one[PROXY_TOGETHER_MAX];
};
// The targets to be tried next, together, at most `max`. ROLE_TARGET: at least one. `transaction`: NULL: nothing was
// tried yet. `course`: NULL: only `contacts` (may be NULL).
enum role_targeting proxy_group_gather(struct role_request *request, const struct role_course *course,
                                       struct transaction *transaction, const struct proxy_contacts *contacts,
                                       unsigned max, struct proxy_group *group);
// What its branch is known by among those that were tried.
uint32_t proxy_group_hash(const struct proxy_group *group, unsigned i);
// How many a record may begin now.
unsigned proxy_group_max(const struct role_request *request, const struct transaction *transaction);

// branches.c. The first of the group gets the message in hand, the others copies. `loop`: of their Via branches.
void proxy_branches_begin(struct role_request *request, const struct role_course *course,
                          struct transaction *transaction, uint32_t loop, const struct proxy_group *group);
// All of them get copies. `request`: the one that was kept. Returns how many were begun.
unsigned proxy_branches_begin_copies(struct role_request *request, const struct role_course *course,
                                     struct transaction *transaction, const struct proxy_group *group);

// failover.c. Asks again for targets, from the kept request. `failed`: the status that a branch ended with; 0: it
// rings too long, and is cancelled if there is another. True: at least one branch was begun.
bool proxy_branches_next(struct proxy_event *event, uint16_t failed);
// Whether a final answer is still waited for.
bool proxy_branch_waits(const struct transaction_branch *branch);
unsigned proxy_branches_waiting(struct proxy_event *event);
// Gives its share of Max-Breadth back (RFC 5393 5.3.3.1).
void proxy_branch_reclaim(struct proxy_event *event, struct transaction_branch *branch);

// silence.c: branches that do not answer in time. answer_at has come:
void proxy_branch_unanswered(struct proxy_event *event, struct transaction_branch *branch);
// All that wait and are older than number `before` are cancelled; what never said a word is waited for no more.
void proxy_branches_give_up(struct proxy_event *event, unsigned before);

// upstream.c: responses on their way back.
void proxy_response_match(struct proxy_event *event, const struct role_branch *via,
                          const struct sip_cseq *cseq);
// A branch has its final negative answer, in hand or made up (408, 503).
void proxy_branch_failed(struct proxy_event *event, struct transaction_branch *branch, uint16_t status);
void proxy_event_drop(struct proxy_event *event, enum drop reason);
// What every response gets on its way to the caller, beside its Via.
void proxy_upstream_note(struct proxy_event *event, struct sip_edits *edits);
// best.c: the best of the final answers goes upstream, when all are there (16.7 step 6).
void proxy_best_keep(struct proxy_event *event, struct transaction_branch *branch, uint16_t status);
// The message in hand into branch->response, whatever the others said.
void proxy_best_copy(struct proxy_event *event, struct transaction_branch *branch);
// `last`: the branch that ended now, with `status`; NULL: none did.
void proxy_best_send(struct proxy_event *event, struct transaction_branch *last, uint16_t status);
// The caller has his final answer, or there will be none (RFC 4320 4.2).
static inline bool proxy_is_answered(const struct transaction *transaction)
{
    return transaction->state > TRANSACTION_SERVER_PROCEEDING;
}
// The message in hand, or a buffer, which is taken over. False: there was a final one already.
bool proxy_upstream_in_hand(struct proxy_event *event, uint16_t status);
bool proxy_upstream_buffer(struct proxy_event *event, struct buffer *buffer, uint16_t status);
// A response of our own.
void proxy_upstream_own(struct proxy_event *event, uint16_t status);
// The last response once more.
void proxy_upstream_again(struct proxy_event *event);

// cancel.c: RFC 3261 9, 16.10.
enum proxy_cancel { PROXY_CANCEL_CALLER, PROXY_CANCEL_ANSWERED, PROXY_CANCEL_SILENT };
void proxy_cancel(struct role_request *request, struct transaction *transaction);
void proxy_branch_cancel(struct proxy_event *event, struct transaction_branch *branch, enum proxy_cancel why);
void proxy_branches_cancel(struct proxy_event *event, enum proxy_cancel why);
void proxy_cancel_send(struct proxy_event *event, struct transaction_branch *branch, enum proxy_cancel why);
void proxy_cancel_again(struct proxy_event *event, struct transaction_branch *branch); // a retransmission
// Of a CANCEL that had to wait.
static inline enum proxy_cancel proxy_cancel_reason(const struct transaction *transaction)
{
    return transaction->status / 100 == 2 ? PROXY_CANCEL_ANSWERED : PROXY_CANCEL_CALLER;
}

// acknowledge.c: the ACK to a negative answer (17.1.1.3): the first time from the answer in hand, then again.
void proxy_acknowledge(struct proxy_event *event, struct transaction_branch *branch);
// What CANCEL and ACK share: edits on the request that was sent. `to`: at == NULL: its own.
void proxy_hop_request_note(const struct sip_message *sent, struct slice method, struct slice to,
                            struct slice lines, struct sip_edits *edits);

// timers.c: the record after an event: settled, or closed and its buffers released.
void proxy_event_end(struct proxy_event *event);
// Whether a message may be kept only to be repeated.
bool proxy_may_linger(const struct role *role);
void proxy_buffer_release(struct role *role, struct buffer **buffer);

// accounting.c: hooks into call/call.h and gateway/gateway.h.
void proxy_account_begin(struct role_request *request, struct transaction *transaction);
void proxy_account_branch(struct role *role, struct transaction *transaction,
                          const struct transaction_branch *branch);
void proxy_account_heard(struct proxy_event *event, struct transaction_branch *branch, uint16_t status);
void proxy_account_final(struct proxy_event *event, const struct transaction_branch *branch, uint16_t status);
void proxy_account_lost(struct role *role, struct transaction *transaction, const struct clock *now);
void proxy_account_bye(struct role_request *request); // one whose answer nobody will know
void proxy_account_turn(struct role *role, const struct clock *now);

#endif
