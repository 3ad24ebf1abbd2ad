// bench-parse: what it costs to understand one message.
//
//   bench-parse [--count N] [--passes N] [--seed N] [--json]
//
// Parses N different messages of the corpus, each with all typed fields that a forwarding proxy reads (a request's as
// role/request.c does, a response's as proxy/response.c does), and prints nanoseconds per message: the median of the
// passes. For instructions, which do not depend on the machine's mood:
//   valgrind --tool=callgrind --toggle-collect=bench_parse_corpus bench-parse --passes 1
// and divide by N. Exit 1 when a message of the corpus does not parse, so that nobody measures an early way out.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "corpus.h"
#include "figure.h"
#include "sip/address.h"
#include "sip/cseq.h"
#include "sip/message.h"
#include "sip/token.h"
#include "sip/uri.h"
#include "sip/via.h"

#define PASSES_MAX 1000

struct pool {
    char *text;
    uint32_t *at; // n + 1 offsets
    uint32_t n;
};

// Everything that a forward reads; kept, so that the compiler leaves nothing out.
struct fields {
    struct sip_message message;
    struct sip_uri uri;
    struct sip_via via, next_via; // the next one: of a response
    struct sip_address from, to, route;
    struct sip_cseq cseq;
    struct slice call_id, from_tag, to_tag;
    uint64_t max_forwards;
    bool has_option; // something in Proxy-Require
};

static bool parse_party(const struct sip_message *message, enum sip_header id, struct sip_address *address,
                        struct slice *tag)
{
    if (sip_address_parse(sip_message_first(message, id), address) != SIP_OK)
        return false;
    *tag = sip_address_tag(address);
    return true;
}

static bool parse_via(struct slice value, struct sip_via *via)
{
    struct cursor c = cursor_over(value);

    return sip_via_take(&c, via);
}

static bool parse_cseq(const struct sip_message *message, struct sip_cseq *cseq)
{
    return sip_cseq_parse(sip_message_first(message, SIP_HEADER_CSEQ), cseq) == SIP_OK;
}

static bool parse_request(struct fields *fields)
{
    const struct sip_message *message = &fields->message;
    struct slice hops = sip_message_first(message, SIP_HEADER_MAX_FORWARDS);

    fields->call_id = sip_message_first(message, SIP_HEADER_CALL_ID);
    if (!parse_via(sip_message_first(message, SIP_HEADER_VIA), &fields->via) ||
        !parse_party(message, SIP_HEADER_FROM, &fields->from, &fields->from_tag) ||
        !parse_party(message, SIP_HEADER_TO, &fields->to, &fields->to_tag) ||
        !parse_cseq(message, &fields->cseq))
        return false;
    fields->has_option = false;
    if (sip_message_has(message, SIP_HEADER_PROXY_REQUIRE)) {
        struct cursor options = cursor_over(sip_message_first(message, SIP_HEADER_PROXY_REQUIRE));
        struct slice option;
        fields->has_option = sip_take_element(&options, &option);
    }
    if (sip_message_has(message, SIP_HEADER_ROUTE)) {
        struct cursor route = cursor_over(sip_message_first(message, SIP_HEADER_ROUTE));
        if (!sip_address_take(&route, &fields->route))
            return false;
    }
    return sip_uri_parse(sip_message_span(message, message->uri), &fields->uri) == SIP_OK &&
           slice_number(hops, 255, &fields->max_forwards);
}

// The top Via is the proxy's own, the next one says where to; the corpus gives each its line.
static bool parse_response(struct fields *fields)
{
    const struct sip_message *message = &fields->message;
    unsigned line = message->first[SIP_HEADER_VIA], next = sip_message_next(message, line);

    return next != SIP_NO_LINE && parse_via(sip_message_value(message, line), &fields->via) &&
           parse_via(sip_message_value(message, next), &fields->next_via) &&
           parse_cseq(message, &fields->cseq);
}

static bool parse_fields(struct fields *fields, const char *text, uint32_t len)
{
    struct sip_message *message = &fields->message;

    if (sip_message_parse(message, text, len) != SIP_OK || sip_message_check(message) != SIP_OK)
        return false;
    return message->kind == SIP_RESPONSE ? parse_response(fields) : parse_request(fields);
}

// Not static and never inlined: callgrind finds it by its name. Returns how many messages parsed.
uint32_t bench_parse_corpus(const struct pool *pool, struct fields *fields);

__attribute__((noinline)) uint32_t bench_parse_corpus(const struct pool *pool, struct fields *fields)
{
    uint32_t good = 0;

    for (uint32_t i = 0; i < pool->n; i++) {
        good += parse_fields(fields, pool->text + pool->at[i], pool->at[i + 1] - pool->at[i]);
        __asm__ volatile("" : : "r"(fields) : "memory");
    }
    return good;
}

static bool fill_pool(struct pool *pool, uint32_t n, uint64_t seed)
{
    struct corpus_options options = {.kinds = CORPUS_ALL, .users = 1000000, .seed = seed};
    struct corpus corpus;
    uint32_t at = 0;

    pool->n = n;
    pool->text = memory_system.take(memory_system.owner, (size_t)n * CORPUS_MESSAGE_MAX, MEMORY_ANY_NODE);
    pool->at = calloc((size_t)n + 1, sizeof(*pool->at));
    if (pool->text == NULL || pool->at == NULL)
        return false;
    corpus_open(&corpus, &options);
    for (uint32_t i = 0; i < n; i++) {
        at += corpus_next(&corpus, pool->text + at, NULL);
        pool->at[i + 1] = at;
    }
    return true;
}

static void drop_pool(struct pool *pool)
{
    memory_system.give(memory_system.owner, pool->text, (size_t)pool->n * CORPUS_MESSAGE_MAX);
    free(pool->at);
}

static double now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int measure(const struct pool *pool, unsigned passes, bool json)
{
    static double ns[PASSES_MAX];
    static struct fields fields;

    for (unsigned pass = 0; pass < passes; pass++) {
        double from = now_ns();
        uint32_t good = bench_parse_corpus(pool, &fields);
        ns[pass] = (now_ns() - from) / pool->n;
        if (good != pool->n) {
            fprintf(stderr, "bench-parse: %u of %u messages did not parse\n", pool->n - good, pool->n);
            return 1;
        }
    }
    double median = figure_median(ns, passes);
    if (json)
        printf("{\"bench\":\"parse\",\"case\":\"corpus\",\"unit\":\"ns/msg\",\"value\":%.1f,\"msgs\":%u,"
               "\"bytes/msg\":%.1f,\"min\":%.1f}\n",
               median, pool->n, (double)pool->at[pool->n] / pool->n, ns[0]);
    else
        printf("parse corpus: %u msgs of %.0f bytes, %.1f ns/msg (fastest pass %.1f)\n", pool->n,
               (double)pool->at[pool->n] / pool->n, median, ns[0]);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"count", required_argument, NULL, 'c'},
                                          {"passes", required_argument, NULL, 'p'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    unsigned long count = 8192, passes = 101;
    uint64_t seed = 1;
    bool json = false;
    int option;

    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (option == 'c')
            count = strtoul(optarg, NULL, 10);
        else if (option == 'p')
            passes = strtoul(optarg, NULL, 10);
        else if (option == 's')
            seed = strtoull(optarg, NULL, 10);
        else if (option == 'j')
            json = true;
        else
            return 2;
    }
    if (count < 1 || count > 1000000 || passes < 1 || passes > PASSES_MAX) {
        fprintf(stderr, "bench-parse: --count is 1 to 1000000, --passes 1 to %u\n", PASSES_MAX);
        return 2;
    }
    struct pool pool = {0};
    if (!fill_pool(&pool, (uint32_t)count, seed)) {
        fprintf(stderr, "bench-parse: no memory for %lu messages\n", count);
        return 1;
    }
    int status = measure(&pool, (unsigned)passes, json);
    drop_pool(&pool);
    return status;
}
