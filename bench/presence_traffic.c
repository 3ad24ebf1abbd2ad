#include "presence_traffic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/frame.h"

#define DOMAIN     "example.com"
#define END_ONE_OF 16

static const struct endpoint server = {.address = {198, 18, 0, 1}, .port = 5060, .family = ENDPOINT_IP4};

static struct endpoint address_of(uint32_t number)
{
    return endpoint_ip4(198, 19, (uint8_t)(number >> 8), (uint8_t)number, (uint16_t)(5060 + (number >> 16)));
}

static void fail(const char *why, const char *text)
{
    fprintf(stderr, "bench-presence-path: %s:\n%s\n", why, text);
    exit(1);
}

int traffic_open(struct traffic *traffic, struct rig *rig, uint32_t users)
{
    *traffic = (struct traffic){.rig = rig, .users = users, .random = 5};
    traffic->user = calloc(users, sizeof(*traffic->user));
    traffic->waiting = malloc(TRAFFIC_WAITING_MAX * sizeof(*traffic->waiting));
    if (traffic->user != NULL && traffic->waiting != NULL)
        return 0;
    traffic_close(traffic);
    return -ENOMEM;
}

void traffic_close(struct traffic *traffic)
{
    free(traffic->user);
    free(traffic->waiting);
}

static uint32_t draw(struct traffic *traffic, uint32_t limit)
{
    traffic->random = traffic->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((traffic->random >> 33) % limit);
}

static void receive(struct traffic *traffic, const char *text, size_t len, const struct endpoint *source)
{
    struct rte_mbuf *mbuf = rig_frame(traffic->rig, source, &server, text, len, 0);

    mbuf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    rig_receive(traffic->rig, 0, 0, mbuf);
}

// Documents.

// As a phone with one line writes it.
static int write_plain(char *to, size_t room, uint32_t user, uint32_t said, const char *host)
{
    return snprintf(to, room,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
                    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:user%u@" DOMAIN "\">\r\n"
                    "  <tuple id=\"line-%x\">\r\n    <status>\r\n      <basic>%s</basic>\r\n    </status>\r\n"
                    "    <contact priority=\"0.8\">sip:user%u@%s</contact>\r\n"
                    "    <note xml:lang=\"en\">back at my desk before %u, call the front office</note>\r\n"
                    "    <timestamp>2026-11-22T%02u:%02u:%02uZ</timestamp>\r\n  </tuple>\r\n</presence>\r\n",
                    user, user, said % 3 == 0 ? "closed" : "open", user, host, said, said % 24,
                    said / 24 % 60, said / 1440 % 60);
}

// With RPID (RFC 4480) and the data model (RFC 4479).
static int write_rich(char *to, size_t room, uint32_t user, uint32_t said)
{
    static const char *const activities[] = {"busy", "away", "meal", "on-the-phone", "meeting", "travel"};

    return snprintf(to, room,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
                    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
                    "xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" "
                    "xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"sip:user%u@" DOMAIN "\">"
                    "<tuple id=\"t%08x\"><status><basic>open</basic></status><rpid:privacy><rpid:audio/>"
                    "</rpid:privacy><contact>sip:user%u@" DOMAIN "</contact></tuple>"
                    "<dm:person id=\"p%x\"><rpid:activities><rpid:%s/></rpid:activities>"
                    "<dm:note>until %u</dm:note></dm:person></presence>",
                    user, user * 2654435761u, user, user, activities[said % 6], said);
}

// Which kind is the phone's: it stays the same.
static int write_document(char *to, size_t room, uint32_t user, uint32_t said)
{
    struct endpoint phone = address_of(user);
    char host[ENDPOINT_TEXT_MAX];

    host[endpoint_write(&phone, host)] = 0;
    return user % 2 == 0 ? write_plain(to, room, user, said, host) : write_rich(to, room, user, said);
}

// Requests.

static void publish(struct traffic *traffic, uint32_t number, bool ends)
{
    struct traffic_user *user = &traffic->user[number];
    struct endpoint phone = address_of(number);
    char text[TRAFFIC_MESSAGE_MAX], document[1024], host[ENDPOINT_TEXT_MAX], match[40] = "";
    int document_len = 0;

    host[endpoint_write(&phone, host)] = 0;
    user->busy = true;
    user->said = ends ? 0 : 1000000 + traffic->said++ % 900000;
    if (!ends)
        document_len = write_document(document, sizeof(document), number, user->said);
    if (user->tag != 0)
        snprintf(match, sizeof(match), "SIP-If-Match: %016lx\r\n", user->tag);
    int len =
        snprintf(text, sizeof(text),
                 "PUBLISH sip:user%u@" DOMAIN " SIP/2.0\r\n"
                 "Via: SIP/2.0/UDP %s;branch=z9hG4bK%08x%08x;rport\r\nMax-Forwards: 70\r\n"
                 "From: \"User %u\" <sip:user%u@" DOMAIN ">;tag=%08x\r\nTo: <sip:user%u@" DOMAIN ">\r\n"
                 "Call-ID: p%u-%08x@%s\r\nCSeq: %u PUBLISH\r\nContact: <sip:user%u@%s>\r\n"
                 "Expires: %u\r\nEvent: presence\r\n%sUser-Agent: bench phone 4.%u\r\n%s"
                 "Content-Length: %d\r\n\r\n%.*s",
                 number, host, draw(traffic, UINT32_MAX), draw(traffic, UINT32_MAX), number, number,
                 draw(traffic, UINT32_MAX), number, number, draw(traffic, UINT32_MAX), host, ++user->cseq,
                 number, host, ends ? 0 : 3600, match, number % 10,
                 ends ? "" : "Content-Type: application/pidf+xml\r\n", document_len, document_len, document);
    receive(traffic, text, (size_t)len, &phone);
}

void traffic_publish_of(struct traffic *traffic, uint32_t user)
{
    publish(traffic, user, false);
}

void traffic_publish(struct traffic *traffic, bool mixed)
{
    uint32_t number;

    do
        number = draw(traffic, traffic->users);
    while (traffic->user[number].busy);
    publish(traffic, number, mixed && traffic->user[number].tag != 0 && draw(traffic, END_ONE_OF) == 0);
}

void traffic_subscribe(struct traffic *traffic, uint32_t user, uint32_t watcher)
{
    struct endpoint phone = address_of(watcher);
    char text[TRAFFIC_MESSAGE_MAX], host[ENDPOINT_TEXT_MAX];

    host[endpoint_write(&phone, host)] = 0;
    int len =
        snprintf(text, sizeof(text),
                 "SUBSCRIBE sip:user%u@" DOMAIN " SIP/2.0\r\n"
                 "Via: SIP/2.0/UDP %s;branch=z9hG4bK%08x%08x;rport\r\nMax-Forwards: 70\r\n"
                 "From: \"Watcher %u\" <sip:w%u@" DOMAIN ">;tag=%08x\r\nTo: <sip:user%u@" DOMAIN ">\r\n"
                 "Call-ID: w%u-%08x@%s\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:w%u@%s>\r\n"
                 "Expires: 3600\r\nEvent: presence\r\nAccept: application/pidf+xml\r\n"
                 "User-Agent: bench watcher\r\nContent-Length: 0\r\n\r\n",
                 user, host, draw(traffic, UINT32_MAX), draw(traffic, UINT32_MAX), watcher, watcher,
                 draw(traffic, UINT32_MAX), user, watcher, draw(traffic, UINT32_MAX), host, watcher, host);
    receive(traffic, text, (size_t)len, &phone);
}

unsigned traffic_answer(struct traffic *traffic)
{
    unsigned n = traffic->waiting_n;

    for (unsigned i = 0; i < n; i++)
        receive(traffic, traffic->waiting[i].text, traffic->waiting[i].len, &traffic->waiting[i].source);
    traffic->waiting_n = 0;
    return n;
}

// What left.

static struct traffic_user *user_after(struct traffic *traffic, const char *text, const char *before)
{
    const char *at = strstr(text, before);
    unsigned long number = at == NULL ? traffic->users : strtoul(at + strlen(before), NULL, 10);

    if (number >= traffic->users)
        fail("a message of nobody", text);
    return &traffic->user[number];
}

static void take_answer(struct traffic *traffic, const char *text)
{
    if (strncmp(text, "SIP/2.0 200 ", 12) != 0)
        fail("an answer that is not expected", text);
    traffic->answered++;
    if (strstr(text, " PUBLISH\r\n") == NULL)
        return;
    struct traffic_user *user = user_after(traffic, text, "\r\nCall-ID: p");
    const char *tag = strstr(text, "\r\nSIP-ETag: ");
    if (tag == NULL || !user->busy)
        fail("an answer without its PUBLISH or its tag", text);
    user->tag = user->said == 0 ? 0 : strtoull(tag + 12, NULL, 16);
    user->busy = false;
}

// RFC 3261 8.2.6.2.
static void take_notify(struct traffic *traffic, const char *text, struct endpoint self)
{
    static const char *const repeated[] = {"Via:", "From:", "To:", "Call-ID:", "CSeq:"};
    const struct traffic_user *user = user_after(traffic, text, "\r\nFrom: <sip:user");
    struct traffic_message *message = &traffic->waiting[traffic->waiting_n];
    char said[16] = "</presence>";

    if (user->said != 0)
        snprintf(said, sizeof(said), " %u", user->said);
    if (traffic->waiting_n == TRAFFIC_WAITING_MAX || strstr(text, said) == NULL)
        fail("a NOTIFY too many, or with a document that is not the newest", text);
    size_t len = (size_t)sprintf(message->text, "SIP/2.0 200 OK\r\n");
    for (const char *line = strstr(text, "\r\n") + 2; line[0] != '\r'; line = strstr(line, "\r\n") + 2) {
        size_t bytes = strcspn(line, "\r") + 2;
        bool goes = false;
        for (unsigned i = 0; i < sizeof(repeated) / sizeof(*repeated); i++)
            goes |= strncmp(line, repeated[i], strlen(repeated[i])) == 0;
        if (!goes || len + bytes + 32 > sizeof(message->text))
            continue;
        memcpy(message->text + len, line, bytes);
        len += bytes;
    }
    len += (size_t)sprintf(message->text + len, "Content-Length: 0\r\n\r\n");
    message->len = (uint16_t)len;
    message->source = self;
    traffic->waiting_n++;
    traffic->notified++;
}

static void take(struct traffic *traffic, struct rte_mbuf *mbuf)
{
    struct net_frame frame;
    char text[TRAFFIC_MESSAGE_MAX];
    uint64_t flags = mbuf->ol_flags;

    // The "NIC" was to fill the checksums in.
    mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    if (net_decap(mbuf, &frame) != NET_OK || frame.kind != NET_UDP || frame.payload_len >= sizeof(text))
        fail("a frame left that is no message", "");
    mbuf->ol_flags = flags;
    const char *bytes = rte_pktmbuf_read(mbuf, frame.payload, frame.payload_len, text);
    if (bytes != text)
        memcpy(text, bytes, frame.payload_len);
    text[frame.payload_len] = 0;
    if (strncmp(text, "NOTIFY ", 7) == 0)
        take_notify(traffic, text, frame.destination);
    else
        take_answer(traffic, text);
}

void traffic_drain(struct traffic *traffic)
{
    struct rte_mbuf *mbuf;

    while ((mbuf = rig_sent(traffic->rig, 0)) != NULL) {
        take(traffic, mbuf);
        rte_pktmbuf_free(mbuf);
    }
}
