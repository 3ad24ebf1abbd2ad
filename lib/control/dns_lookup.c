#include "control/dns_lookup.h"

#include "control/log.h"
#include "worker/packet.h"

#define STALE_MS 30000 // by which the configuration's names outlive their time while they are asked for

// RFC 1035 2.3.1, and the underscore of service names. Others would be escapes in a question to the DNS.
static bool is_host_name(const char *name)
{
    for (const char *c = name; *c != 0; c++) {
        bool letter = *c >= 'a' && *c <= 'z';
        bool digit = *c >= '0' && *c <= '9';
        if (!letter && !digit && *c != '-' && *c != '.' && *c != '_')
            return false;
    }
    return name[0] != 0;
}

static void release_all(struct control_lookup *lookup)
{
    const struct control_dns *dns = lookup->dns;
    struct rte_mbuf *mbuf;
    uint16_t worker;

    while ((mbuf = control_park_take(dns->park, &lookup->parked, &worker)) != NULL) {
        packet_of(mbuf)->errand = PACKET_SERVE;
        dns->setup.release(dns->setup.owner, mbuf, worker);
    }
}

bool control_question_same(const struct name_question *a, const struct name_question *b)
{
    return a->kind == b->kind && a->port == b->port && a->transport == b->transport &&
           slice_equal_nocase(a->name, b->name);
}

struct control_lookup *control_lookup_find(struct control_dns *dns, const struct name_question *question)
{
    struct control_lookup *lookup = dns->active;

    while (lookup != NULL && !control_question_same(&lookup->question, question))
        lookup = lookup->next;
    return lookup;
}

struct control_lookup *control_lookup_take(struct control_dns *dns, const struct name_question *question)
{
    struct control_lookup *lookup = dns->free;

    if (lookup == NULL)
        return NULL;
    dns->free = lookup->next;
    lookup->next = dns->active;
    dns->active = lookup;
    lookup->dns = dns;
    for (uint32_t i = 0; i < question->name.len; i++)
        lookup->name[i] = slice_lower(question->name.at[i]);
    lookup->name[question->name.len] = 0;
    lookup->question = *question;
    lookup->question.name.at = lookup->name;
    lookup->parked = (struct control_park_list){0};
    lookup->ended = lookup->failed = false;
    lookup->ttl = UINT32_MAX;
    lookup->hops_n = 0;
    lookup->uri_len = 0;
    lookup->waiting = lookup->rules_n = lookup->rule = lookup->referrals = lookup->targets_n = 0;
    control_dns_count(&dns->counters.on_their_way, 1);
    return lookup;
}

void control_lookup_begin(struct control_lookup *lookup)
{
    control_dns_count(&lookup->dns->counters.lookups, 1);
    if (lookup->question.kind == NAME_ENUM)
        control_enum_begin(lookup);
    else if (is_host_name(lookup->name))
        control_hops_begin(lookup);
    else
        control_lookup_end(lookup);
}

static void give_lookup(struct control_lookup *lookup)
{
    struct control_dns *dns = lookup->dns;
    struct control_lookup **at = &dns->active;

    while (*at != lookup)
        at = &(*at)->next;
    *at = lookup->next;
    lookup->next = dns->free;
    dns->free = lookup;
    control_dns_count(&dns->counters.on_their_way, -1);
}

void control_lookup_ask(struct control_lookup *lookup, const char *name, enum control_dns_type type,
                        ares_callback answered, void *owner)
{
    control_dns_count(&lookup->dns->counters.queries, 1);
    lookup->waiting++;
    control_dns_channel_ask(lookup->dns->channel, name, type, answered, owner);
}

bool control_lookup_heard(struct control_lookup *lookup, const struct control_reply *reply)
{
    if (lookup->dns->closing)
        return false;
    lookup->waiting--;
    lookup->ttl = control_answer_ttl(reply, lookup->ttl);
    return true;
}

struct slice control_lookup_suffix(const struct control_lookup *lookup)
{
    const struct conf_text *suffix = &lookup->dns->conf->enum_suffix;

    return slice_of(suffix->text, suffix->len);
}

// An answer with all the room that it may need.
struct whole_answer {
    union {
        struct name_answer answer;
        char room[sizeof(struct name_answer) + NAME_HOPS_MAX * sizeof(struct name_hop)];
    };
};

// How long the answer holds, in milliseconds.
static uint64_t lifetime(const struct control_lookup *lookup)
{
    const struct conf *conf = lookup->dns->conf;
    uint32_t seconds = lookup->ttl;

    if (lookup->hops_n == 0 && lookup->uri_len == 0)
        seconds = conf->dns_negative;
    else if (seconds > conf->dns_ttl_max)
        seconds = conf->dns_ttl_max;
    else if (seconds < conf->dns_ttl_min)
        seconds = conf->dns_ttl_min;
    return (uint64_t)seconds * 1000;
}

static struct control_watched *next_watched(struct control_dns *dns, const struct name_question *question,
                                            struct control_watched *before)
{
    unsigned at = before == NULL ? 0 : (unsigned)(before - dns->watch.names) + 1;

    while (at < dns->watch.n && !control_question_same(&dns->watch.names[at].question, question))
        at++;
    return at == dns->watch.n ? NULL : &dns->watch.names[at];
}

static void tell(struct control_dns *dns, struct control_watched *watched, const struct name_answer *answer)
{
    struct endpoint endpoints[NAME_HOPS_MAX];
    bool lost = answer->hops_n == 0;

    if (lost && !watched->lost)
        CONTROL_LOG(WARNING, "[%s]: the name %.*s leads nowhere (%s); it is asked for again every %u s",
                    watched->section, SLICE_PRINT(watched->question.name),
                    answer->failed ? "no name server answers" : "it does not exist", dns->conf->dns_negative);
    else if (!lost && watched->lost)
        CONTROL_LOG(NOTICE, "[%s]: the name %.*s leads somewhere again", watched->section,
                    SLICE_PRINT(watched->question.name));
    watched->lost = lost;
    for (unsigned i = 0; i < answer->hops_n; i++)
        endpoints[i] = answer->hops[i].endpoint;
    if (!lost && watched->gateway != CONF_NONE && dns->setup.resolved != NULL)
        dns->setup.resolved(dns->setup.owner, (unsigned)watched->gateway, endpoints, answer->hops_n);
}

// What is known of the configuration's names stays while no server answers (RFC 8767).
static bool stays_as_it_was(struct control_dns *dns, const struct control_lookup *lookup,
                            struct whole_answer *whole)
{
    const struct name_answer *old = name_find(dns->setup.names, &lookup->question, dns->now_ms);

    if (!lookup->failed || old == NULL || old->hops_n == 0)
        return false;
    memcpy(whole, old, sizeof(*old) + old->hops_n * sizeof(old->hops[0]));
    return true;
}

static void make_answer(struct control_dns *dns, const struct control_lookup *lookup,
                        struct whole_answer *whole)
{
    bool watched = next_watched(dns, &lookup->question, NULL) != NULL;

    if (!watched || !stays_as_it_was(dns, lookup, whole)) {
        whole->answer = (struct name_answer){.hops_n = lookup->hops_n,
                                             .failed = lookup->failed,
                                             .uri = slice_of(lookup->uri, lookup->uri_len)};
        memcpy(whole->answer.hops, lookup->hops, lookup->hops_n * sizeof(lookup->hops[0]));
    }
    whole->answer.expires_ms = dns->now_ms + lifetime(lookup) + (watched ? STALE_MS : 0);
}

bool control_lookup_settle(struct control_dns *dns, struct control_lookup *lookup)
{
    struct whole_answer whole;

    make_answer(dns, lookup, &whole);
    if (name_put(dns->setup.names, &lookup->question, &whole.answer, dns->now_ms) != 0)
        return false;
    for (struct control_watched *at = NULL; (at = next_watched(dns, &lookup->question, at)) != NULL;) {
        // Again before it ends, and soon where it was bad.
        at->due_ms = dns->now_ms + lifetime(lookup) / 4 * 3;
        tell(dns, at, &whole.answer);
    }
    if (lookup->failed)
        control_dns_count(&dns->counters.failures, 1);
    else
        control_dns_count(
            lookup->hops_n > 0 || lookup->uri_len > 0 ? &dns->counters.found : &dns->counters.absent, 1);
    release_all(lookup);
    give_lookup(lookup);
    return true;
}

void control_lookup_end(struct control_lookup *lookup)
{
    lookup->ended = !control_lookup_settle(lookup->dns, lookup);
}
