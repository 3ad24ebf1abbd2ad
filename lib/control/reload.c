#include "control/reload.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "control/log.h"

enum reload_state {
    RELOAD_IDLE = 0,
    RELOAD_READING, // the thread has `wanted` and `said`
    RELOAD_GRACE,   // published; a worker may still be in a turn with `replaced`
};

struct control_reload {
    struct control_reload_setup setup;
    enum reload_state state;
    bool again; // asked for once more meanwhile
    uint64_t now_ms;
    pthread_t reader;
    atomic_bool read;           // by the thread, when it has done
    struct role_policy *wanted; // what it made of the file; NULL: the file is refused
    struct stream_tls *tls;     // and of what it names; NULL: there are no streams
    char *said;                 // why, in lines; stays until the next one
    bool refused;               // the last one was
    struct role_policy *replaced;
    uint64_t token; // of its grace period
    struct control_reload_counters counters;
};

// Both or, after having said why, neither of them. Everything that is wrong is said at once.
static void read_policy(struct control_reload *reload, FILE *errors)
{
    const struct control_reload_setup *setup = &reload->setup;
    struct conf *conf = conf_load(setup->path, errors);

    if (conf == NULL)
        return;
    if (setup->secure != NULL)
        reload->tls = setup->secure(conf, errors);
    if (conf_fixed_differences(setup->policy->conf, conf, errors) == 0 &&
        (setup->secure == NULL || reload->tls != NULL))
        reload->wanted = role_policy_create(conf, setup->gateways, setup->secret, setup->policy->nodes,
                                            reload->now_ms, errors);
    if (reload->wanted != NULL)
        return;
    stream_tls_destroy(reload->tls);
    reload->tls = NULL;
    conf_free(conf);
}

// Nothing that the loop writes while this runs is read here: there is one reload at a time, and only a reload changes
// the policy and the gateways' slots.
static void *read_all(void *argument)
{
    struct control_reload *reload = argument;
    size_t bytes;

    // It shares its core with the loop, which goes first. Of this thread alone, on Linux.
    (void)setpriority(PRIO_PROCESS, 0, 10);
    FILE *errors = open_memstream(&reload->said, &bytes);

    if (errors != NULL) {
        read_policy(reload, errors);
        fclose(errors);
    }
    atomic_store_explicit(&reload->read, true, memory_order_release);
    return NULL;
}

static void begin(struct control_reload *reload)
{
    reload->again = false;
    reload->wanted = NULL;
    free(reload->said);
    reload->said = NULL;
    atomic_store(&reload->read, false);
    int error = pthread_create(&reload->reader, NULL, read_all, reload);
    if (error != 0) {
        reload->refused = true;
        reload->counters.refused++;
        CONTROL_LOG(ERR, "no thread to read %s with: %s; running with the old configuration, try again",
                    reload->setup.path, strerror(error));
        return;
    }
    reload->state = RELOAD_READING;
}

static void log_lines(uint32_t level, const char *text)
{
    while (*text != 0) {
        size_t len = strcspn(text, "\n");
        rte_log(level, control_logtype, "strowger: %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static void publish(struct control_reload *reload)
{
    struct control_reload_setup *setup = &reload->setup;
    struct role_policy *policy = reload->wanted;
    const struct conf *conf = policy->conf;
    const struct number_table *numbers = role_policy_numbers(policy);

    reload->wanted = NULL;
    reload->replaced = setup->policy;
    policy->generation = reload->replaced->generation + 1;
    setup->policy = policy;
    for (unsigned i = 0; i < setup->workers_n; i++)
        atomic_store_explicit(&setup->workers[i]->policy, policy, memory_order_release);
    setup->published(setup->owner, policy, reload->tls);
    reload->tls = NULL;
    reload->token = rte_rcu_qsbr_start(setup->qsbr);
    reload->state = RELOAD_GRACE;
    reload->refused = false;
    reload->counters.reloaded++;
    CONTROL_LOG(NOTICE, "reloaded: %s: %u domains, %u routes, %u gateways, %llu number prefixes", setup->path,
                conf->domains_n, conf->routes_n, conf->gateways_n,
                numbers == NULL ? 0ull : (unsigned long long)number_table_prefixes(numbers));
}

static void refuse(struct control_reload *reload)
{
    reload->state = RELOAD_IDLE;
    reload->refused = true;
    reload->counters.refused++;
    CONTROL_LOG(ERR, "refused: %s, for the reasons above; running with the old configuration",
                reload->setup.path);
}

static void finish_reading(struct control_reload *reload)
{
    if (!atomic_load_explicit(&reload->read, memory_order_acquire))
        return;
    pthread_join(reload->reader, NULL); // it has nothing left to do
    // What is taken may come with warnings.
    if (reload->said != NULL)
        log_lines(reload->wanted != NULL ? RTE_LOG_WARNING : RTE_LOG_ERR, reload->said);
    if (reload->wanted != NULL)
        publish(reload);
    else
        refuse(reload);
}

static void finish_grace(struct control_reload *reload)
{
    if (rte_rcu_qsbr_check(reload->setup.qsbr, reload->token, false) != 1)
        return;
    role_policy_destroy(reload->replaced);
    reload->replaced = NULL;
    reload->state = RELOAD_IDLE;
}

void control_reload_tick(struct control_reload *reload, uint64_t now_ms)
{
    reload->now_ms = reload->state == RELOAD_READING ? reload->now_ms : now_ms; // the thread's meanwhile
    if (reload->state == RELOAD_READING)
        finish_reading(reload);
    if (reload->state == RELOAD_GRACE)
        finish_grace(reload);
    if (reload->state == RELOAD_IDLE && reload->again)
        begin(reload);
}

void control_reload_ask(struct control_reload *reload, uint64_t now_ms)
{
    reload->again = true;
    control_reload_tick(reload, now_ms);
}

bool control_reload_idle(const struct control_reload *reload)
{
    return reload->state == RELOAD_IDLE && !reload->again;
}

const char *control_reload_refusal(const struct control_reload *reload)
{
    if (!reload->refused)
        return NULL;
    return reload->said != NULL ? reload->said : "no memory or no thread to read it with";
}

void control_reload_counters(const struct control_reload *reload, struct control_reload_counters *counters)
{
    *counters = reload->counters;
}

int control_reload_create(struct control_reload **created, const struct control_reload_setup *setup)
{
    struct control_reload *reload =
        setup->memory->take(setup->memory->owner, sizeof(*reload), MEMORY_ANY_NODE);

    if (reload == NULL)
        return -ENOMEM;
    reload->setup = *setup;
    *created = reload;
    return 0;
}

void control_reload_destroy(struct control_reload *reload)
{
    if (reload == NULL)
        return;
    const struct memory *memory = reload->setup.memory;
    if (reload->state == RELOAD_READING) {
        pthread_join(reload->reader, NULL);
        role_policy_destroy(reload->wanted);
        stream_tls_destroy(reload->tls);
    }
    free(reload->said);
    role_policy_destroy(reload->replaced);
    memory->give(memory->owner, reload, sizeof(*reload));
}
