#include "pipeline_traffic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DOMAIN "example.com"

// No binding of the population dies while it is measured, and nearly every refresh prolongs one, as it does where
// clients ask for the same time again and again.
#define BINDING_MS 600000

#define FORWARDED (CORPUS_INVITE | CORPUS_ACK | CORPUS_BYE | CORPUS_MESSAGE | CORPUS_SUBSCRIBE)

static const struct {
    const char *name;
    unsigned kinds;
} cases[TRAFFIC_CASES] = {
    [TRAFFIC_FORWARD] = {"forward", FORWARDED},
    [TRAFFIC_FORWARD_STATEFUL] = {"forward-stateful", FORWARDED},
    [TRAFFIC_REGISTER] = {"register", CORPUS_REGISTER},
    [TRAFFIC_REDIRECT] = {"redirect", CORPUS_INVITE},
    [TRAFFIC_OPTIONS] = {"options", CORPUS_OPTIONS},
};

const char *traffic_name(enum traffic_case which)
{
    return cases[which].name;
}

static struct endpoint server4(void)
{
    return endpoint_ip4(198, 18, 0, 1, 5060);
}

// Phones: one address per user, all behind one gateway.
static struct endpoint phone_of(uint32_t user)
{
    return endpoint_ip4(198, 19, (uint8_t)(user >> 8), (uint8_t)(1 + user % 254),
                        (uint16_t)(5060 + (user >> 16)));
}

// The address in the Contact of every REGISTER, so that it is a refresh.
static struct endpoint one_phone(void)
{
    return endpoint_ip4(198, 19, 1, 1, 5060);
}

int traffic_open(struct traffic *traffic, struct rig *rig, enum traffic_case which, uint32_t users,
                 bool checksum_hw)
{
    struct corpus_options options = {.kinds = cases[which].kinds,
                                     .users = users,
                                     .domain = DOMAIN,
                                     .self = server4(),
                                     .seed = cases[which].kinds};

    // A refresh names the contact that is there already; elsewhere hosts of both families mix.
    if (which == TRAFFIC_REGISTER)
        options.source = one_phone();
    *traffic = (struct traffic){.rig = rig, .which = which, .checksum_hw = checksum_hw};
    corpus_open(&traffic->corpus, &options);
    traffic->responses = malloc(TRAFFIC_BATCH * sizeof(*traffic->responses));
    traffic->response_len = malloc(TRAFFIC_BATCH * sizeof(*traffic->response_len));
    if (traffic->responses != NULL && traffic->response_len != NULL)
        return 0;
    traffic_close(traffic);
    return -ENOMEM;
}

void traffic_close(struct traffic *traffic)
{
    free(traffic->responses);
    free(traffic->response_len);
}

void traffic_populate(struct rig *rig, enum traffic_case which, uint32_t users)
{
    struct location *location = rig->strowger.location;
    uint64_t now_ms = rig->strowger.workers[0]->now.ms;
    char aor[64], contact[96], call_id[64];

    for (uint32_t user = 0; user < users; user++) {
        struct endpoint phone = which == TRAFFIC_REGISTER ? one_phone() : phone_of(user);
        char host[ENDPOINT_TEXT_MAX];
        unsigned host_len = endpoint_write(&phone, host);
        int aor_len = snprintf(aor, sizeof(aor), "user%u@" DOMAIN, user);
        int contact_len = snprintf(contact, sizeof(contact), "sip:user%u@%.*s%s", user, (int)host_len, host,
                                   corpus_contact_params(user));
        int call_len =
            snprintf(call_id, sizeof(call_id), "%08x-registration@%.*s", user, (int)host_len, host);
        struct location_binding binding = {
            .contact = slice_of(contact, (size_t)contact_len),
            .call_id = slice_of(call_id, (size_t)call_len),
            .received = phone, // as the registrar notes the next hop
            .expires_ms = now_ms + BINDING_MS,
            .cseq = 1,
            .q = 1000,
        };
        struct slice name = slice_of(aor, (size_t)aor_len);
        struct hash128 key = location_key(location, name);
        if (location_put(location, key, name, &binding, 1, now_ms) != 0) {
            fprintf(stderr, "bench-pipeline: the location table is full at user %u\n", user);
            exit(1);
        }
        // Records that were moved within the table wait for the readers: all of them have nothing in hand.
        if (user % 1024 == 0) {
            for (unsigned id = 0; id < rig->strowger.workers_n; id++)
                rte_rcu_qsbr_quiescent(rig->strowger.qsbr, id);
        }
    }
}

static void receive(struct traffic *traffic, const struct endpoint *source, const char *text, unsigned len,
                    unsigned i)
{
    struct endpoint server = server4();
    struct rte_mbuf *mbuf = rig_frame(traffic->rig, source, &server, text, len, 0);

    if (traffic->checksum_hw)
        mbuf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    rig_receive(traffic->rig, 0, i % traffic->rig->queues, mbuf);
}

unsigned traffic_fill(struct traffic *traffic)
{
    char text[CORPUS_MESSAGE_MAX];
    struct corpus_note note;
    unsigned responses = 0;

    for (unsigned i = 0; i < TRAFFIC_BATCH; i++) {
        if (i % 2 == 1 && responses < traffic->responses_n) {
            struct endpoint callee = phone_of(i);
            receive(traffic, &callee, traffic->responses[responses], traffic->response_len[responses], i);
            responses++;
            continue;
        }
        unsigned len = corpus_next(&traffic->corpus, text, &note);
        struct endpoint caller = phone_of(note.caller);
        receive(traffic, &caller, text, len, i);
    }
    traffic->responses_n = 0;
    return TRAFFIC_BATCH;
}

// A response as the callee makes it: the request's header lines, without those that only requests have, and no body.
static void respond(struct traffic *traffic, const char *request)
{
    unsigned n = traffic->responses_n;
    char *to = traffic->responses[n];
    size_t room = sizeof(traffic->responses[n]);
    const char *line = strstr(request, "\r\n");
    size_t len = (size_t)snprintf(to, room, "SIP/2.0 200 OK\r\n");

    if (line == NULL || n == TRAFFIC_BATCH)
        return;
    for (line += 2; line[0] != '\r';) { // its second byte may be the one that was taken for the end
        const char *end = strstr(line, "\r\n");
        if (end == NULL || len + (size_t)(end - line) + 32 > room)
            return;
        bool skip = strncasecmp(line, "Max-Forwards", 12) == 0 || strncasecmp(line, "Route", 5) == 0 ||
                    strncasecmp(line, "Content-Length", 14) == 0 || strncasecmp(line, "l:", 2) == 0 ||
                    strncasecmp(line, "l :", 3) == 0;
        if (!skip) {
            memcpy(to + len, line, (size_t)(end + 2 - line));
            len += (size_t)(end + 2 - line);
        }
        line = end + 2;
    }
    len += (size_t)snprintf(to + len, room - len, "Content-Length: 0\r\n\r\n");
    traffic->response_len[n] = (uint16_t)len;
    traffic->responses_n++;
}

unsigned traffic_drain(struct traffic *traffic)
{
    struct rte_mbuf *mbuf;
    unsigned n = 0;

    for (; (mbuf = rig_sent(traffic->rig, 0)) != NULL; n++) {
        if (cases[traffic->which].kinds == FORWARDED && mbuf->nb_segs == 1 && mbuf->data_len > 60) {
            char *frame = rte_pktmbuf_mtod(mbuf, char *);
            unsigned headers = frame[12] == 0x08 ? 14 + 20 + 8 : 14 + 40 + 8;
            char last = frame[mbuf->data_len - 1];
            frame[mbuf->data_len - 1] = 0; // the last byte of the body or of the empty line is not needed
            if (strncmp(frame + headers, "SIP/2.0", 7) != 0 && strncmp(frame + headers, "ACK", 3) != 0)
                respond(traffic, frame + headers);
            frame[mbuf->data_len - 1] = last; // the server may have kept it
        }
        rte_pktmbuf_free(mbuf);
    }
    return n;
}
