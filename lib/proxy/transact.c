// Requests and their server transactions: RFC 3261 17.2.
#include "proxy/core.h"
#include "role/digest.h"
#include "role/hex.h"
#include "sip/reply.h"

// Without the cookie: what RFC 2543 compared. The To tag of an ACK is its INVITE's answer's and cannot be in the key.
static void put_old(struct role_digest *digest, const struct role_request *request)
{
    unsigned method = request->message->method;
    bool invite = method == SIP_METHOD_INVITE || method == SIP_METHOD_ACK || method == SIP_METHOD_CANCEL;

    role_digest_put(digest, sip_message_span(request->message, request->message->uri));
    role_digest_put(digest, invite ? SLICE("") : request->to_tag);
    role_digest_put(digest, request->from_tag);
    role_digest_put(digest, request->call_id);
    role_digest_put_number(digest, request->cseq.number);
    role_digest_put(digest, request->via.text);
}

// The table tells those apart that have a number.
static void put_method(struct role_digest *digest, const struct sip_message *message)
{
    if (message->method == SIP_METHOD_OTHER)
        role_digest_put(digest, sip_message_span(message, message->method_text));
}

static struct hash128 old_key(const struct role_request *request)
{
    struct role_digest digest;

    role_digest_begin(&digest, &request->role->secret, ROLE_DIGEST_TRANSACTION);
    put_old(&digest, request);
    put_method(&digest, request->message);
    return role_digest_end(&digest);
}

static struct hash128 key_of(const struct role_request *request)
{
    if (request->steered->has_transaction)
        return request->steered->transaction;
    return role_via_is_unique(&request->via) ? role_via_key(request->role, request->message, &request->via)
                                             : old_key(request);
}

static struct proxy_event event_of(const struct role_request *request, struct transaction *transaction)
{
    return (struct proxy_event){
        .role = request->role,
        .transaction = transaction,
        .now = request->arrival->now,
    };
}

// 17.2.3: without the cookie an ACK belongs to the answer whose To tag it has; one to another's 2xx goes on.
static bool acknowledges(const struct role_request *request, const struct transaction *transaction)
{
    struct role *role = request->role;
    struct sip_address to;

    if (role_via_is_unique(&request->via) || transaction->response == NULL)
        return true;
    const struct sip_message *answer = role->outlet.index(role->outlet.owner, transaction->response);
    return answer != NULL && sip_address_parse(sip_message_first(answer, SIP_HEADER_TO), &to) == SIP_OK &&
           slice_equal(to.tag, request->to_tag);
}

static bool acknowledged(struct role_request *request, struct transaction *transaction)
{
    struct proxy_event event = event_of(request, transaction);

    if (!acknowledges(request, transaction))
        return false;
    unsigned actions =
        transaction_server_ack(request->role->transactions, transaction, request->arrival->now.ms);
    proxy_event_end(&event);
    if (actions & TRANSACTION_PASS) // to a 2xx, with the branch of its INVITE as RFC 2543 had it
        return false;
    role_drop(request, DROP_ACK_ABSORBED);
    return true;
}

static void repeated(struct role_request *request, struct transaction *transaction)
{
    struct role *role = request->role;
    struct proxy_event event = event_of(request, transaction);
    unsigned actions = transaction_server_request(role->transactions, transaction, request->arrival->now.ms);

    if ((actions & TRANSACTION_RESEND) && transaction->response != NULL)
        role->outlet.send(role->outlet.owner, transaction->response, &transaction->reply_to,
                          transaction->listener, transaction->status);
    proxy_event_end(&event);
    role_drop(request, DROP_RETRANSMISSION);
}

bool proxy_transact(struct role_request *request)
{
    struct role *role = request->role;
    unsigned method = request->message->method;

    if (role->transactions == NULL)
        return false;
    request->key = key_of(request);
    struct transaction *transaction = transaction_find(role->transactions, request->key, (uint8_t)method);
    if (transaction == NULL)
        return false;
    if (method == SIP_METHOD_ACK)
        return acknowledged(request, transaction);
    if (method == SIP_METHOD_CANCEL)
        proxy_cancel(request, transaction);
    else
        repeated(request, transaction);
    return true;
}

// 17.2.1, with the Timestamp of 8.2.6.1: at once, for nobody knows how long the others take.
static struct buffer *make_trying(struct role_request *request)
{
    struct role *role = request->role;
    const struct sip_message *message = request->message;
    const struct sip_reply reply = {.status = 100, .lines = role_route_server_line(role->route)};

    role_request_stamp_spare(request);
    sip_reply_note(message, &reply, &role->spare);
    return role->outlet.copy(role->outlet.owner, slice_of(message->bytes, message->len), &role->spare, NULL);
}

void proxy_transaction_trying(struct role_request *request)
{
    struct role *role = request->role;
    struct endpoint to = role_answer_endpoint(request);
    struct buffer *trying = role->transactions != NULL ? make_trying(request) : NULL;

    if (trying == NULL)
        return;
    role->outlet.send(role->outlet.owner, trying, &to, request->arrival->listener, 100);
    role->outlet.release(role->outlet.owner, trying);
}

// What makes the key unguessable makes this so. It says nothing of the key's place in the table.
static uint64_t check_of(struct hash128 key)
{
    uint64_t mixed = role_digest_mix(key.high, slice_of((const char *)&key, sizeof(key)));

    return mixed & ((UINT64_C(1) << ROLE_BRANCH_CHECK_BITS) - 1);
}

struct transaction *proxy_transaction_open(struct role_request *request, unsigned buffers)
{
    struct role *role = request->role;
    uint64_t now_ms = request->arrival->now.ms;
    unsigned method = request->message->method;

    if (!role->outlet.room(role->outlet.owner, buffers)) {
        role->crowded++;
        return NULL;
    }
    struct transaction *transaction =
        transaction_open(role->transactions, request->key, (uint8_t)method, now_ms, proxy_record_evict, role);
    if (transaction == NULL)
        return NULL;
    transaction->check = check_of(request->key);
    transaction->source = request->arrival->source;
    transaction->reply_to = role_answer_endpoint(request);
    transaction->listener = request->arrival->listener;
    if (method != SIP_METHOD_INVITE)
        return transaction;
    transaction->response = make_trying(request);
    transaction_server_respond(role->transactions, transaction, 100, now_ms);
    if (transaction->response != NULL)
        role->outlet.send(role->outlet.owner, transaction->response, &transaction->reply_to,
                          transaction->listener, 100);
    return transaction;
}

// Of a record's own answers. Known to nobody before, the same for all of them (RFC 3261 9.2, 19.3).
void proxy_transaction_tag(const struct role *role, const struct transaction *transaction,
                           char tag[PROXY_TAG_LEN])
{
    struct role_digest digest;

    role_digest_begin(&digest, &role->secret, ROLE_DIGEST_TAG);
    role_digest_put(&digest, slice_of((const char *)&transaction->key, sizeof(transaction->key)));
    uint64_t number = role_digest_end(&digest).low;
    memcpy(tag, "stg-", 4);
    tag = role_hex_write(tag + 4, (uint32_t)(number >> 32));
    role_hex_write(tag, (uint32_t)number);
}
