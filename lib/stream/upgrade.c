#include "stream/upgrade.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>

#include "base/cursor.h"
#include "sip/head.h"
#include "sip/token.h"

#define GUID       "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455 1.3
#define KEY_LEN    24                                     // base64 of 16 bytes
#define ACCEPT_LEN 28                                     // base64 of a SHA-1

// "GET TARGET HTTP/1.1". Where its line ends, or 0.
static uint32_t read_request_line(struct slice head)
{
    struct slice line = slice_of(head.at, slice_find(head, '\n'));
    uint32_t end = line.len + 1;

    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    const char version[] = " HTTP/1.1";
    uint32_t tail = sizeof(version) - 1;
    if (!slice_starts(line, SLICE("GET /")) || line.len < tail + 5 ||
        memcmp(line.at + line.len - tail, version, tail) != 0)
        return 0;
    return end;
}

static bool index_head(struct sip_message *message, struct slice head)
{
    uint32_t at = read_request_line(head);

    memset(message, 0, sizeof(*message));
    memset(message->first, SIP_NO_LINE, sizeof(message->first));
    message->bytes = head.at;
    message->len = (uint16_t)head.len;
    return at != 0 && at < head.len &&
           sip_head_index(message, (uint16_t)at, sip_scan_level_best()) == SIP_OK &&
           message->body == head.len;
}

// The line of a header field, from line `from` on; SIP_NO_LINE: none.
static unsigned find(const struct sip_message *message, unsigned from, struct slice name)
{
    for (unsigned line = from; line < message->lines_n; line++) {
        if (slice_equal_nocase(
                slice_of(message->bytes + message->lines[line].name, message->lines[line].name_len), name))
            return line;
    }
    return SIP_NO_LINE;
}

// Of all lines of that name one lists the token.
static bool lists(const struct sip_message *message, struct slice name, struct slice token)
{
    for (unsigned line = find(message, 0, name); line != SIP_NO_LINE; line = find(message, line + 1, name)) {
        if (sip_list_has(sip_message_value(message, line), token))
            return true;
    }
    return false;
}

// The value of what stands there exactly once; at == NULL where it does not.
static struct slice only(const struct sip_message *message, struct slice name)
{
    unsigned line = find(message, 0, name);

    if (line == SIP_NO_LINE || find(message, line + 1, name) != SIP_NO_LINE)
        return (struct slice){NULL, 0};
    return sip_message_value(message, line);
}

// RFC 6455 4.2.1 item 5: 16 bytes in base64.
static bool is_key(struct slice key)
{
    unsigned char bytes[KEY_LEN];

    return key.at != NULL && key.len == KEY_LEN && key.at[KEY_LEN - 3] != '=' && key.at[KEY_LEN - 2] == '=' &&
           key.at[KEY_LEN - 1] == '=' && EVP_DecodeBlock(bytes, (const unsigned char *)key.at, KEY_LEN) == 18;
}

// RFC 6455 4.2.2 item 5.4
static void write_accept(struct slice key, char accept[ACCEPT_LEN + 1])
{
    unsigned char hash[SHA_DIGEST_LENGTH];
    char text[KEY_LEN + sizeof(GUID)];

    int len = snprintf(text, sizeof(text), "%.*s" GUID, SLICE_PRINT(key));
    SHA1((const unsigned char *)text, (size_t)len, hash);
    EVP_EncodeBlock((unsigned char *)accept, hash, sizeof(hash));
}

// What a request lacks, as the status line that says so; NULL: nothing.
static const char *judge(const struct sip_message *message, struct slice key)
{
    struct slice length = sip_message_first(message, SIP_HEADER_CONTENT_LENGTH);

    if (!lists(message, SLICE("Upgrade"), SLICE("websocket")) ||
        !lists(message, SLICE("Connection"), SLICE("Upgrade")) ||
        !slice_equal(only(message, SLICE("Sec-WebSocket-Version")), SLICE("13")))
        return "426 Upgrade Required"; // RFC 6455 4.4
    bool has_body = (length.at != NULL && !slice_equal(length, SLICE("0"))) ||
                    find(message, 0, SLICE("Transfer-Encoding")) != SIP_NO_LINE;
    if (only(message, SLICE("Host")).at == NULL || !is_key(key) || has_body ||
        !lists(message, SLICE("Sec-WebSocket-Protocol"), SLICE("sip"))) // RFC 7118 4.1
        return "400 Bad Request";
    return NULL;
}

bool stream_upgrade(struct sip_message *message, struct slice head, char answer[UPGRADE_ANSWER_MAX],
                    unsigned *answer_len)
{
    char accept[ACCEPT_LEN + 1];
    int len;

    bool read = index_head(message, head);
    struct slice key = read ? only(message, SLICE("Sec-WebSocket-Key")) : (struct slice){NULL, 0};
    const char *refusal = read ? judge(message, key) : "400 Bad Request";
    if (refusal == NULL) {
        write_accept(key, accept);
        len = snprintf(answer, UPGRADE_ANSWER_MAX,
                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
                       accept);
    } else {
        len = snprintf(answer, UPGRADE_ANSWER_MAX,
                       "HTTP/1.1 %s\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n",
                       refusal);
    }
    *answer_len = (unsigned)len;
    return refusal == NULL;
}
