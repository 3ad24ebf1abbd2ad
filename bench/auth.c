// bench-auth: what an authorised registration costs a worker, from the receive ring to the transmit ring.
//
//   bench-auth [--case md5|sha256|sha512-256] [--users N] [--batches N] [--json]
//
// A batch is BATCH refreshes of random users as they come without credentials, which are challenged, and the same with
// credentials for the nonces in those answers: both are timed, everything in between is the phones' work and is not. So
// the figure is that of a whole authorised REGISTER, the challenge included; the median batch counts.
#include <getopt.h>
#include <openssl/evp.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>

#include "datapath/datapath.h"
#include "figure.h"
#include "pipeline_traffic.h"
#include "user/user.h"

#define BATCH        2048
#define WARM_BATCHES 48
#define PASSWORD     "secret"
#define REALM        "example.com"
#define HEADERS      (14 + 20 + 8)
#define LINE_BYTES   512

static const struct {
    const char *name, *said, *library;
    enum conf_digest algorithm;
    unsigned len; // bytes
} cases[] = {
    {"md5", "MD5", "MD5", CONF_DIGEST_MD5, 16},
    {"sha256", "SHA-256", "SHA256", CONF_DIGEST_SHA256, 32},
    {"sha512-256", "SHA-512-256", "SHA512-256", CONF_DIGEST_SHA512_256, 32},
};
#define CASES (sizeof(cases) / sizeof(*cases))

static const char ini[] =
    "[network]\nmbufs = 32768\nmailbox_size = 8192\nroute_max = 64\nneighbour_max = 64\n"
    "[location]\nbindings_max = %u\n"
    "[transaction]\ntransactions_max = 4096\nkept_max = 4096\n"
    "[store]\nusers_max = %u\n[control]\nsocket = /nowhere\n"
    "[port p0]\ndevice = net_ring_rig0\n"
    "[listener four]\naddress = 198.18.0.1:5060\nport = p0\n"
    "[domain example.com]\n[auth phones]\nalgorithms = %s\n";

struct options {
    unsigned which;
    uint32_t users;
    unsigned batches;
    bool json;
};

struct bench {
    struct options options;
    struct rig rig;
    struct corpus corpus;
    EVP_MD *md;
    EVP_MD_CTX *digest;
    struct {
        char text[CORPUS_MESSAGE_MAX + LINE_BYTES];
        unsigned len;
        uint32_t user;
        char nonce[64];
    } phone[BATCH];
};

static void fail(const char *why)
{
    fprintf(stderr, "bench-auth: %s\n", why);
    exit(1);
}

static struct options read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"case", required_argument, NULL, 'c'},
        {"users", required_argument, NULL, 'u'},
        {"batches", required_argument, NULL, 'b'},
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    struct options options = {.users = 1000000, .batches = 200};
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 'c':
            while (options.which < CASES && strcmp(cases[options.which].name, optarg) != 0)
                options.which++;
            break;
        case 'u':
            options.users = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'b':
            options.batches = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'j':
            options.json = true;
            break;
        default:
            options.which = CASES;
        }
    }
    if (options.which < CASES && options.users > 0 && options.batches > 0)
        return options;
    fputs("usage: bench-auth [--case md5|sha256|sha512-256] [--users N] [--batches N] [--json]\n", stderr);
    exit(2);
}

static void hash(struct bench *bench, const char *text, size_t len, uint8_t bytes[EVP_MAX_MD_SIZE])
{
    if (!EVP_DigestInit_ex2(bench->digest, bench->md, NULL) || !EVP_DigestUpdate(bench->digest, text, len) ||
        !EVP_DigestFinal_ex(bench->digest, bytes, NULL))
        fail("the digest failed");
}

static void hash_hex(struct bench *bench, const char *text, char *hex)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];

    hash(bench, text, strlen(text), bytes);
    for (unsigned i = 0; i < cases[bench->options.which].len; i++)
        sprintf(hex + 2 * i, "%02x", bytes[i]);
}

static void populate_users(struct bench *bench)
{
    char name[32], text[128];
    uint8_t bytes[EVP_MAX_MD_SIZE];

    for (uint32_t i = 0; i < bench->options.users; i++) {
        enum conf_digest algorithm = cases[bench->options.which].algorithm;
        struct user user = {.has = (uint8_t)(1u << algorithm)};
        snprintf(name, sizeof(name), "user%u", i);
        int len = snprintf(text, sizeof(text), "%s:" REALM ":" PASSWORD, name);
        hash(bench, text, (size_t)len, bytes);
        memcpy(user.ha1[algorithm], bytes, cases[bench->options.which].len);
        if (user_put(bench->rig.strowger.users, slice_text(name), SLICE(REALM), &user) != 0)
            fail("the table of users is full");
    }
}

// The phone's answer to its challenge, as a header line behind the start line.
static void authorise(struct bench *bench, unsigned i)
{
    char text[LINE_BYTES], ha1[65], ha2[65], response[65], line[LINE_BYTES], cnonce[17];
    char *behind = strstr(bench->phone[i].text, "\r\n") + 2;

    snprintf(cnonce, sizeof(cnonce), "%08x", (unsigned)(i * 2654435761u));
    snprintf(text, sizeof(text), "user%u:" REALM ":" PASSWORD, bench->phone[i].user);
    hash_hex(bench, text, ha1);
    hash_hex(bench, "REGISTER:sip:" REALM, ha2);
    snprintf(text, sizeof(text), "%s:%s:00000001:%s:auth:%s", ha1, bench->phone[i].nonce, cnonce, ha2);
    hash_hex(bench, text, response);
    int len = snprintf(
        line, sizeof(line),
        "Authorization: Digest username=\"user%u\", realm=\"" REALM "\", nonce=\"%s\", "
        "uri=\"sip:" REALM "\", response=\"%s\", algorithm=%s, cnonce=\"%s\", qop=auth, nc=00000001\r\n",
        bench->phone[i].user, bench->phone[i].nonce, response, cases[bench->options.which].said, cnonce);
    memmove(behind + len, behind, bench->phone[i].len - (unsigned)(behind - bench->phone[i].text) + 1);
    memcpy(behind, line, (size_t)len);
    bench->phone[i].len += (unsigned)len;
}

static uint64_t run(struct bench *bench)
{
    const struct endpoint phone = endpoint_ip4(198, 19, 1, 1, 5060),
                          server = endpoint_ip4(198, 18, 0, 1, 5060);
    struct worker *worker = bench->rig.strowger.workers[0];

    for (unsigned i = 0; i < BATCH; i++) {
        struct rte_mbuf *mbuf =
            rig_frame(&bench->rig, &phone, &server, bench->phone[i].text, bench->phone[i].len, 0);
        mbuf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
        rig_receive(&bench->rig, 0, 0, mbuf);
    }
    uint64_t goal = worker->counters.port[0].tx_packets + BATCH, before = rte_rdtsc_precise();
    while (worker->counters.port[0].tx_packets < goal) {
        if (datapath_turn(worker) == 0 && worker->counters.port[0].tx_packets < goal)
            fail("a request got no answer");
    }
    return rte_rdtsc_precise() - before;
}

// The answers leave in the order of their requests. `nonces`: they are challenges.
static void collect(struct bench *bench, const char *status, bool nonces)
{
    for (unsigned i = 0; i < BATCH; i++) {
        struct rte_mbuf *mbuf = rig_sent(&bench->rig, 0);
        char answer[CORPUS_MESSAGE_MAX + 1], user[32];
        size_t len = mbuf == NULL ? 0 : mbuf->data_len - HEADERS;
        if (len == 0 || len > CORPUS_MESSAGE_MAX)
            fail("an answer is missing");
        memcpy(answer, rte_pktmbuf_mtod_offset(mbuf, char *, HEADERS), len);
        answer[len] = 0;
        rte_pktmbuf_free(mbuf);
        snprintf(user, sizeof(user), "user%u@", bench->phone[i].user);
        if (strncmp(answer, status, strlen(status)) != 0 || strstr(answer, user) == NULL)
            fail(answer);
        const char *nonce = strstr(answer, "nonce=\"");
        if (nonces && (nonce == NULL || sscanf(nonce + 7, "%63[^\"]", bench->phone[i].nonce) != 1))
            fail("a challenge without a nonce");
    }
}

struct took {
    uint64_t all, challenge;
};

static struct took run_batch(struct bench *bench)
{
    struct corpus_note note;
    struct took took;

    for (unsigned i = 0; i < BATCH; i++) {
        do { // some have credentials of other times
            bench->phone[i].len = corpus_next(&bench->corpus, bench->phone[i].text, &note);
            bench->phone[i].text[bench->phone[i].len] = 0;
        } while (strcasestr(bench->phone[i].text, "\nAuthorization") != NULL);
        bench->phone[i].user = note.caller;
    }
    took.challenge = run(bench);
    collect(bench, "SIP/2.0 401", true);
    for (unsigned i = 0; i < BATCH; i++)
        authorise(bench, i);
    took.all = took.challenge + run(bench);
    collect(bench, "SIP/2.0 200", false);
    return took;
}

static int compare(const void *a, const void *b)
{
    const struct took *x = a, *y = b;

    return x->all < y->all ? -1 : x->all > y->all;
}

static void measure(struct bench *bench)
{
    const struct options *options = &bench->options;
    struct took *took = calloc(options->batches, sizeof(*took));

    if (took == NULL)
        fail("no memory");
    for (unsigned i = 0; i < WARM_BATCHES; i++)
        run_batch(bench);
    for (unsigned i = 0; i < options->batches; i++)
        took[i] = run_batch(bench);
    qsort(took, options->batches, sizeof(*took), compare);
    struct took median = took[options->batches / 2];
    const struct figure_of of = {"auth", "users", options->users, options->json};

    figure_print(of, cases[options->which].name, "cycles/register", (double)median.all / BATCH);
    figure_print(of, cases[options->which].name, "cycles/challenge", (double)median.challenge / BATCH);
    figure_print(of, cases[options->which].name, "registers/s/worker",
                 (double)rte_get_tsc_hz() * BATCH / (double)median.all);
    free(took);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct options options = read_options(argc, argv);
    struct endpoint gateway = endpoint_ip4(198, 18, 0, 254, 0);
    struct corpus_options corpus = {.kinds = CORPUS_REGISTER,
                                    .users = options.users,
                                    .domain = "example.com",
                                    .self = endpoint_ip4(198, 18, 0, 1, 5060),
                                    .source = endpoint_ip4(198, 19, 1, 1, 5060),
                                    .seed = 1};
    char text[1024];

    bench.options = options;
    bench.md = EVP_MD_fetch(NULL, cases[options.which].library, NULL);
    bench.digest = EVP_MD_CTX_new();
    if (bench.md == NULL || bench.digest == NULL)
        fail("no such digest");
    snprintf(text, sizeof(text), ini, options.users + options.users / 4 + 1000, options.users + 16,
             cases[options.which].said);
    rig_eal_parallel(1);
    rig_start(&bench.rig, text, 1);
    rig_gateway(&bench.rig, 0, &gateway);
    bench.rig.strowger.workers[0]->ports[0].tx_offloads |=
        RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    populate_users(&bench);
    traffic_populate(&bench.rig, TRAFFIC_REGISTER, options.users);
    corpus_open(&bench.corpus, &corpus);
    measure(&bench);
    EVP_MD_CTX_free(bench.digest);
    EVP_MD_free(bench.md);
    return rig_stop(&bench.rig) ? 0 : 1;
}
