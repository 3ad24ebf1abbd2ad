// PUBLISH (RFC 3903 6): what is published of a user, under a tag that changes with each.
#include "presence/parts.h"
#include "role/hex.h"
#include "role/trust.h"
#include "sip/params.h"
#include "sip/token.h"

#define TAG_DIGITS 16

struct publishing {
    struct role_request *request;
    struct presence_asking asking;
    struct slice aor;
    uint64_t tag;     // that this PUBLISH makes
    uint64_t matches; // that it says it is of; 0: none
    char aor_text[SIP_AOR_MAX];
};

// The same for every retransmission, and for nothing else.
static uint64_t tag_of(struct role_request *request)
{
    uint64_t tag = role_request_mark(request).high;

    return tag != 0 ? tag : 1;
}

static void answer(const struct publishing *publishing, uint32_t expires)
{
    struct role_request *request = publishing->request;
    char digits[TAG_DIGITS];
    struct role_text lines;

    role_hex_write(role_hex_write(digits, (uint32_t)(publishing->tag >> 32)), (uint32_t)publishing->tag);
    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Expires: "));
    role_text_put_number(&lines, expires);
    role_text_put(&lines, SLICE("\r\nSIP-ETag: "));
    role_text_put(&lines, slice_of(digits, sizeof(digits)));
    role_text_put(&lines, SLICE("\r\n"));
    role_answer_lines(request, 200, NULL, role_text_slice(&lines));
}

// The user himself publishes, or who is trusted to do it for him: a voicemail, a gateway.
static bool may_publish(struct publishing *publishing)
{
    struct role_request *request = publishing->request;
    char aor[SIP_AOR_MAX];
    unsigned len = presence_aor_of_entity(request->role, presence_identity(request), aor);

    if (slice_equal(slice_of(aor, len), publishing->aor) || presence_is_element(request))
        return true;
    presence_refuse(request, &request->role->presence->counters.forbidden, 403, "Not Yours To Publish");
    return false;
}

// Step 3: one tag, and one of ours.
static bool read_match(struct publishing *publishing)
{
    struct role_request *request = publishing->request;
    const struct sip_message *message = request->message;
    struct slice value = sip_message_first(message, SIP_HEADER_SIP_IF_MATCH);
    struct cursor c = cursor_over(value);
    uint32_t high, low;

    publishing->matches = 0;
    if (value.at == NULL)
        return true;
    struct slice token = sip_take_token(&c, SIP_ERROR_PARAMETER);
    if (c.error != 0 || !cursor_done(&c) ||
        sip_message_next(message, message->first[SIP_HEADER_SIP_IF_MATCH]) != SIP_NO_LINE) {
        presence_refuse(request, &request->role->presence->counters.refused, 400, "Malformed SIP-If-Match");
        return false;
    }
    if (token.len == TAG_DIGITS && role_hex_read(token.at, &high) && role_hex_read(token.at + 8, &low))
        publishing->matches = (uint64_t)high << 32 | low;
    if (publishing->matches == 0)
        publishing->matches = UINT64_MAX; // well-formed, and nobody's
    return true;
}

static bool refuse_body(struct role_request *request, uint16_t status, const char *reason)
{
    presence_refuse(request, &request->role->presence->counters.bad_body, status, reason);
    return false;
}

// With what would be understood (RFC 3261 21.4.13).
static bool refuse_type(struct role_request *request, struct slice name, struct slice understood)
{
    struct role_text lines;

    request->role->presence->counters.bad_body++;
    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, name);
    role_text_put(&lines, understood);
    role_text_put(&lines, SLICE("\r\n"));
    role_answer_lines(request, 415, NULL, role_text_slice(&lines));
    return false;
}

static bool is_plain(const struct sip_message *message)
{
    return !sip_message_has(message, SIP_HEADER_CONTENT_ENCODING) ||
           slice_equal_nocase(sip_message_first(message, SIP_HEADER_CONTENT_ENCODING), SLICE("identity"));
}

// RFC 3863 4.1: the charset parameter goes before what the document says of itself.
static bool charset_is_known(struct slice params)
{
    struct sip_param charset;

    if (!sip_param_find(params, SLICE("charset"), &charset) || charset.value.at == NULL)
        return true;
    if (charset.value.len >= 2 && charset.value.at[0] == '"')
        charset.value = slice_of(charset.value.at + 1, charset.value.len - 2);
    return SLICE_IS(charset.value, "utf-8") || SLICE_IS(charset.value, "us-ascii");
}

static bool check_type(const struct publishing *publishing)
{
    struct role_request *request = publishing->request;
    struct slice value = sip_message_first(request->message, SIP_HEADER_CONTENT_TYPE);
    uint32_t end = slice_find(value, ';');
    struct slice name = presence_type_name((enum presence_type)publishing->asking.package->published);

    if (!is_plain(request->message))
        return refuse_type(request, SLICE("Accept-Encoding: "), SLICE("identity"));
    if (!slice_equal_nocase(slice_trim(slice_of(value.at, end)), name) ||
        (end < value.len && !charset_is_known(slice_of(value.at + end, value.len - end))))
        return refuse_type(request, SLICE("Accept: "), name);
    return true;
}

// Step 5. The user's own address may be written in many ways.
static bool read_body(struct publishing *publishing, struct presence_body *body)
{
    struct role_request *request = publishing->request;
    const struct role *role = request->role;
    const struct sip_message *message = request->message;
    struct slice bytes = slice_of(message->bytes + message->body, message->body_len);
    char aor[SIP_AOR_MAX];

    if (!check_type(publishing))
        return false;
    if (bytes.len > role->conf->document_max)
        return refuse_body(request, 413, NULL);
    enum document_error error = publishing->asking.package->read(role->presence, bytes, body);
    if (error != DOCUMENT_OK)
        return refuse_body(request, error == DOCUMENT_TOO_LARGE ? 413 : 400, document_error_text(error));
    if (body->entity.len > 0 &&
        !slice_equal(slice_of(aor, presence_aor_of_entity(role, body->entity, aor)), publishing->aor))
        return refuse_body(request, 400, "Document Of Another Entity");
    return true;
}

static struct subscription_presentity *presentity_of(struct publishing *publishing, bool open)
{
    const struct role_request *request = publishing->request;
    struct subscription_table *table = request->role->presence->table;
    uint8_t number = publishing->asking.package->number;
    struct hash128 key = role_presentity_key(location_key(request->role->location, publishing->aor), number);
    struct subscription_presentity *presentity = subscription_presentity_find(table, key);

    if (presentity != NULL || !open)
        return presentity;
    return subscription_presentity_open(table, key, publishing->aor, number, request->arrival->now.unix_s);
}

static uint64_t expires_ms(const struct publishing *publishing)
{
    return publishing->request->arrival->now.ms + publishing->asking.expires * UINT64_C(1000);
}

static struct subscription_publication *make(struct subscription_table *table,
                                             const struct publishing *publishing,
                                             struct subscription_presentity *presentity,
                                             const struct presence_body *body)
{
    uint32_t number = presence_durable_number(table, presentity, publishing->tag);
    struct subscription_publication *publication = subscription_publish(
        table, presentity, publishing->tag, (uint16_t)body->type, body->bytes, expires_ms(publishing));

    if (publication != NULL)
        publication->source = number;
    return publication;
}

static void publish_anew(struct publishing *publishing)
{
    struct role_request *request = publishing->request;
    struct presence *presence = request->role->presence;
    struct subscription_publication *publication = NULL;
    struct presence_body body;

    if (request->message->body_len == 0) {
        refuse_body(request, 400, "Nothing To Publish");
        return;
    }
    if (!read_body(publishing, &body))
        return;
    presence->counters.published++;
    if (publishing->asking.expires == 0) { // over as it begins
        answer(publishing, 0);
        return;
    }
    struct subscription_presentity *presentity = presentity_of(publishing, true);
    if (presentity != NULL)
        publication = make(presence->table, publishing, presentity, &body);
    if (publication == NULL) {
        presence_refuse_later(request, "No Room For Publications");
        return;
    }
    answer(publishing, publishing->asking.expires);
    presence_durable_publication(request->role, request->verdict, publication, 0, false,
                                 &request->arrival->now);
}

static void remove_publication(struct publishing *publishing, struct subscription_publication *publication)
{
    struct role_request *request = publishing->request;
    struct presence *presence = request->role->presence;

    presence_repeat_note(request, publishing->matches, 200);
    presence_repeat_note(request, publishing->tag, 200);
    presence->counters.removed++;
    answer(publishing, 0);
    presence_durable_publication(request->role, request->verdict, publication, 0, true,
                                 &request->arrival->now);
    subscription_publication_close(presence->table, publication);
}

static void change_publication(struct publishing *publishing, struct subscription_publication *publication)
{
    struct role_request *request = publishing->request;
    struct presence *presence = request->role->presence;
    bool modifies = request->message->body_len > 0;
    struct presence_body body = {.type = PRESENCE_TYPE_NONE};

    if (modifies && !read_body(publishing, &body))
        return;
    if (publishing->asking.expires == 0) {
        remove_publication(publishing, publication);
        return;
    }
    const struct subscription_body *old = subscription_body(presence->table, publication->body);
    uint32_t before = old != NULL ? old->len : 0;
    if (subscription_publication_change(presence->table, publication, publishing->tag, (uint16_t)body.type,
                                        modifies ? &body.bytes : NULL, expires_ms(publishing)) != 0) {
        presence_refuse_later(request, "No Room For Publications");
        return;
    }
    presence_repeat_note(request, publishing->matches, 200);
    if (modifies)
        presence->counters.changed++;
    else
        presence->counters.prolonged++;
    answer(publishing, publishing->asking.expires);
    presence_durable_publication(request->role, request->verdict, publication, before, false,
                                 &request->arrival->now);
}

// What this very PUBLISH has done already. True: answered.
static bool is_repeated(struct publishing *publishing, const struct subscription_presentity *presentity)
{
    struct presence *presence = publishing->request->role->presence;
    uint64_t now_ms = publishing->request->arrival->now.ms;
    const struct subscription_publication *made =
        presentity == NULL ? NULL
                           : subscription_publication_find(presence->table, presentity, publishing->tag);

    if (made != NULL)
        answer(publishing,
               made->expires_ms > now_ms ? (uint32_t)((made->expires_ms - now_ms + 999) / 1000) : 0);
    else if (presence_repeat_find(publishing->request, publishing->tag) != 0)
        answer(publishing, 0);
    else
        return false;
    presence->counters.repeated++;
    presence_durable_wait(publishing->request, STORE_PUBLICATIONS);
    return true;
}

void presence_publish(struct role_request *request)
{
    struct publishing publishing;
    unsigned len = presence_aor_asked(request, publishing.aor_text);

    publishing.request = request;
    publishing.aor = slice_of(publishing.aor_text, len);
    if (len == 0) { // step 1
        presence_refuse(request, &request->role->presence->counters.refused, 404, NULL);
        return;
    }
    if (!presence_read_event(request, &publishing.asking) || !may_publish(&publishing) ||
        !read_match(&publishing))
        return;
    publishing.tag = tag_of(request);
    struct subscription_presentity *presentity = presentity_of(&publishing, false);
    if (is_repeated(&publishing, presentity))
        return;
    struct subscription_publication *publication =
        presentity == NULL || publishing.matches == 0
            ? NULL
            : subscription_publication_find(request->role->presence->table, presentity, publishing.matches);
    if (publishing.matches != 0 && publication == NULL) {
        presence_refuse(request, &request->role->presence->counters.unmatched, 412, NULL);
        return;
    }
    if (!presence_read_expires(request, &publishing.asking) || !presence_durable_ready(request))
        return;
    if (publication == NULL)
        publish_anew(&publishing);
    else
        change_publication(&publishing, publication);
}

void presence_forget_publication(struct role *role, struct subscription_publication *publication,
                                 const struct clock *now)
{
    presence_durable_publication(role, NULL, publication, 0, true, now);
    subscription_publication_close(role->presence->table, publication);
}
