// The location table: who is registered, and bindings that an operator makes.
//
// A shard is written by its worker alone. So a binding is made by a REGISTER like any other, handed to a worker with
// nobody as its source: whatever happens to a registration, its way to the disk too, happens to this one.
#include <rte_malloc.h>
#include <stdio.h>
#include <time.h>

#include "control/aor.h"
#include "control/command_run.h"
#include "control/parts.h"
#include "location/location.h"
#include "role/policy.h"
#include "sip/contact.h"

#define ANSWER_MS     5000
#define PLACES_A_PAGE 65536      // of the table, well under a millisecond
#define FOREVER       UINT32_MAX // seconds: as many as a REGISTER can say
#define CALL_ID       "@operator.invalid"

static const struct role_policy *policy_of(const struct control *control)
{
    return control->setup.policy != NULL ? *control->setup.policy : NULL;
}

// False: refused.
static bool read_aor(const struct control *control, struct slice word, struct control_aor *aor,
                     struct control_json *reply)
{
    const struct role_policy *policy = policy_of(control);

    if (policy == NULL || control->setup.location == NULL) {
        control_command_refuse(reply, "this server has no location table");
        return false;
    }
    const char *what = control_aor_read_own(policy->route, word, aor);
    if (what != NULL)
        control_command_refuse(reply, "\"%.*s\" %s", SLICE_PRINT(word), what);
    return what == NULL;
}

static void put_binding(struct control_json *reply, struct slice aor, const struct location_binding *binding,
                        uint64_t now_ms)
{
    control_json_open(reply, NULL, '{');
    control_json_text(reply, "aor", aor);
    control_json_text(reply, "contact", binding->contact);
    control_json_number(reply, "expires_s", (binding->expires_ms - now_ms + 999) / 1000);
    control_json_number(reply, "q", binding->q);
    control_json_endpoint(reply, "next_hop", &binding->received);
    control_json_text(reply, "path", binding->path);
    control_json_text(reply, "call_id", binding->call_id);
    control_json_number(reply, "cseq", binding->cseq);
    control_json_close(reply, '}');
}

static void put_set(struct control_json *reply, const struct location_set *set, uint64_t now_ms)
{
    struct location_binding binding;
    unsigned position = 0;

    while (location_next(set, now_ms, &position, &binding))
        put_binding(reply, location_set_aor(set), &binding, now_ms);
}

// A page of all, or an empty one where that takes too long.
static bool put_page(struct control_command *command, struct control_json *reply)
{
    const struct control *control = command->control;
    uint64_t *position = &command->position;
    unsigned places = PLACES_A_PAGE;

    while (command->shard < control->setup.workers_n && places > 0 &&
           control_json_slice(reply).len < CONTROL_REPLY_FULL) {
        uint64_t before = *position;
        const struct location_set *set =
            location_walk(control->setup.location, command->shard, position, places);
        if (*position == LOCATION_WALK_END) {
            command->shard++;
            *position = 0;
            continue;
        }
        places -= (unsigned)(*position - before);
        if (set != NULL)
            put_set(reply, set, control->now_ms);
    }
    return command->shard < control->setup.workers_n;
}

static void put_one(const struct control *control, const struct control_aor *aor, struct control_json *reply)
{
    const struct location *location = control->setup.location;
    const struct location_set *set = location_find(location, location_key(location, control_aor_slice(aor)));

    if (set != NULL)
        put_set(reply, set, control->now_ms);
}

enum control_command_outcome control_command_registrations(struct control_command *command,
                                                           struct control_json *reply)
{
    const struct control *control = command->control;
    unsigned reader = control->setup.workers_n;
    struct control_aor aor;
    bool more = false;

    if (control->setup.location == NULL)
        return control_command_refuse(reply, "this server has no location table");
    if (command->words_n > 0 && !read_aor(control, command->words[0], &aor, reply))
        return CONTROL_COMMAND_DONE;
    // The number behind the last worker's is control's. Registered for the moment: nothing that is read is held while
    // the loop does other things.
    rte_rcu_qsbr_thread_register(control->setup.qsbr, reader);
    rte_rcu_qsbr_thread_online(control->setup.qsbr, reader);
    control_json_open(reply, "rows", '[');
    if (command->words_n > 0)
        put_one(control, &aor, reply);
    else
        more = put_page(command, reply);
    control_json_close(reply, ']');
    rte_rcu_qsbr_thread_offline(control->setup.qsbr, reader);
    rte_rcu_qsbr_thread_unregister(control->setup.qsbr, reader);
    return more ? CONTROL_COMMAND_MORE : CONTROL_COMMAND_DONE;
}

// Never the same again, also after a restart: what a binding remembers of its REGISTER tells a new one from an old.
static uint64_t next_serial(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct registration {
    uint64_t serial;
    struct slice aor;     // a URI
    struct slice domain;  // its canonical name
    struct slice contact; // a URI; or "*"
    uint64_t expires;     // seconds
};

static int write_register(const struct registration *r, char *bytes, size_t room)
{
    bool star = slice_equal(r->contact, SLICE("*"));

    return snprintf(bytes, room,
                    "REGISTER sip:%.*s SIP/2.0\r\n"
                    "Via: SIP/2.0/UDP operator.invalid;branch=z9hG4bK%llx\r\n"
                    "Max-Forwards: 70\r\n"
                    "From: <%.*s>;tag=%llx\r\n"
                    "To: <%.*s>\r\n"
                    "Call-ID: %llx" CALL_ID "\r\n"
                    "CSeq: 1 REGISTER\r\n"
                    "Contact: %s%.*s%s\r\n"
                    "Expires: %llu\r\n"
                    "Content-Length: 0\r\n\r\n",
                    SLICE_PRINT(r->domain), (unsigned long long)r->serial, SLICE_PRINT(r->aor),
                    (unsigned long long)r->serial, SLICE_PRINT(r->aor), (unsigned long long)r->serial,
                    star ? "" : "<", SLICE_PRINT(r->contact), star ? "" : ">",
                    (unsigned long long)r->expires);
}

// He came by no connection: what he binds is reached by UDP where there is any.
static uint8_t operators_listener(const struct conf *conf)
{
    for (unsigned i = 0; i < conf->listeners_n; i++) {
        if (conf->listeners[i].transport == ENDPOINT_UDP)
            return (uint8_t)i;
    }
    return 0;
}

// The message as a worker finds one in its ring. NULL: no buffer, or it is too long, or no message at all.
static struct rte_mbuf *make_request(const struct control *control, const struct registration *registration)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(control->setup.pool);

    if (mbuf == NULL)
        return NULL;
    struct packet *packet = packet_of(mbuf);
    size_t room = rte_pktmbuf_tailroom(mbuf);
    int len = write_register(registration, rte_pktmbuf_mtod(mbuf, char *), room);
    memset(packet, 0, sizeof(*packet));
    if (len < 0 || (size_t)len >= room || rte_pktmbuf_append(mbuf, (uint16_t)len) == NULL ||
        sip_message_parse(&packet->message, rte_pktmbuf_mtod(mbuf, char *), (uint32_t)len) != SIP_OK ||
        sip_message_check(&packet->message) != SIP_OK) {
        rte_pktmbuf_free(mbuf);
        return NULL;
    }
    packet->errand = PACKET_SERVE;
    packet->frame.payload_len = (uint16_t)len;
    packet->arrival.listener = operators_listener(control->setup.conf);
    packet->arrival.destination = control->setup.conf->listeners[packet->arrival.listener].address;
    packet->generation = PACKET_UNSTEERED; // whoever takes it finds its worker
    return mbuf;
}

static enum control_command_outcome wait_for_worker(struct control_command *command,
                                                    struct control_json *reply)
{
    if (command->control->now_ms < command->until_ms)
        return CONTROL_COMMAND_WAIT;
    return control_command_refuse(reply, "no worker answered in %d seconds", ANSWER_MS / 1000);
}

static enum control_command_outcome change(struct control_command *command, struct slice contact,
                                           uint64_t expires, struct control_json *reply)
{
    struct control *control = command->control;
    struct control_aor aor;
    struct sip_uri target;

    if (!read_aor(control, command->words[0], &aor, reply))
        return CONTROL_COMMAND_DONE;
    if (!control->setup.conf->domains[aor.domain].registrar)
        return control_command_refuse(reply, "[domain %s] takes no registrations",
                                      control->setup.conf->domains[aor.domain].name);
    if (!slice_equal(contact, SLICE("*")) &&
        (sip_uri_parse(contact, &target) != SIP_OK || target.scheme == SIP_SCHEME_OTHER))
        return control_command_refuse(reply, "\"%.*s\" is no URI, as in sip:bob@192.0.2.9:5060",
                                      SLICE_PRINT(contact));
    const struct registration registration = {
        next_serial(), aor.uri.text, role_route_domain_name(policy_of(control)->route, (unsigned)aor.domain),
        contact, expires};
    struct rte_mbuf *mbuf = make_request(control, &registration);
    if (mbuf == NULL)
        return control_command_refuse(reply, "too long for one message, or no buffer is free");
    command->serial = registration.serial;
    command->until_ms = control->now_ms + ANSWER_MS;
    command->next = wait_for_worker;
    control_inject(control, mbuf, control->setup.workers[0]);
    return CONTROL_COMMAND_WAIT;
}

enum control_command_outcome control_command_binding_add(struct control_command *command,
                                                         struct control_json *reply)
{
    uint64_t expires = FOREVER;

    if (command->words_n > 2 && (!slice_number(command->words[2], FOREVER, &expires) || expires == 0))
        return control_command_refuse(reply, "\"%.*s\" is no number of seconds",
                                      SLICE_PRINT(command->words[2]));
    return change(command, command->words[1], expires, reply);
}

enum control_command_outcome control_command_binding_del(struct control_command *command,
                                                         struct control_json *reply)
{
    return change(command, command->words_n > 1 ? command->words[1] : SLICE("*"), 0, reply);
}

uint64_t control_command_answered(struct rte_mbuf *mbuf)
{
    struct sip_message *message = &packet_of(mbuf)->message;
    uint64_t serial = 0;

    if (sip_message_parse(message, rte_pktmbuf_mtod(mbuf, char *), mbuf->data_len) != SIP_OK ||
        message->kind != SIP_RESPONSE)
        return 0;
    struct slice call_id = sip_message_first(message, SIP_HEADER_CALL_ID);
    for (uint32_t i = 0; i < call_id.len && call_id.at[i] != '@'; i++) {
        char c = call_id.at[i];
        serial = serial << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return serial;
}

static void put_contacts(const struct sip_message *message, struct control_json *reply)
{
    control_json_open(reply, "contacts", '[');
    SIP_FOREACH_LINE(line, message, SIP_HEADER_CONTACT)
        control_json_text(reply, NULL, sip_message_value(message, line));
    control_json_close(reply, ']');
}

void control_command_hear(struct rte_mbuf *mbuf, struct control_json *reply)
{
    const struct sip_message *message = &packet_of(mbuf)->message;

    if (message->status / 100 != 2)
        control_command_refuse(reply, "the registrar says: %u %.*s", message->status,
                               SLICE_PRINT(sip_message_span(message, message->reason)));
    else
        put_contacts(message, reply);
}
