// The socket of operators' commands: its framing, who may, and clients that mean no good.
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/command.h"
#include "location/location.h"

#define NOBODY 65534
#define ROUTES 200
#define AORS   300

static const struct hash_key key = {5, 6};

struct commanded {
    struct scene scene; // first: callbacks get it
    char path[64];
    struct rte_rcu_qsbr *qsbr; // of the worker and control
    struct location *location;
};

static struct conf *make_conf(const struct commanded *c, const char *group)
{
    char *text = malloc(64 * 1024);

    assert_non_null(text);
    int len = sprintf(text,
                      "[network]\nroute_max = 1024\nneighbour_max = 64\nresolve_queue_max = 4\n"
                      "[port p]\ndevice = net_null0\ntwin = sip0\n[listener l]\naddress = 198.18.0.1:5060\n"
                      "port = p\n[domain example.com]\n[control]\nsocket = %s\n%s%s\n",
                      c->path, group != NULL ? "group = " : "", group != NULL ? group : "");
    for (unsigned i = 0; i < ROUTES; i++)
        len += sprintf(text + len, "[route r%u]\nuser = +%03u*\naction = reject\ncode = 603\n", i, i);
    struct conf *conf = conf_parse(text, (size_t)len, "commands", stderr);
    assert_non_null(conf);
    free(text);
    return conf;
}

static void prepare(struct commanded *c, const char *group)
{
    const struct location_limits limits = {.shards = 1, .bindings = 1000};

    memset(c, 0, sizeof(*c));
    scene_prepare(&c->scene);
    snprintf(c->path, sizeof(c->path), "/tmp/strowger-command-%d", getpid());
    unlink(c->path);
    conf_free(c->scene.conf);
    c->scene.conf = make_conf(c, group);
    c->scene.worker->conf = c->scene.conf;
    c->scene.setup.conf = c->scene.conf;
    c->qsbr = rte_zmalloc(NULL, rte_rcu_qsbr_get_memsize(2), RTE_CACHE_LINE_SIZE);
    assert_non_null(c->qsbr);
    assert_int_equal(rte_rcu_qsbr_init(c->qsbr, 2), 0);
    assert_int_equal(location_create(&c->location, &limits, &key, c->qsbr, &memory_system), 0);
    c->scene.setup.qsbr = c->qsbr;
    c->scene.setup.location = c->location;
}

static void open_commanded(struct commanded *c, const char *group)
{
    prepare(c, group);
    assert_int_equal(control_create(&c->scene.control, &c->scene.setup), 0);
}

static void close_commanded(struct commanded *c)
{
    control_destroy(c->scene.control);
    c->scene.control = NULL;
    assert_int_equal(access(c->path, F_OK), -1); // it took its file away
    location_destroy(c->location);
    rte_free(c->qsbr);
    scene_close(&c->scene);
}

static const struct control_commands_counters *counters(const struct commanded *c)
{
    return control_commands_counters(c->scene.control->commands);
}

static int connect_to(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    memcpy(name.sun_path, path, strlen(path));
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

// What comes next, as JSON; NULL: the server closed it.
static json_t *hear(struct commanded *c, int fd)
{
    static char bytes[256 * 1024];
    uint64_t deadline = fixture_ms() + 10000;
    json_error_t error;
    ssize_t len;

    while ((len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) < 0 && errno == EAGAIN) {
        assert_true(fixture_ms() < deadline);
        assert_int_equal(control_turn(c->scene.control), 0);
    }
    if (len <= 0)
        return NULL;
    json_t *reply = json_loadb(bytes, (size_t)len, 0, &error);
    if (reply == NULL)
        fail_msg("no JSON: %s: %.*s", error.text, (int)len, bytes);
    return reply;
}

static int greet(struct commanded *c)
{
    int fd = connect_to(c->path);
    json_t *hello = hear(c, fd);

    assert_string_equal(json_string_value(json_object_get(hello, "server")), "strowger");
    assert_int_equal(json_integer_value(json_object_get(hello, "pid")), getpid());
    json_decref(hello);
    return fd;
}

static json_t *ask(struct commanded *c, int fd, const char *request, size_t len)
{
    assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), len);
    return hear(c, fd);
}

static void assert_refused(struct commanded *c, int fd, const char *request, size_t len, const char *words)
{
    json_t *reply = ask(c, fd, request, len);
    const char *error = json_string_value(json_object_get(reply, "error"));

    assert_true(json_is_false(json_object_get(reply, "ok")));
    if (error == NULL || strstr(error, words) == NULL)
        fail_msg("no \"%s\" in: %s", words, error);
    json_decref(reply);
}

static json_t *assert_taken(struct commanded *c, int fd, const char *request)
{
    json_t *reply = ask(c, fd, request, strlen(request));

    if (!json_is_true(json_object_get(reply, "ok")))
        fail_msg("%s: %s", request, json_string_value(json_object_get(reply, "error")));
    return reply;
}

static void test_status_comes_behind_the_greeting(void **state)
{
    struct commanded c;

    (void)state;
    open_commanded(&c, NULL);
    int fd = greet(&c);
    json_t *reply = assert_taken(&c, fd, "  status  \n");
    assert_string_equal(json_string_value(json_object_get(reply, "state")), "serving");
    assert_int_equal(json_integer_value(json_object_get(reply, "workers")), 1);
    assert_null(json_object_get(reply, "more"));
    json_decref(reply);
    close(fd);
    close_commanded(&c);
}

static void test_what_makes_no_sense_is_refused_and_the_client_stays(void **state)
{
    static char words[] = "a a a a a a a a a a a a a a a a a", too_long[5000];
    const struct {
        const char *request;
        size_t len;
        const char *words;
    } cases[] = {
        {"dance", 5, "no such request: \"dance\"; there are: status, "},
        {"status now", 10, "expected: status"},
        {"binding", 7, "no such request"},
        {"binding add a", 13, "expected: binding add AOR CONTACT [SECONDS]"},
        {" ", 1, "1 to 16 words"},
        {"\n", 1, "1 to 16 words"},
        {"\0", 1, "printable"},
        {"log\tinfo", 8, "printable"},
        {"st\x7ftus", 6, "printable"},
        {words, sizeof(words) - 1, "1 to 16 words"},
        {too_long, sizeof(too_long), "at most 4096 bytes"},
        {"log loud", 8, "no level"},
        {"drain deadline=0", 16, "expected deadline=SECONDS"},
        {"drain deadline=", 15, "expected deadline=SECONDS"},
        {"drain until=5", 13, "expected deadline=SECONDS"},
        {"drain redirect=a..b:x", 21, "is no HOST"},
        {"registrations \xff\xfe", 16, "no location table"}, // there is no policy to know its domains by
        {"policy x", 8, "expected: policy [routes]"},
        {"reload", 6, "nothing to reload"},
        {"user add a,b,c", 14, "neither an [auth] nor [store]"},
        {"user import x", 13, "neither an [auth] nor [store]"},
        {"user list", 9, "cannot be listed"},
    };
    struct commanded c;

    (void)state;
    memset(too_long, 'a', sizeof(too_long));
    open_commanded(&c, NULL);
    int fd = greet(&c);
    for (unsigned i = 0; i < RTE_DIM(cases); i++)
        assert_refused(&c, fd, cases[i].request, cases[i].len, cases[i].words);
    assert_int_equal(counters(&c)->requests, RTE_DIM(cases));
    json_decref(assert_taken(&c, fd, "status"));
    close(fd);
    close_commanded(&c);
}

static json_t *gather(struct commanded *c, int fd, const char *request, unsigned *pages)
{
    json_t *rows = json_array(), *reply = assert_taken(c, fd, request);

    for (*pages = 1;; ++*pages) {
        bool more = json_is_true(json_object_get(reply, "more"));
        json_array_extend(rows, json_object_get(reply, "rows"));
        json_decref(reply);
        if (!more)
            return rows;
        reply = hear(c, fd);
        assert_true(json_is_true(json_object_get(reply, "ok")));
    }
}

static void test_what_does_not_fit_a_page_goes_on_in_the_next(void **state)
{
    char *printed = NULL, *rest = NULL;
    struct commanded c;
    unsigned pages;
    size_t len, i = 0;

    (void)state;
    open_commanded(&c, NULL);
    int fd = greet(&c);
    json_t *rows = gather(&c, fd, "policy routes", &pages);
    assert_true(pages > 1);
    FILE *out = open_memstream(&printed, &len);
    conf_print_routes(c.scene.conf, out);
    fclose(out);
    for (char *line = strtok_r(printed, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        assert_string_equal(json_string_value(json_array_get(rows, i++)), line);
    assert_int_equal(json_array_size(rows), i);
    json_decref(rows);
    free(printed);
    close(fd);
    close_commanded(&c);
}

static void put(const struct commanded *c, const char *aor, struct slice contact)
{
    const struct location_binding binding = {.contact = contact,
                                             .call_id = SLICE("id\"\\\x01\xff"),
                                             .path = {"", 0},
                                             .expires_ms = fixture_ms() + 60000,
                                             .q = 1000};

    assert_int_equal(location_put(c->location, location_key(c->location, slice_text(aor)), slice_text(aor),
                                  &binding, 1, fixture_ms()),
                     0);
}

static void test_every_registration_comes_once_whatever_its_bytes(void **state)
{
    static char wide[8000];
    bool seen[AORS] = {false};
    struct commanded c;
    char aor[64];
    unsigned pages, number;
    const json_t *row;
    size_t i;

    (void)state;
    open_commanded(&c, NULL);
    for (unsigned n = 0; n < AORS; n++) {
        snprintf(aor, sizeof(aor), "u%u@example.com", n);
        put(&c, aor, SLICE("sip:\"\\\x02\xc3(@192.0.2.1"));
    }
    memset(wide, 1, sizeof(wide)); // each byte is written as six
    put(&c, "u0@example.com", slice_of(wide, sizeof(wide)));
    int fd = greet(&c);
    json_t *rows = gather(&c, fd, "registrations", &pages);
    assert_true(pages > 2);
    assert_int_equal(json_array_size(rows), AORS);
    json_array_foreach(rows, i, row)
    {
        assert_int_equal(sscanf(json_string_value(json_object_get(row, "aor")), "u%u@", &number), 1);
        assert_in_range(number, 0, AORS - 1);
        assert_false(seen[number]);
        seen[number] = true;
        assert_in_range(json_integer_value(json_object_get(row, "expires_s")), 50, 60);
    }
    json_decref(rows);
    close(fd);
    close_commanded(&c);
}

static void test_the_socket_is_for_its_owner_and_group_alone(void **state)
{
    struct commanded c;
    struct stat file;

    (void)state;
    open_commanded(&c, "daemon");
    assert_int_equal(lstat(c.path, &file), 0);
    assert_true(S_ISSOCK(file.st_mode));
    assert_int_equal(file.st_mode & 07777, 0660);
    assert_int_equal(file.st_uid, geteuid());
    assert_int_equal(file.st_gid, getgrnam("daemon")->gr_gid);
    close_commanded(&c);
}

// A process of nobody's, with these groups: 0 when it was greeted, 1 when it was turned away, 2 when the kernel did not
// even let it connect.
static int try_as_nobody(struct commanded *c, const gid_t *groups, size_t groups_n)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        struct sockaddr_un name = {.sun_family = AF_UNIX};
        char bytes[4096];
        memcpy(name.sun_path, c->path, strlen(c->path));
        if (setgroups(groups_n, groups) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
            setresuid(NOBODY, NOBODY, NOBODY) != 0)
            _exit(3);
        int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        if (connect(fd, (struct sockaddr *)&name, sizeof(name)) != 0)
            _exit(2);
        ssize_t len = recv(fd, bytes, sizeof(bytes) - 1, 0);
        bytes[len > 0 ? len : 0] = 0;
        _exit(strstr(bytes, "\"server\"") != NULL ? 0 : 1);
    }
    while (waitpid(child, &status, WNOHANG) == 0)
        assert_int_equal(control_turn(c->scene.control), 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_members_of_the_group_may_and_strangers_may_not(void **state)
{
    struct commanded c;

    (void)state;
    open_commanded(&c, "daemon");
    gid_t groups[] = {getgrnam("daemon")->gr_gid};
    assert_int_equal(try_as_nobody(&c, groups, 1), 0);
    assert_int_equal(try_as_nobody(&c, NULL, 0), 2);
    assert_int_equal(chmod(c.path, 0666), 0); // as if somebody had been careless
    assert_int_equal(try_as_nobody(&c, NULL, 0), 1);
    assert_int_equal(counters(&c)->denied, 1);
    assert_int_equal(counters(&c)->accepted, 1);
    close_commanded(&c);
}

static void test_a_group_that_is_not_there_is_refused(void **state)
{
    struct commanded c;

    (void)state;
    prepare(&c, "no_such_group");
    assert_int_equal(control_create(&c.scene.control, &c.scene.setup), -ENOENT);
    c.scene.control = NULL;
    close_commanded(&c);
}

static int listen_at(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    memcpy(name.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void test_only_a_file_that_nobody_listens_at_is_replaced(void **state)
{
    struct commanded c;

    (void)state;
    prepare(&c, NULL);
    int other = listen_at(c.path);
    assert_int_equal(control_create(&c.scene.control, &c.scene.setup), -EADDRINUSE);
    assert_int_equal(access(c.path, F_OK), 0);
    close(other); // as one that was killed leaves it
    assert_int_equal(control_create(&c.scene.control, &c.scene.setup), 0);
    close(greet(&c));
    control_destroy(c.scene.control);
    c.scene.control = NULL;
    int fd = open(c.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "mine", 4), 4);
    close(fd);
    assert_int_equal(control_create(&c.scene.control, &c.scene.setup), -EADDRINUSE);
    assert_int_equal(access(c.path, F_OK), 0);
    unlink(c.path);
    c.scene.control = NULL;
    close_commanded(&c);
}

static void test_more_clients_than_there_may_be_are_told_so(void **state)
{
    struct commanded c;
    int fds[CONTROL_CLIENTS_MAX];

    (void)state;
    open_commanded(&c, NULL);
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
        fds[i] = greet(&c);
    int late = connect_to(c.path);
    json_t *reply = hear(&c, late);
    assert_non_null(strstr(json_string_value(json_object_get(reply, "error")), "too many clients"));
    json_decref(reply);
    assert_null(hear(&c, late));
    close(late);
    assert_int_equal(counters(&c)->busy, 1);
    close(fds[3]);
    for (unsigned i = 0; i < 20; i++)
        control_turn(c.scene.control);
    fds[3] = greet(&c);
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
        close(fds[i]);
    close_commanded(&c);
}

static bool one_was_cut_off(const struct scene *scene)
{
    return control_commands_counters(scene->control->commands)->cut_off == 1;
}

static void test_who_takes_no_replies_is_cut_off_and_holds_nobody_up(void **state)
{
    struct commanded c;

    (void)state;
    open_commanded(&c, NULL);
    int slow = greet(&c);
    for (unsigned i = 0; i < 200; i++) {
        if (send(slow, "policy", 6, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            break;
        control_turn(c.scene.control);
    }
    int quick = greet(&c);
    json_decref(assert_taken(&c, quick, "status"));
    assert_true(scene_turn_until(&c.scene, one_was_cut_off, CONTROL_SLOW_MS + 3000));
    json_decref(assert_taken(&c, quick, "status"));
    close(quick);
    close(slow);
    close_commanded(&c);
}

static unsigned open_files(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

// More than a client should send along; none of them stays.
static void test_files_that_come_along_are_closed(void **state)
{
    struct commanded c;
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(3 * sizeof(int))];
    } beside = {.head = {CMSG_LEN(3 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    const int files[3] = {0, 1, 2};
    struct iovec bytes = {(char *)(uintptr_t) "status", 6};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &beside};

    (void)state;
    open_commanded(&c, NULL);
    int fd = greet(&c);
    unsigned before = open_files();
    memcpy(CMSG_DATA(&beside.head), files, sizeof(files));
    for (unsigned n = 1; n <= 3; n++) {
        beside.head.cmsg_len = CMSG_LEN(n * sizeof(int));
        message.msg_controllen = CMSG_SPACE(n * sizeof(int));
        assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), 6);
        json_decref(hear(&c, fd));
        assert_int_equal(open_files(), before);
    }
    close(fd);
    close_commanded(&c);
}

static bool has_stopped(const struct scene *scene)
{
    return scene->stops == 1 && atomic_load(&scene->control->stopping);
}

static void test_drain_reaches_the_workers_and_ends_the_loop_when_idle(void **state)
{
    struct commanded c;

    (void)state;
    open_commanded(&c, NULL);
    int fd = greet(&c);
    // A worker that has not passed a turn: nothing ends before it knows.
    assert_int_equal(rte_rcu_qsbr_thread_register(c.qsbr, 0), 0);
    rte_rcu_qsbr_thread_online(c.qsbr, 0);
    json_t *reply = assert_taken(&c, fd, "drain redirect=sip2.example.com:5070 deadline=3600");
    assert_string_equal(json_string_value(json_object_get(reply, "state")), "draining");
    assert_string_equal(json_string_value(json_object_get(reply, "redirect")), "sip2.example.com:5070");
    assert_in_range(json_integer_value(json_object_get(reply, "deadline_s")), 3590, 3600);
    json_decref(reply);
    const struct role_drain *order = c.scene.worker->drain;
    assert_non_null(order);
    assert_memory_equal(order->peer, "sip2.example.com:5070", order->peer_len);
    assert_refused(&c, fd, "drain", 5, "try again");
    rte_rcu_qsbr_quiescent(c.qsbr, 0);
    json_decref(assert_taken(&c, fd, "undrain"));
    assert_null(c.scene.worker->drain);
    assert_false(scene_turn_until(&c.scene, has_stopped, 200));
    rte_rcu_qsbr_quiescent(c.qsbr, 0);
    json_decref(assert_taken(&c, fd, "drain"));
    assert_int_equal(c.scene.worker->drain->peer_len, 0);
    assert_false(scene_turn_until(&c.scene, has_stopped, 200));
    rte_rcu_qsbr_quiescent(c.qsbr, 0);
    assert_true(scene_turn_until(&c.scene, has_stopped, 2000));
    rte_rcu_qsbr_thread_offline(c.qsbr, 0);
    close(fd);
    close_commanded(&c);
}

static void test_an_answer_that_nobody_waits_for_is_freed(void **state)
{
    static const char *const answers[] = {
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: "
        "<sip:a@b>;tag=2\r\n"
        "Call-ID: 1234@operator.invalid\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n",
        "SIP/2.0 200 OK\r\nCall-ID: zz zz\r\n\r\n",
        "nonsense",
        "",
    };
    struct commanded c;

    (void)state;
    open_commanded(&c, NULL);
    for (unsigned i = 0; i < RTE_DIM(answers); i++)
        scene_punt(&c.scene, fixture_frame(c.scene.pool, answers[i], strlen(answers[i])), PACKET_ANSWER,
                   NULL);
    while (!rte_ring_empty(c.scene.worker->punt))
        control_turn(c.scene.control);
    close_commanded(&c); // which counts the buffers
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_comes_behind_the_greeting),
        cmocka_unit_test(test_what_makes_no_sense_is_refused_and_the_client_stays),
        cmocka_unit_test(test_what_does_not_fit_a_page_goes_on_in_the_next),
        cmocka_unit_test(test_every_registration_comes_once_whatever_its_bytes),
        cmocka_unit_test(test_the_socket_is_for_its_owner_and_group_alone),
        cmocka_unit_test(test_members_of_the_group_may_and_strangers_may_not),
        cmocka_unit_test(test_a_group_that_is_not_there_is_refused),
        cmocka_unit_test(test_only_a_file_that_nobody_listens_at_is_replaced),
        cmocka_unit_test(test_more_clients_than_there_may_be_are_told_so),
        cmocka_unit_test(test_who_takes_no_replies_is_cut_off_and_holds_nobody_up),
        cmocka_unit_test(test_files_that_come_along_are_closed),
        cmocka_unit_test(test_drain_reaches_the_workers_and_ends_the_loop_when_idle),
        cmocka_unit_test(test_an_answer_that_nobody_waits_for_is_freed),
    };

    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
