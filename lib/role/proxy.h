// proxy: the proxy core (RFC 3261 16) between its files.
//
// Internal to the room. A request that is forwarded with state has one record (transaction/transaction.h). The machines
// in there say what to do; these functions do it: edit, copy, send, choose. What happens to a record afterwards, a
// response, a timer, an ICMP error, a CANCEL, is an event; whoever makes one calls role_event_end at last.
#ifndef ROLE_PROXY_H
#define ROLE_PROXY_H

#include "role/branch.h"
#include "role/target.h"

#define ROLE_TOGETHER_MAX 16 // branches that are begun at once: [proxy] branches_max is at most that
#define ROLE_TAG_LEN      20

struct role_contacts; // role/recursion.h

// How a request leaves for one target.
struct role_leg {
    struct role_branch branch; // for our Via
    uint8_t out;               // the listener it is sent from
    uint8_t breadth;           // its share of Max-Breadth
};

// Something happened to a record.
struct role_event {
    struct role *role;
    struct transaction *transaction;
    struct clock now;
    // The message in hand, which becomes a response to the server transaction or is dropped; NULL: a timer or an error.
    const struct sip_message *response;
    const struct arrival *arrival;
    struct verdict *verdict;
    struct sip_edits *edits;
    struct sip_span cut; // the edit that takes our Via off it
};

// forward.c: the edits of RFC 3261 16.6 for one target, into request->edits. May be asked for any number of targets.
void role_forward_note(struct role_request *request, const struct role_target *target,
                       const struct role_leg *leg);
// The listener that reaches the target; else the status of the answer and its reason.
uint16_t role_forward_listener(const struct role_request *request, const struct role_target *target,
                               uint8_t *out, const char **reason);
// Max-Breadth as it came, or as this server gives and bounds it (RFC 5393 5.3.3). 0: not even one branch is allowed.
uint8_t role_forward_breadth(const struct role_request *request);

// transact.c: requests and their server transactions.
// A request of a record that is there. True: it is done with, the verdict stands.
bool role_transact(struct role_request *request);
// Opens a record for a request and answers 100 to an INVITE. NULL: there is no room.
struct transaction *role_transaction_open(struct role_request *request, unsigned buffers);
// 100 to an INVITE that waits for a name; nobody remembers it.
void role_transaction_trying(struct role_request *request);
void role_transaction_tag(const struct role *role, const struct transaction *transaction,
                          char tag[ROLE_TAG_LEN]);

// group.c: targets that are tried together.
struct role_group {
    unsigned n;
    bool more;       // there may be further targets when these have failed
    uint16_t status; // of the answer where none of them can be reached
    const char *reason;
    struct {
        struct role_target target;
        uint8_t out; // listener
        int8_t from; // the branch whose 3xx named it, or -1
    } one[ROLE_TOGETHER_MAX];
};
// The targets to be tried next, together, at most `max`. ROLE_TARGET: at least one. `transaction`: NULL: nothing was
// tried yet. `course`: NULL: only `contacts` (may be NULL).
enum role_targeting role_group_gather(struct role_request *request, const struct role_course *course,
                                      struct transaction *transaction, const struct role_contacts *contacts,
                                      unsigned max, struct role_group *group);
// How many a record may begin now.
unsigned role_group_max(const struct role_request *request, const struct transaction *transaction);

// branches.c. The first of the group gets the message in hand, the others copies. `loop`: of their Via branches.
void role_branches_begin(struct role_request *request, const struct role_course *course,
                         struct transaction *transaction, uint32_t loop, const struct role_group *group);
// All of them get copies. `request`: the one that was kept. Returns how many were begun.
unsigned role_branches_begin_copies(struct role_request *request, const struct role_course *course,
                                    struct transaction *transaction, const struct role_group *group);

// failover.c. Asks again for targets, from the kept request. `failed`: the status that a branch ended with; 0: it
// rings too long, and is cancelled if there is another. True: at least one branch was begun.
bool role_branches_next(struct role_event *event, uint16_t failed);
// Whether a final answer is still waited for.
bool role_branch_waits(const struct transaction_branch *branch);
unsigned role_branches_waiting(struct role_event *event);
// Gives its share of Max-Breadth back (RFC 5393 5.3.3.1).
void role_branch_reclaim(struct role_event *event, struct transaction_branch *branch);

// silence.c: branches that do not answer in time. answer_at has come:
void role_branch_unanswered(struct role_event *event, struct transaction_branch *branch);
// All that wait and are older than number `before` are cancelled; what never said a word is waited for no more.
void role_branches_give_up(struct role_event *event, unsigned before);

// upstream.c: responses on their way back.
void role_response_match(struct role_event *event, const struct role_branch *via,
                         const struct sip_cseq *cseq);
// A branch has its final negative answer, in hand or made up (408, 503).
void role_branch_failed(struct role_event *event, struct transaction_branch *branch, uint16_t status);
void role_event_drop(struct role_event *event, enum drop reason);
// What every response gets on its way to the caller, beside its Via.
void role_upstream_note(struct role_event *event, struct sip_edits *edits);
// best.c: the best of the final answers goes upstream, when all are there (16.7 step 6).
void role_best_keep(struct role_event *event, struct transaction_branch *branch, uint16_t status);
// The message in hand into branch->response, whatever the others said.
void role_best_copy(struct role_event *event, struct transaction_branch *branch);
// `last`: the branch that ended now, with `status`; NULL: none did.
void role_best_send(struct role_event *event, struct transaction_branch *last, uint16_t status);
// The caller has his final answer, or there will be none (RFC 4320 4.2).
static inline bool role_is_answered(const struct transaction *transaction)
{
    return transaction->state > TRANSACTION_SERVER_PROCEEDING;
}
// The message in hand, or a buffer, which is taken over. False: there was a final one already.
bool role_upstream_in_hand(struct role_event *event, uint16_t status);
bool role_upstream_buffer(struct role_event *event, struct buffer *buffer, uint16_t status);
// A response of our own.
void role_upstream_own(struct role_event *event, uint16_t status);
// The last response once more.
void role_upstream_again(struct role_event *event);

// cancel.c: RFC 3261 9, 16.10.
enum role_cancel { ROLE_CANCEL_CALLER, ROLE_CANCEL_ANSWERED, ROLE_CANCEL_SILENT };
void role_cancel(struct role_request *request, struct transaction *transaction);
void role_branch_cancel(struct role_event *event, struct transaction_branch *branch, enum role_cancel why);
void role_branches_cancel(struct role_event *event, enum role_cancel why);
void role_cancel_send(struct role_event *event, struct transaction_branch *branch, enum role_cancel why);
void role_cancel_again(struct role_event *event, struct transaction_branch *branch); // a retransmission
// Of a CANCEL that had to wait.
static inline enum role_cancel role_cancel_reason(const struct transaction *transaction)
{
    return transaction->status / 100 == 2 ? ROLE_CANCEL_ANSWERED : ROLE_CANCEL_CALLER;
}

// acknowledge.c: the ACK to a negative answer (17.1.1.3): the first time from the answer in hand, then again.
void role_acknowledge(struct role_event *event, struct transaction_branch *branch);
// What CANCEL and ACK share: edits on the request that was sent. `to`: at == NULL: its own.
void role_hop_request_note(const struct sip_message *sent, struct slice method, struct slice to,
                           struct slice lines, struct sip_edits *edits);

// timers.c: the record after an event: settled, or closed and its buffers released.
void role_event_end(struct role_event *event);
// Whether a message may be kept only to be repeated.
bool role_may_linger(const struct role *role);
void role_record_evict(void *owner, struct transaction *transaction);
void role_buffer_release(struct role *role, struct buffer **buffer);

// accounting.c: hooks into call/call.h and gateway/gateway.h.
void role_account_begin(struct role_request *request, struct transaction *transaction);
void role_account_branch(struct role *role, struct transaction *transaction,
                         const struct transaction_branch *branch);
void role_account_heard(struct role_event *event, struct transaction_branch *branch, uint16_t status);
void role_account_final(struct role_event *event, const struct transaction_branch *branch, uint16_t status);
void role_account_lost(struct role *role, struct transaction *transaction, const struct clock *now);
void role_account_bye(struct role_request *request); // one whose answer nobody will know
void role_account_turn(struct role *role, const struct clock *now);

#endif
