#include "control/dns.h"

#include <errno.h>

#include "control/dns_lookup.h"
#include "control/dns_watch.h"
#include "control/log.h"
#include "worker/packet.h"
#include "worker/parked.h"

#define WATCHED_LOOKUPS_MAX (CONTROL_LOOKUPS_MAX / 2)
#define AGAIN_MS            1000  // after a lookup of the configuration could not begin
#define GIVEN_UP_MS         60000 // no lookup lasts longer; then it may begin anew
#define STALE_MS            30000 // by which the configuration's names outlive their time while they are asked for

struct control_dns {
    struct control_dns_setup setup;
    const struct conf *conf;
    struct control_dns_channel *channel;
    struct control_dns_channel
        *before; // of the configuration before, until its questions are answered; or NULL
    uint64_t before_until_ms;
    struct control_park *park;
    struct control_watch watch;
    struct control_lookup *lookups;       // CONTROL_LOOKUPS_MAX
    struct control_lookup *active, *free; // lists
    bool ip6[2];
    unsigned families;
    bool closing;
    uint64_t now_ms; // of the last tick or message
    struct control_dns_counters counters;
};

static void add(uint64_t *counter, int64_t by)
{
    __atomic_store_n(counter, *counter + (uint64_t)by, __ATOMIC_RELAXED);
}

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

static bool same_question(const struct name_question *a, const struct name_question *b)
{
    return a->kind == b->kind && a->port == b->port && slice_equal_nocase(a->name, b->name);
}

static struct control_lookup *find(struct control_dns *dns, const struct name_question *question)
{
    struct control_lookup *lookup = dns->active;

    while (lookup != NULL && !same_question(&lookup->question, question))
        lookup = lookup->next;
    return lookup;
}

// A lookup that has not begun, or NULL: too many are on their way.
static struct control_lookup *take_lookup(struct control_dns *dns, const struct name_question *question)
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
    add(&dns->counters.on_their_way, 1);
    return lookup;
}

static void begin(struct control_lookup *lookup)
{
    add(&lookup->dns->counters.lookups, 1);
    if (lookup->question.kind == NAME_ENUM)
        control_enum_begin(lookup);
    else if (lookup->question.kind == NAME_SIP && is_host_name(lookup->name))
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
    add(&dns->counters.on_their_way, -1);
}

void control_lookup_ask(struct control_lookup *lookup, const char *name, enum control_dns_type type,
                        ares_callback answered, void *owner)
{
    add(&lookup->dns->counters.queries, 1);
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

unsigned control_lookup_families(const struct control_lookup *lookup, bool ip6[2])
{
    ip6[0] = lookup->dns->ip6[0];
    ip6[1] = !ip6[0];
    return lookup->dns->families;
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
    struct control_watched *end = dns->watch.names + dns->watch.n;
    struct control_watched *at = before == NULL ? dns->watch.names : before + 1;

    while (at != end && !same_question(&at->question, question))
        at++;
    return at == end ? NULL : at;
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

// False: the name table has no room now.
static bool settle(struct control_dns *dns, struct control_lookup *lookup)
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
        add(&dns->counters.failures, 1);
    else
        add(lookup->hops_n > 0 || lookup->uri_len > 0 ? &dns->counters.found : &dns->counters.absent, 1);
    release_all(lookup);
    give_lookup(lookup);
    return true;
}

void control_lookup_end(struct control_lookup *lookup)
{
    lookup->ended = !settle(lookup->dns, lookup);
}

static void refuse(struct control_dns *dns, struct rte_mbuf *mbuf)
{
    add(&dns->counters.refused, 1);
    dns->setup.drop(dns->setup.owner, mbuf, DROP_PARK_FULL);
}

void control_dns_park(struct control_dns *dns, struct rte_mbuf *mbuf, uint16_t worker, uint64_t now_ms)
{
    struct parked parked;

    dns->now_ms = now_ms;
    packet_park_read(mbuf, &parked);
    const struct name_question question = {parked.name, parked.port, parked.kind};
    if (name_find(dns->setup.names, &question, now_ms) != NULL) { // it came while this was on the ring
        packet_of(mbuf)->errand = PACKET_SERVE;
        dns->setup.release(dns->setup.owner, mbuf, worker);
        return;
    }
    struct control_lookup *lookup = find(dns, &question);
    bool begins = lookup == NULL;
    if (begins)
        lookup = take_lookup(dns, &question);
    if (lookup == NULL) {
        refuse(dns, mbuf);
        return;
    }
    if (control_park_put(dns->park, &lookup->parked, mbuf, worker))
        add(&dns->counters.parked_total, 1);
    else
        refuse(dns, mbuf);
    if (begins) // even for nobody: the retransmission will find it
        begin(lookup);
}

// A lookup of the configuration's name begins, when others leave room and none is on its way.
static void renew(struct control_dns *dns, struct control_watched *watched)
{
    bool room = dns->counters.on_their_way < WATCHED_LOOKUPS_MAX;
    struct control_lookup *lookup = NULL;

    watched->due_ms = dns->now_ms + AGAIN_MS;
    if (room && find(dns, &watched->question) == NULL)
        lookup = take_lookup(dns, &watched->question);
    if (lookup == NULL)
        return;
    watched->due_ms = dns->now_ms + GIVEN_UP_MS; // until the answer says when
    begin(lookup);
}

static int open_channel(struct control_dns *dns, const struct conf *conf)
{
    const struct control_dns_channel_setup setup = {.base = dns->setup.base,
                                                    .servers = conf->dns_servers,
                                                    .servers_n = conf->dns_servers_n,
                                                    .timeout_ms = conf->dns_timeout_ms,
                                                    .tries = conf->dns_tries};

    return control_dns_channel_create(&dns->channel, &setup);
}

static void close_before(struct control_dns *dns)
{
    struct control_dns_channel *before = dns->before;

    dns->before = NULL;
    control_dns_channel_destroy(before);
}

void control_dns_tick(struct control_dns *dns, uint64_t now_ms)
{
    struct control_lookup *next;

    dns->now_ms = now_ms;
    name_expire(dns->setup.names, now_ms);
    for (struct control_lookup *lookup = dns->active; lookup != NULL; lookup = next) {
        next = lookup->next;
        if (lookup->ended)
            (void)settle(dns, lookup);
    }
    if (dns->before != NULL && now_ms >= dns->before_until_ms)
        close_before(dns);
    for (unsigned i = 0; i < dns->watch.n; i++) {
        if (dns->watch.names[i].due_ms <= now_ms)
            renew(dns, &dns->watch.names[i]);
    }
}

int control_dns_names(struct control_dns *dns, const struct conf *conf)
{
    struct control_dns_channel *channel = dns->channel;

    dns->conf = conf;
    int error = control_watch_set(&dns->watch, conf);
    int channel_error = open_channel(dns, conf);
    if (channel_error == 0) { // what was asked by the old one is still answered by it
        close_before(dns);
        dns->before = channel;
        dns->before_until_ms = dns->now_ms + GIVEN_UP_MS;
    }
    return error != 0 ? error : channel_error;
}

// The families that some listener has; the first listener's comes first.
static void set_families(struct control_dns *dns)
{
    bool has[2] = {false, false};

    for (unsigned i = 0; i < dns->conf->listeners_n; i++)
        has[dns->conf->listeners[i].address.family == ENDPOINT_IP6] = true;
    dns->ip6[0] = dns->conf->listeners_n > 0 && dns->conf->listeners[0].address.family == ENDPOINT_IP6;
    dns->families = has[0] && has[1] ? 2 : 1;
}

static size_t lookup_bytes(void)
{
    return CONTROL_LOOKUPS_MAX * sizeof(struct control_lookup);
}

int control_dns_create(struct control_dns **created, const struct control_dns_setup *setup)
{
    const struct memory *memory = setup->memory;
    int error = -ENOMEM;

    struct control_dns *dns = memory->take(memory->owner, sizeof(*dns), MEMORY_ANY_NODE);
    if (dns == NULL)
        return error;
    dns->setup = *setup;
    dns->conf = setup->conf;
    dns->watch.memory = memory;
    set_families(dns);
    dns->lookups = memory->take(memory->owner, lookup_bytes(), MEMORY_ANY_NODE);
    if (dns->lookups == NULL)
        goto undo_dns;
    for (unsigned i = CONTROL_LOOKUPS_MAX; i-- > 0;) {
        dns->lookups[i].next = dns->free;
        dns->free = &dns->lookups[i];
    }
    error = control_park_create(&dns->park, setup->conf->parked_max, memory);
    if (error != 0)
        goto undo_lookups;
    error = control_watch_set(&dns->watch, setup->conf);
    if (error != 0)
        goto undo_park;
    error = open_channel(dns, setup->conf);
    if (error != 0)
        goto undo_watch;
    *created = dns;
    return 0;

undo_watch:
    control_watch_clear(&dns->watch);
undo_park:
    control_park_destroy(dns->park);
undo_lookups:
    memory->give(memory->owner, dns->lookups, lookup_bytes());
undo_dns:
    memory->give(memory->owner, dns, sizeof(*dns));
    return error;
}

void control_dns_destroy(struct control_dns *dns)
{
    struct rte_mbuf *mbuf;
    uint16_t worker;

    if (dns == NULL)
        return;
    const struct memory *memory = dns->setup.memory;
    dns->closing = true;
    close_before(dns);
    control_dns_channel_destroy(dns->channel);
    for (struct control_lookup *lookup = dns->active; lookup != NULL; lookup = lookup->next) {
        while ((mbuf = control_park_take(dns->park, &lookup->parked, &worker)) != NULL)
            dns->setup.drop(dns->setup.owner, mbuf, DROP_STOPPING);
    }
    control_watch_clear(&dns->watch);
    control_park_destroy(dns->park);
    memory->give(memory->owner, dns->lookups, lookup_bytes());
    memory->give(memory->owner, dns, sizeof(*dns));
}

void control_dns_counters(const struct control_dns *dns, struct control_dns_counters *counters)
{
    *counters = dns->counters;
    counters->parked = control_park_waiting(dns->park);
    counters->parked_high = control_park_high(dns->park);
}
