// Who may watch whom, and lists, by the socket: what the workers are told, and pages of what there is.
#include "command_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/parts.h"
#include "role/policy.h"
#include "roster/roster.h"

struct rostered {
    struct commanded commands; // first: callbacks get it
    struct role_policy policy; // all of it that words are read by
    struct role_policy *in_force;
    struct store *store;
    struct journal_gate gate;
    struct journal *journal;
    struct control_commit *commit;
    struct roster *roster;
    int fd;
};

static void open_rostered(struct rostered *r)
{
    const struct roster_limits limits = {1000, 1000};
    struct scene *scene = &r->commands.scene;

    memset(r, 0, sizeof(*r));
    commands_prepare(&r->commands, NULL);
    assert_int_equal(store_open_memory(&r->store), 0);
    assert_int_equal(journal_create(&r->journal, &r->gate, 16, MEMORY_ANY_NODE, &memory_system), 0);
    const struct control_commit_setup setup = {.store = r->store,
                                               .gate = &r->gate,
                                               .journals = &r->journal,
                                               .journals_n = 1,
                                               .path = "memory",
                                               .memory = &memory_system};
    assert_int_equal(control_commit_create(&r->commit, &setup), 0);
    assert_int_equal(roster_create(&r->roster, &limits, &commands_key, r->commands.qsbr, &memory_system), 0);
    scene->setup.commit = r->commit;
    scene->setup.roster = r->roster;
    assert_int_equal(control_create(&scene->control, &scene->setup), 0);
    r->policy = (struct role_policy){.conf = scene->conf, .route = role_route_create(scene->conf)};
    r->in_force = &r->policy;
    scene->control->setup.policy = &r->in_force;
    r->fd = commands_greet(&r->commands);
}

static void close_rostered(struct rostered *r)
{
    close(r->fd);
    commands_close(&r->commands);
    roster_destroy(r->roster);
    control_commit_destroy(r->commit);
    journal_destroy(r->journal);
    store_close(r->store);
    role_route_destroy((struct role_route *)(uintptr_t)r->policy.route);
}

static void take(struct rostered *r, const char *request)
{
    json_decref(commands_take(&r->commands, r->fd, request));
}

static void refuse(struct rostered *r, const char *request, const char *words)
{
    commands_refuse(&r->commands, r->fd, request, strlen(request), words);
}

// How often the worker was told to look at somebody's watchers, and whose it was last. What else comes is the kernel's.
static unsigned touches(struct rostered *r, struct hash128 *key)
{
    struct rte_mbuf *mbuf = NULL;
    unsigned n = 0;

    while (rte_ring_dequeue(r->commands.scene.worker->inject, (void **)&mbuf) == 0) {
        if (packet_of(mbuf)->errand == PACKET_TOUCH) {
            *key = packet_of(mbuf)->steered.aor;
            n++;
        }
        rte_pktmbuf_free(mbuf);
    }
    return n;
}

// Once, of this one.
static void assert_touched(struct rostered *r, const char *aor)
{
    struct hash128 key;

    assert_int_equal(touches(r, &key), 1);
    assert_true(hash128_equal(key, location_key(r->commands.location, slice_text(aor))));
}

static void test_each_rule_is_kept_and_its_owner_touched(void **state)
{
    static const struct {
        const char *request;
        enum roster_decision decision;
    } cases[] = {
        {"presence allow bob@example.com carol@example.com", ROSTER_ALLOW},
        {"presence block sip:bob@EXAMPLE.com carol@example.com", ROSTER_BLOCK},
        {"presence polite bob@example.com sips:carol@example.com", ROSTER_POLITE},
        {"presence confirm bob@example.com carol@example.com", ROSTER_CONFIRM},
        {"presence forget bob@example.com carol@example.com", ROSTER_UNDECIDED},
    };
    struct rostered r;

    (void)state;
    open_rostered(&r);
    for (unsigned i = 0; i < RTE_DIM(cases); i++) {
        take(&r, cases[i].request);
        assert_int_equal(roster_rule(r.roster, SLICE("bob@example.com"), SLICE("carol@example.com")),
                         cases[i].decision);
        assert_touched(&r, "bob@example.com");
    }
    close_rostered(&r);
}

static void test_lists_are_kept_and_their_owner_touched(void **state)
{
    struct rostered r;

    (void)state;
    open_rostered(&r);
    take(&r, "list add friends@example.com a@example.com b@example.com sip:c@else.example");
    assert_int_equal(roster_list_members(roster_list(r.roster, SLICE("friends@example.com"))), 3);
    assert_touched(&r, "friends@example.com");
    take(&r, "list del friends@example.com b@example.com");
    assert_int_equal(roster_list_members(roster_list(r.roster, SLICE("friends@example.com"))), 2);
    assert_touched(&r, "friends@example.com");
    json_t *status = commands_take(&r.commands, r.fd, "status");
    assert_int_equal(json_integer_value(json_object_get(status, "rules")), 0);
    assert_int_equal(json_integer_value(json_object_get(status, "lists")), 1);
    assert_int_equal(json_integer_value(json_object_get(status, "members")), 2);
    assert_int_equal(json_integer_value(json_object_get(status, "members_max")), 1000);
    json_decref(status);
    take(&r, "list del friends@example.com");
    assert_null(roster_list(r.roster, SLICE("friends@example.com")));
    assert_touched(&r, "friends@example.com");
    close_rostered(&r);
}

static void test_what_makes_no_sense_is_refused_and_nobody_touched(void **state)
{
    static const struct {
        const char *request, *words;
    } cases[] = {
        {"presence allow bob@example.com", "expected: presence allow PRESENTITY WATCHER"},
        {"presence allow bob@else.example *", "\"bob@else.example\" is in no [domain]"},
        {"presence allow bob@example.com carol", "\"carol\" is no watcher"},
        {"presence forget bob@example.com *", "\"*\" has no rule"},
        {"presence list bob", "\"bob\" is no address of record"},
        {"presence dance", "no such request"},
        {"list add friends@example.com", "expected: list add LIST MEMBER"},
        {"list add friends@example.com friends@example.com", "is the list itself"},
        {"list del friends@example.com", "\"friends@example.com\" is no list"},
        {"list show friends@example.com", "\"friends@example.com\" is no list"},
        {"list import x", "expected an open file"},
    };
    struct hash128 key;
    struct rostered r;

    (void)state;
    open_rostered(&r);
    for (unsigned i = 0; i < RTE_DIM(cases); i++)
        refuse(&r, cases[i].request, cases[i].words);
    assert_int_equal(touches(&r, &key), 0);
    close_rostered(&r);
}

static void test_without_presence_nothing_is_taken(void **state)
{
    struct rostered r;

    (void)state;
    open_rostered(&r);
    r.commands.scene.control->setup.roster = NULL;
    refuse(&r, "presence allow bob@example.com *", "does not serve presence");
    refuse(&r, "presence list", "does not serve presence");
    refuse(&r, "list show", "does not serve presence");
    close_rostered(&r);
}

static void test_full_ring_is_told_of(void **state)
{
    struct hash128 key;
    struct rostered r;

    (void)state;
    open_rostered(&r);
    while (!rte_ring_full(r.commands.scene.worker->inject))
        assert_true(control_touch(r.commands.scene.control, SLICE("alice@example.com")));
    refuse(&r, "presence block bob@example.com *", "no worker could be told");
    assert_int_equal(roster_rule(r.roster, SLICE("bob@example.com"), SLICE("a@b")), ROSTER_BLOCK);
    assert_true(touches(&r, &key) > 1);
    take(&r, "presence block bob@example.com *");
    assert_touched(&r, "bob@example.com");
    close_rostered(&r);
}

static json_t *gather(struct rostered *r, const char *request, unsigned *pages)
{
    json_t *rows = json_array(), *reply = commands_take(&r->commands, r->fd, request);

    for (*pages = 1;; ++*pages) {
        bool more = json_is_true(json_object_get(reply, "more"));
        json_array_extend(rows, json_object_get(reply, "rows"));
        json_decref(reply);
        if (!more)
            return rows;
        reply = commands_hear(&r->commands, r->fd);
        assert_true(json_is_true(json_object_get(reply, "ok")));
    }
}

static const char *text(const json_t *rows, size_t i, const char *key)
{
    return json_string_value(json_object_get(json_array_get(rows, i), key));
}

static void test_rules_come_in_pages_of_one_user_or_of_all(void **state)
{
    enum { N = 300 };
    struct rostered r;
    char request[96];
    unsigned pages;

    (void)state;
    open_rostered(&r);
    r.commands.scene.control->setup.location = NULL; // nobody is told: the ring is small
    for (unsigned i = 0; i < N; i++) {
        snprintf(request, sizeof(request), "presence polite bob@example.com w%03u@example.com", i);
        refuse(&r, request, "no worker");
    }
    refuse(&r, "presence allow bo@example.com b@example.com",
           "no worker"); // an address that begins as his does
    refuse(&r, "presence allow bobo@example.com *", "no worker");
    json_t *rows = gather(&r, "presence list bob@example.com", &pages);
    assert_true(pages > 1);
    assert_int_equal(json_array_size(rows), N);
    for (size_t i = 0; i < N; i++) {
        snprintf(request, sizeof(request), "w%03zu@example.com", i);
        assert_string_equal(text(rows, i, "presentity"), "bob@example.com");
        assert_string_equal(text(rows, i, "watcher"), request);
        assert_string_equal(text(rows, i, "rule"), "polite");
    }
    json_decref(rows);
    rows = gather(&r, "presence list", &pages);
    assert_int_equal(json_array_size(rows), N + 2);
    json_decref(rows);
    rows = gather(&r, "presence list carol@example.com", &pages);
    assert_int_equal(json_array_size(rows), 0);
    json_decref(rows);
    close_rostered(&r);
}

// The file as a client sends it along; the last reply.
static json_t *import(struct rostered *r, const char *bytes)
{
    static char request[] = "list import lists.csv";
    struct iovec iov = {request, sizeof(request) - 1};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } beside = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &beside, .msg_controllen = sizeof(beside)};
    int file = memfd_create("lists", MFD_CLOEXEC);

    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, strlen(bytes)), strlen(bytes));
    memcpy(CMSG_DATA(&beside.head), &file, sizeof(file));
    assert_int_equal(sendmsg(r->fd, &message, MSG_NOSIGNAL), sizeof(request) - 1);
    close(file);
    json_t *reply = commands_hear(&r->commands, r->fd);
    while (json_is_true(json_object_get(reply, "more"))) {
        json_decref(reply);
        reply = commands_hear(&r->commands, r->fd);
    }
    return reply;
}

static void test_lists_come_in_pages_as_they_were_imported(void **state)
{
    enum { N = 450, LISTS = 200 };
    char *file = malloc(128 * 1024), wanted[32];
    struct rostered r;
    unsigned pages;
    size_t len = 0;

    (void)state;
    assert_non_null(file);
    open_rostered(&r);
    r.commands.scene.control->setup.location = NULL; // nobody is told: the ring is small
    for (unsigned i = 0; i < N; i++)
        len += (size_t)sprintf(file + len, "big@example.com,u%u@example.com,Number %u\n", i, i);
    for (unsigned i = 0; i < LISTS; i++)
        len += (size_t)sprintf(file + len, "list%u@example.com,bob@example.com,\xc3\xa4\x01\"\n", i);
    json_t *reply = import(&r, file);
    assert_true(json_is_true(json_object_get(reply, "ok")));
    assert_int_equal(json_integer_value(json_object_get(reply, "lists")), LISTS + 1);
    assert_int_equal(json_integer_value(json_object_get(reply, "members")), LISTS + N);
    assert_int_equal(json_integer_value(json_object_get(reply, "untold")), LISTS + 1);
    json_decref(reply);
    json_t *rows = gather(&r, "list show big@example.com", &pages);
    assert_true(pages > 1);
    assert_int_equal(json_array_size(rows), N);
    for (size_t i = 0; i < N; i++) {
        snprintf(wanted, sizeof(wanted), "sip:u%zu@example.com", i);
        assert_string_equal(text(rows, i, "member"), wanted);
    }
    assert_string_equal(text(rows, 7, "name"), "Number 7");
    json_decref(rows);
    rows = gather(&r, "list show list7@example.com", &pages);
    assert_int_equal(json_array_size(rows), 1);
    assert_string_equal(text(rows, 0, "name"), "\xc3\xa4\x01\"");
    json_decref(rows);
    rows = gather(&r, "list show", &pages);
    assert_true(pages > 1);
    assert_int_equal(json_array_size(rows), LISTS + 1);
    json_decref(rows);
    free(file);
    close_rostered(&r);
}

static void test_import_with_a_fault_says_the_line(void **state)
{
    struct rostered r;

    (void)state;
    open_rostered(&r);
    json_t *reply = import(&r, "l@example.com,bob@example.com\nl@example.com,bob\n");
    assert_true(json_is_false(json_object_get(reply, "ok")));
    assert_string_equal(json_string_value(json_object_get(reply, "error")),
                        "nothing was imported:\nlists.csv:2: \"bob\" is no address of record, as in "
                        "bob@example.com\n");
    json_decref(reply);
    assert_null(roster_list(r.roster, SLICE("l@example.com")));
    reply = import(&r, "l@example.com,bob@example.com\n");
    assert_true(json_is_true(json_object_get(reply, "ok")));
    json_decref(reply);
    assert_touched(&r, "l@example.com");
    close_rostered(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_rule_is_kept_and_its_owner_touched),
        cmocka_unit_test(test_lists_are_kept_and_their_owner_touched),
        cmocka_unit_test(test_what_makes_no_sense_is_refused_and_nobody_touched),
        cmocka_unit_test(test_without_presence_nothing_is_taken),
        cmocka_unit_test(test_full_ring_is_told_of),
        cmocka_unit_test(test_rules_come_in_pages_of_one_user_or_of_all),
        cmocka_unit_test(test_lists_come_in_pages_as_they_were_imported),
        cmocka_unit_test(test_import_with_a_fault_says_the_line),
    };

    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
