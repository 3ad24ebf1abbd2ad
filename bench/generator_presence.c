// What the generator's watchers do, and what its publishers remember.
#include <stdlib.h>

#include "generator_flow.h"

#define MATCH "SIP-If-Match: "

bool flow_open_presence(struct flow *f)
{
    if (f->mode != FLOW_PUBLISH && f->mode != FLOW_NOTIFY)
        return true;
    f->published = calloc(f->users, sizeof(*f->published));
    f->seen = calloc((size_t)f->users * f->watchers + 1, sizeof(*f->seen));
    return f->published != NULL && f->seen != NULL;
}

void flow_close_presence(struct flow *f)
{
    free(f->published);
    free(f->seen);
}

void flow_keep_publication(struct flow *f, const struct exchange *x, struct slice text)
{
    struct published *published = &f->published[x->user];
    struct slice tag = message_etag(text);
    size_t before = sizeof(MATCH) - 1;

    published->len = 0; // the next PUBLISH is an initial one
    if (tag.len == 0 || before + tag.len + 2 > sizeof(published->match))
        return;
    memcpy(published->match, MATCH, before);
    memcpy(published->match + before, tag.at, tag.len);
    memcpy(published->match + before + tag.len, "\r\n", 2);
    published->len = (uint8_t)(before + tag.len + 2);
}

struct exchange *flow_take_notify(struct flow *f, struct slice text, uint64_t now)
{
    struct identity who;
    struct exchange *x;

    if (!message_read_subscription(text, f->run, &who) || who.user >= f->users ||
        who.watcher >= f->watchers) {
        f->tally.unreadable++;
        return NULL;
    }
    batch_socket_queue(f->client, message_answer(text, "200 OK", NULL, NULL, batch_socket_buffer(f->client)));
    if (f->filling) // the first, which follows a SUBSCRIBE
        return NULL;
    uint32_t *seen = &f->seen[who.user * f->watchers + who.watcher];
    x = message_read_document(text, &who) && who.slot < f->window ? &f->exchanges[who.slot] : NULL;
    // A copy sent again, or a document that another has replaced.
    if (x == NULL || x->serial != who.serial || x->resend_at == 0 || *seen == x->cseq) {
        f->tally.stale++;
        return NULL;
    }
    *seen = x->cseq;
    f->tally.completed++;
    histogram_add(&f->tally.latency, now - x->began);
    return ++x->told == f->watchers && x->answered ? x : NULL;
}
