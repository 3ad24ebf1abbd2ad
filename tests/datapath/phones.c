#include "phones.h"

#include <stdio.h>
#include <string.h>

struct rig rig;
char phones_text[PHONES_TEXT];

void phones_open(const char *ini)
{
    const struct endpoint all[] = {CALLER, FIRST, SECOND};

    rig_start(&rig, ini, 1);
    rig_link(&rig, 0);
    for (unsigned i = 0; i < RTE_DIM(all); i++)
        rig_neighbour(&rig, 0, &all[i]);
    rig_turn(&rig);
    rig_hold_clock(&rig);
}

void phones_close(void)
{
    assert_true(rig_stop(&rig));
}

void phones_say(const struct endpoint *from, const char *text)
{
    struct endpoint server = SERVER;

    rig_receive(&rig, 0, 0, rig_frame(&rig, from, &server, text, strlen(text), 0));
    rig_turn(&rig);
}

void phones_call(const char *method, const char *user, const char *call_id, const char *extra,
                 const char *body)
{
    struct endpoint caller = CALLER;
    char text[PHONES_TEXT];

    snprintf(text, sizeof(text),
             "%s sip:%s@example.com SIP/2.0\r\n"
             "Via: SIP/2.0/UDP 198.18.0.10:5060;branch=z9hG4bK%s\r\n"
             "Max-Forwards: 70\r\n"
             "From: <sip:alice@example.com>;tag=%s\r\n"
             "To: <sip:%s@example.com>\r\n"
             "Call-ID: %s\r\n"
             "CSeq: 1 %s\r\n"
             "Contact: <sip:alice@198.18.0.10>\r\n"
             "%sContent-Length: %zu\r\n\r\n%s",
             method, user, call_id, call_id, user, call_id, method, extra, strlen(body), body);
    phones_say(&caller, text);
}

void phones_expect(const struct endpoint *to, const char *begins)
{
    struct endpoint source, destination;

    if (!rig_sent_datagram(&rig, 0, &source, &destination, phones_text, sizeof(phones_text)))
        fail_msg("nothing left where \"%s\" should have", begins);
    if (!endpoint_equal(&destination, to) || strncmp(phones_text, begins, strlen(begins)) != 0)
        fail_msg("\"%s\" was to leave, and this did, to port %u:\n%s", begins, destination.port, phones_text);
}

void phones_expect_nothing(void)
{
    struct endpoint source, destination;

    if (rig_sent_datagram(&rig, 0, &source, &destination, phones_text, sizeof(phones_text)))
        fail_msg("nothing was to leave, and this did:\n%s", phones_text);
}

// The header lines of a kind, one behind the other.
static size_t copy_lines(char *to, const char *name)
{
    size_t len = 0;

    for (const char *line = strchr(phones_text, '\n'); line != NULL && line[1] != '\r';
         line = strchr(line, '\n')) {
        line++;
        size_t whole = (size_t)(strchr(line, '\n') + 1 - line);
        if (strncmp(line, name, strlen(name)) == 0) {
            memcpy(to + len, line, whole);
            len += whole;
        }
    }
    return len;
}

void phones_answer(const struct endpoint *from, const char *status)
{
    static const char *const kept[] = {"Via:", "From:", "To:", "Call-ID:", "CSeq:", "Record-Route:"};
    char text[PHONES_TEXT];
    size_t len = (size_t)snprintf(text, sizeof(text), "SIP/2.0 %s\r\n", status);

    for (unsigned i = 0; i < RTE_DIM(kept); i++) {
        char *line = text + len;
        len += copy_lines(line, kept[i]);
        text[len] = 0;
        if (strcmp(kept[i], "To:") == 0 && strncmp(status, "100", 3) != 0 && strstr(line, ";tag=") == NULL) {
            len -= 2;
            len += (size_t)snprintf(text + len, sizeof(text) - len, ";tag=answer\r\n");
        }
    }
    len += (size_t)snprintf(text + len, sizeof(text) - len,
                            "Contact: <sip:bob@198.18.0.21:5070>\r\n"
                            "Content-Length: 0\r\n\r\n");
    text[len] = 0;
    phones_say(from, text);
}
