#include "generator_report.h"

static unsigned bucket_of(uint64_t ns)
{
    if (ns < HISTOGRAM_STEPS)
        return (unsigned)ns;
    unsigned doubling = 63u - (unsigned)__builtin_clzll(ns) - 5; // 2^5 steps
    unsigned bucket = (doubling + 1) * HISTOGRAM_STEPS + (unsigned)(ns >> doubling & (HISTOGRAM_STEPS - 1));
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

// The middle of a bucket.
static uint64_t bucket_value(unsigned bucket)
{
    if (bucket < HISTOGRAM_STEPS)
        return bucket;
    unsigned doubling = bucket / HISTOGRAM_STEPS - 1;
    uint64_t low = (uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) << doubling;
    return low + ((1ull << doubling) >> 1);
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    h->n++;
    h->buckets[bucket_of(ns)]++;
}

uint64_t histogram_at(const struct histogram *h, unsigned per_mille)
{
    // Rounded up, so that the 999th of a thousand is asked for, not the 998th.
    uint64_t wanted = (h->n * per_mille + 999) / 1000, seen = 0;

    if (h->n == 0)
        return 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= wanted && seen > 0)
            return bucket_value(i);
    }
    return bucket_value(HISTOGRAM_BUCKETS - 1);
}

bool tally_clean(const struct tally *t)
{
    uint64_t unexpected = 0;

    for (unsigned code = 0; code < 700; code++)
        unexpected += t->unexpected[code];
    return unexpected == 0 && t->timeouts == 0 && t->unreadable == 0 && t->completed > 0;
}

static double us(const struct histogram *h, unsigned per_mille)
{
    return (double)histogram_at(h, per_mille) / 1000.0;
}

void tally_print(const struct tally *t, const char *mode, double seconds, FILE *out)
{
    fprintf(out, "%s: %.0f/s (%llu in %.2f s), %.0f messages/s sent, %.0f/s received\n", mode,
            (double)t->completed / seconds, (unsigned long long)t->completed, seconds,
            (double)t->sent / seconds, (double)t->received / seconds);
    fprintf(out, "  latency us: p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f\n", us(&t->latency, 500),
            us(&t->latency, 900), us(&t->latency, 990), us(&t->latency, 999));
    fprintf(out, "  retransmissions %llu, timeouts %llu, stale %llu, unreadable %llu, refused %llu\n",
            (unsigned long long)t->retransmissions, (unsigned long long)t->timeouts,
            (unsigned long long)t->stale, (unsigned long long)t->unreadable, (unsigned long long)t->refused);
    for (unsigned code = 0; code < 700; code++)
        if (t->unexpected[code] != 0)
            fprintf(out, "  unexpected %u: %llu\n", code, (unsigned long long)t->unexpected[code]);
}

void tally_print_json(const struct tally *t, const struct tally_run *run, FILE *out)
{
    const char *comma = "";

    fprintf(out,
            "{\"mode\":\"%s\",\"users\":%u,\"watchers\":%u,\"window\":%u,\"seconds\":%.3f,\"completed\":%llu,"
            "\"rate\":%.1f,\"sent\":%llu,\"received\":%llu,\"messages_per_second\":%.1f,",
            run->mode, run->users, run->watchers, run->window, run->seconds, (unsigned long long)t->completed,
            (double)t->completed / run->seconds, (unsigned long long)t->sent, (unsigned long long)t->received,
            (double)(t->sent + t->received) / run->seconds);
    fprintf(out,
            "\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"retransmissions\":%llu,"
            "\"timeouts\":%llu,\"stale\":%llu,\"unreadable\":%llu,\"refused\":%llu,\"unexpected\":{",
            us(&t->latency, 500), us(&t->latency, 900), us(&t->latency, 990), us(&t->latency, 999),
            (unsigned long long)t->retransmissions, (unsigned long long)t->timeouts,
            (unsigned long long)t->stale, (unsigned long long)t->unreadable, (unsigned long long)t->refused);
    for (unsigned code = 0; code < 700; code++) {
        if (t->unexpected[code] == 0)
            continue;
        fprintf(out, "%s\"%u\":%llu", comma, code, (unsigned long long)t->unexpected[code]);
        comma = ",";
    }
    fprintf(out, "},\"clean\":%s}\n", tally_clean(t) ? "true" : "false");
}
