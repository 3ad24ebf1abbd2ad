#include "story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char base[] = "[server]\nserver_header =\nrecord_route = no\n"
                           "[port p]\ndevice = net_null0\n"
                           "[listener a]\naddress = 198.18.0.1:5060\nport = p\n"
                           "[domain example.com]\n"
                           "[trust]\nnetworks = 192.0.2.0/24\n";

const char *story_address(char who)
{
    static char text[32];

    snprintf(text, sizeof(text), "192.0.2.%d:5060", who == 'u' ? 4 : 10 + who - 'a');
    return text;
}

static void bind_phones(struct fixture *f, const char *phones)
{
    struct location_binding bindings[LOCATION_CONTACTS_MAX];
    char contacts[LOCATION_CONTACTS_MAX][64];
    struct hash128 key = location_key(f->location, SLICE("bob@example.com"));
    unsigned n = 0;

    for (const char *at = phones; *at != 0; at += strcspn(at, " "), at += *at == ' ') {
        snprintf(contacts[n], sizeof(contacts[n]), "sip:bob@%s", story_address(*at));
        bindings[n] = fixture_contact(contacts[n]);
        if (at[1] == ':')
            bindings[n].q = (uint16_t)(atof(at + 2) * 1000 + 0.5);
        n++;
    }
    assert_int_equal(location_put(f->location, key, SLICE("bob@example.com"), bindings, n, 0), 0);
}

struct fixture *story_begin(const struct story *story, const char *sections)
{
    char text[4096];

    snprintf(text, sizeof(text), "%s[proxy]\n%s%s", base, story->proxy, sections);
    struct fixture *f = fixture_open(text, 1);
    if (story->phones != NULL)
        bind_phones(f, story->phones);
    fixture_stateful(f, 64);
    fixture_request(f, story->phones != NULL ? "INVITE sip:bob@example.com" : "INVITE sip:+4930@example.com");
    return f;
}

static void unreachable(struct fixture *f, const char *address)
{
    struct endpoint to;
    char quoted[256];

    assert_true(endpoint_parse(slice_text(address), &to));
    const struct sent *sent = outlet_find(f->outlet, &to, "INVITE");
    assert_non_null(sent);
    uint32_t len = sent->len < sizeof(quoted) ? sent->len : (uint32_t)sizeof(quoted);
    memcpy(quoted, sent->bytes, len);
    service_unreachable(&f->role, slice_of(quoted, len), &f->arrival.now);
}

static void answer(struct fixture *f, const char *word, unsigned len)
{
    const char *digits = word + 1 + (word[1] == '+');
    unsigned status = (unsigned)atoi(digits);
    const char *more = memchr(word, ':', len);
    char lines[256] = "";
    char from[32];

    strcpy(from, story_address(*word));
    if (more != NULL && status / 100 == 3) {
        char *to = lines;
        for (const char *who = more + 1; who < word + len; who++)
            to += sprintf(to, "Contact: <sip:bob@%s>\n", story_address(*who));
    } else if (more != NULL) {
        snprintf(lines, sizeof(lines), "%s-Authenticate: %.*s\n", status == 401 ? "WWW" : "Proxy",
                 (int)(word + len - more - 1), more + 1);
    }
    fixture_answer(f, from, word[1] == '+' ? "CANCEL" : "INVITE", status, lines);
}

static bool is_word(const char *word, unsigned len, const char *other)
{
    return len == strlen(other) && strncmp(word, other, len) == 0;
}

void story_go_on(struct fixture *f, const char *events)
{
    for (const char *at = events; *at != 0;) {
        unsigned len = (unsigned)strcspn(at, " ");
        if (*at >= '0' && *at <= '9')
            fixture_advance(f, (uint64_t)atoi(at) * (at[len - 2] == 'm' ? 1 : 1000));
        else if (is_word(at, len, "cancel"))
            fixture_request(f, "CANCEL sip:bob@example.com");
        else if (is_word(at, len, "ack"))
            fixture_request(f, "ACK sip:bob@example.com");
        else if (at[1] == '!')
            unreachable(f, story_address(*at));
        else
            answer(f, at, len);
        at += len + (at[len] == ' ');
    }
}

const char *story_left(struct fixture *f)
{
    static char text[4096];
    char *to = text;

    for (const char *at = f->outlet->log; *at != 0;) {
        if (*at != '@') {
            *to++ = *at++;
            continue;
        }
        int host = atoi(strrchr(strndupa(at, strcspn(at, ":")), '.') + 1);
        *to++ = '>';
        *to++ = host == 4 ? 'u' : (char)('a' + host - 10);
        at += strcspn(at, " ");
    }
    *to = 0;
    f->outlet->log[0] = 0;
    return text;
}

void story_end(struct fixture *f)
{
    fixture_close(f); // which fails when anything is left
}

void story_tell(const struct story *stories, unsigned n, const char *sections)
{
    for (unsigned i = 0; i < n; i++) {
        struct fixture *f = story_begin(&stories[i], sections);
        story_go_on(f, stories[i].events);
        const char *left = story_left(f);
        if (strcmp(left, stories[i].left) != 0)
            fail_msg("%s\nleft:     %s\nexpected: %s", stories[i].name, left, stories[i].left);
        story_end(f);
    }
}
