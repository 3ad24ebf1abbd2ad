#include "calls_flow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/frame.h"

#define DOMAIN     "example.com"
#define BINDING_MS 36000000
#define TEXT_MAX   4096
#define ROUTES_MAX 4
#define RINGING    "SIP/2.0 180 Ringing"

struct endpoint flow_phone(uint32_t user)
{
    return endpoint_ip4(198, 19, (uint8_t)(user >> 8), (uint8_t)(1 + user % 254),
                        (uint16_t)(5060 + (user >> 16)));
}

static const struct endpoint server = {{198, 18, 0, 1}, 5060, ENDPOINT_IP4, 0};

void flow_populate(struct rig *rig, uint32_t users)
{
    struct location *location = rig->strowger.location;
    uint64_t now_ms = rig->strowger.workers[0]->now.ms;
    char aor[64], contact[96];

    for (uint32_t user = 0; user < users; user++) {
        struct endpoint phone = flow_phone(user);
        char host[ENDPOINT_TEXT_MAX];
        unsigned host_len = endpoint_write(&phone, host);
        int aor_len = snprintf(aor, sizeof(aor), "user%u@" DOMAIN, user);
        int contact_len = snprintf(contact, sizeof(contact), "sip:user%u@%.*s", user, (int)host_len, host);
        struct location_binding binding = {
            .contact = slice_of(contact, (size_t)contact_len),
            .call_id = SLICE("registration"),
            .received = phone,
            .expires_ms = now_ms + BINDING_MS,
            .cseq = 1,
            .q = 1000,
        };
        struct slice name = slice_of(aor, (size_t)aor_len);
        if (location_put(location, location_key(location, name), name, &binding, 1, now_ms) != 0) {
            fprintf(stderr, "bench-calls: the location table is full at user %u\n", user);
            exit(1);
        }
        if (user % 1024 == 0)
            rte_rcu_qsbr_quiescent(rig->strowger.qsbr, 0);
    }
}

int flow_open(struct flow *flow, struct rig *rig, uint32_t users, unsigned waiting_max)
{
    struct corpus_options options = {
        .kinds = CORPUS_INVITE, .users = users, .domain = DOMAIN, .self = server, .seed = 11};

    *flow = (struct flow){.rig = rig, .users = users, .random = 17, .waiting_max = waiting_max};
    corpus_open(&flow->corpus, &options);
    flow->waiting = calloc(waiting_max, sizeof(*flow->waiting));
    return flow->waiting != NULL ? 0 : -ENOMEM;
}

void flow_close(struct flow *flow)
{
    while (flow->waiting_n > 0)
        free(flow->waiting[--flow->waiting_n].text);
    free(flow->waiting);
}

static uint32_t draw(struct flow *flow, uint32_t limit)
{
    flow->random = flow->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((flow->random >> 33) % limit);
}

static void wrong(struct flow *flow, const char *text)
{
    flow->wrong++;
    snprintf(flow->last_wrong, sizeof(flow->last_wrong), "%.*s", (int)strcspn(text, "\r"), text);
}

static void wait_in_pool(struct flow *flow, const char *text, size_t len, struct endpoint source)
{
    char *kept = flow->waiting_n < flow->waiting_max ? malloc(len) : NULL;

    if (kept == NULL) {
        wrong(flow, "the pool of waiting messages is full");
        return;
    }
    memcpy(kept, text, len);
    flow->waiting[flow->waiting_n++] = (struct flow_message){kept, (uint16_t)len, source};
}

static struct rte_mbuf *frame(struct flow *flow, const char *text, size_t len, const struct endpoint *source)
{
    struct rte_mbuf *mbuf = rig_frame(flow->rig, source, &server, text, len, 0);

    mbuf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    return mbuf;
}

static struct rte_mbuf *begin_call(struct flow *flow)
{
    char text[CORPUS_MESSAGE_MAX];
    struct endpoint caller = flow_phone(draw(flow, flow->users));

    flow->corpus.options.source = caller; // no NAT in between: Via and Contact say what the packet says
    unsigned len = corpus_next(&flow->corpus, text, NULL);
    flow->begun++;
    return frame(flow, text, len, &caller);
}

// The phone that rings is taken off the hook next: the same message with another status line.
static void answer(struct flow *flow, const struct flow_message *ringing)
{
    char text[TEXT_MAX];
    size_t len = (size_t)sprintf(text, "SIP/2.0 200 OK");

    memcpy(text + len, ringing->text + sizeof(RINGING) - 1, ringing->len - (sizeof(RINGING) - 1));
    wait_in_pool(flow, text, len + ringing->len - (sizeof(RINGING) - 1), ringing->source);
}

struct rte_mbuf *flow_next(struct flow *flow, bool fresh)
{
    // A sixth of all messages begin calls, so that every stage has its share.
    if (fresh && (flow->waiting_n == 0 || draw(flow, FLOW_MESSAGES_PER_CALL) == 0))
        return begin_call(flow);
    if (flow->waiting_n == 0)
        return NULL;
    unsigned which = draw(flow, flow->waiting_n);
    struct flow_message message = flow->waiting[which];
    flow->waiting[which] = flow->waiting[--flow->waiting_n];
    struct rte_mbuf *mbuf = frame(flow, message.text, message.len, &message.source);
    if (strncmp(message.text, RINGING, sizeof(RINGING) - 1) == 0)
        answer(flow, &message);
    free(message.text);
    return mbuf;
}

unsigned flow_fill(struct flow *flow, unsigned n, bool fresh)
{
    unsigned filled = 0;
    struct rte_mbuf *mbuf;

    for (; filled < n && (mbuf = flow_next(flow, fresh)) != NULL; filled++)
        rig_receive(flow->rig, 0, 0, mbuf);
    return filled;
}

// Whether a header line has this name, in full or in compact form.
static bool is_header(const char *line, const char *name, char compact)
{
    size_t len = strcspn(line, ": \t");

    return (len == strlen(name) && strncasecmp(line, name, len) == 0) ||
           (compact != 0 && len == 1 && (line[0] | 0x20) == compact);
}

static const char *value_of(const char *line)
{
    line = strchr(line, ':') + 1;
    return line + strspn(line, " \t");
}

static const char *next_line(const char *line)
{
    return strstr(line, "\r\n") + 2;
}

static bool at_end(const char *line)
{
    return line[0] == '\r' || line[0] == 0;
}

static const char *find(const char *message, const char *name, char compact)
{
    for (const char *line = next_line(message); !at_end(line); line = next_line(line)) {
        if (is_header(line, name, compact))
            return line;
    }
    return NULL;
}

// The response of a phone to `request`, which it got at `self`: the lines that RFC 3261 8.2.6.2 names.
static void respond(struct flow *flow, const char *request, unsigned status, struct endpoint self,
                    bool contact)
{
    char text[TEXT_MAX], host[ENDPOINT_TEXT_MAX];
    size_t len = (size_t)sprintf(text, "SIP/2.0 %u %s\r\n", status, status == 180 ? "Ringing" : "OK");

    for (const char *line = next_line(request); !at_end(line); line = next_line(line)) {
        bool to = is_header(line, "To", 't');
        int bytes = (int)strcspn(line, "\r");
        bool goes = to || is_header(line, "Via", 'v') || is_header(line, "From", 'f') ||
                    is_header(line, "Call-ID", 'i') || is_header(line, "CSeq", 0) ||
                    is_header(line, "Record-Route", 0);
        if (!goes)
            continue;
        bool tagged = memmem(line, (size_t)bytes, ";tag=", 5) != NULL;
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s%s\r\n", bytes, line,
                                to && !tagged ? ";tag=phone" : "");
    }
    host[endpoint_write(&self, host)] = 0;
    if (contact)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "Contact: <sip:phone@%s>\r\n", host);
    len += (size_t)snprintf(text + len, sizeof(text) - len, "Content-Length: 0\r\n\r\n");
    wait_in_pool(flow, text, len, self);
}

// ACK or BYE of the caller within the dialog that a 2xx made (RFC 3261 12.1.2, 12.2.1.1, 13.2.2.4).
static void request_in_dialog(struct flow *flow, const char *response, const char *method,
                              struct endpoint self)
{
    char text[TEXT_MAX], host[ENDPOINT_TEXT_MAX];
    const char *routes[ROUTES_MAX];
    const char *contact = find(response, "Contact", 'm'), *from = find(response, "From", 'f'),
               *to = find(response, "To", 't'), *call_id = find(response, "Call-ID", 'i'),
               *cseq = find(response, "CSeq", 0);
    unsigned routes_n = 0;
    size_t len;

    for (const char *line = next_line(response); !at_end(line); line = next_line(line)) {
        if (is_header(line, "Record-Route", 0) && routes_n < ROUTES_MAX)
            routes[routes_n++] = line;
    }
    if (contact == NULL || from == NULL || to == NULL || call_id == NULL || cseq == NULL) {
        wrong(flow, response);
        return;
    }
    const char *uri = strchr(contact, '<') + 1;
    host[endpoint_write(&self, host)] = 0;
    bool bye = method[0] == 'B';
    len = (size_t)sprintf(text, "%s %.*s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK%08x%08x\r\n",
                          method, (int)strcspn(uri, ">"), uri, host, draw(flow, UINT32_MAX),
                          draw(flow, UINT32_MAX));
    while (routes_n > 0) {
        const char *value = value_of(routes[--routes_n]);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "Route: %.*s\r\n", (int)strcspn(value, "\r"),
                                value);
    }
    len += (size_t)snprintf(
        text + len, sizeof(text) - len,
        "Max-Forwards: 70\r\n%.*s\r\n%.*s\r\n%.*s\r\nCSeq: %lu %s\r\nContent-Length: 0\r\n\r\n",
        (int)strcspn(from, "\r"), from, (int)strcspn(to, "\r"), to, (int)strcspn(call_id, "\r"), call_id,
        strtoul(value_of(cseq), NULL, 10) + bye, method);
    wait_in_pool(flow, text, len, self);
}

static void at_caller(struct flow *flow, const char *response, struct endpoint self)
{
    const char *cseq = find(response, "CSeq", 0);
    unsigned status = (unsigned)strtoul(response + 8, NULL, 10);
    bool invite = cseq != NULL && strstr(value_of(cseq), "INVITE") == strchr(value_of(cseq), ' ') + 1;

    if (status == 100) {
        flow->trying++;
    } else if (status == 180 && invite) {
        return; // its phone answers next, by itself
    } else if (status == 200 && invite) {
        flow->answered++;
        if (flow->answer_only)
            return;
        request_in_dialog(flow, response, "ACK", self);
        request_in_dialog(flow, response, "BYE", self);
    } else if (status == 200) {
        flow->ended++;
    } else {
        wrong(flow, response);
    }
}

static void at_phone(struct flow *flow, const char *request, struct endpoint self)
{
    if (strncmp(request, "INVITE ", 7) == 0) {
        respond(flow, request, 180, self, true);
    } else if (strncmp(request, "BYE ", 4) == 0) {
        respond(flow, request, 200, self, false);
    } else if (strncmp(request, "ACK ", 4) != 0) {
        wrong(flow, request);
    }
}

bool flow_take(struct flow *flow, struct rte_mbuf *mbuf)
{
    struct net_frame frame;
    char text[TEXT_MAX];
    uint64_t flags = mbuf->ol_flags;

    // The "NIC" was to fill the checksums in.
    mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    bool good =
        net_decap(mbuf, &frame) == NET_OK && frame.kind == NET_UDP && frame.payload_len < sizeof(text);
    mbuf->ol_flags = flags;
    if (!good) {
        wrong(flow, "a frame left that is no datagram");
        return true;
    }
    const char *bytes = rte_pktmbuf_read(mbuf, frame.payload, frame.payload_len, text);
    if (bytes != text)
        memcpy(text, bytes, frame.payload_len);
    text[frame.payload_len] = 0;
    if (strncmp(text, "SIP/2.0 ", 8) == 0)
        at_caller(flow, text, frame.destination);
    else
        at_phone(flow, text, frame.destination);
    return strncmp(text, "SIP/2.0 100", 11) != 0;
}

void flow_drain(struct flow *flow)
{
    struct rte_mbuf *mbuf;

    while ((mbuf = rig_sent(flow->rig, 0)) != NULL) {
        flow_take(flow, mbuf);
        rte_pktmbuf_free(mbuf);
    }
}
