// The socket of operators' commands: who may, whose file it is, and clients that mean no good.
#include "command_scene.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static void test_the_socket_is_for_its_owner_and_group_alone(void **state)
{
    struct commanded c;
    struct stat file;

    (void)state;
    commands_open(&c, "daemon");
    assert_int_equal(lstat(c.path, &file), 0);
    assert_true(S_ISSOCK(file.st_mode));
    assert_int_equal(file.st_mode & 07777, 0660);
    assert_int_equal(file.st_uid, geteuid());
    assert_int_equal(file.st_gid, getgrnam("daemon")->gr_gid);
    commands_close(&c);
}

// A process of nobody's, with these groups: 0 when it was greeted, 1 when it was turned away, 2 when the kernel did not
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
    commands_open(&c, "daemon");
    gid_t groups[] = {getgrnam("daemon")->gr_gid};
    assert_int_equal(try_as_nobody(&c, groups, 1), 0);
    assert_int_equal(try_as_nobody(&c, NULL, 0), 2);
    assert_int_equal(chmod(c.path, 0666), 0); // as if somebody had been careless
    assert_int_equal(try_as_nobody(&c, NULL, 0), 1);
    assert_int_equal(commands_counters(&c)->denied, 1);
    assert_int_equal(commands_counters(&c)->accepted, 1);
    commands_close(&c);
}

static void test_a_group_that_is_not_there_is_refused(void **state)
{
    struct commanded c;

    (void)state;
    commands_prepare(&c, "no_such_group");
    assert_int_equal(control_create(&c.scene.control, &c.scene.setup), -ENOENT);
    c.scene.control = NULL;
    commands_close(&c);
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
    commands_prepare(&c, NULL);
    int other = listen_at(c.path);
    assert_int_equal(control_create(&c.scene.control, &c.scene.setup), -EADDRINUSE);
    assert_int_equal(access(c.path, F_OK), 0);
    close(other); // as one that was killed leaves it
    assert_int_equal(control_create(&c.scene.control, &c.scene.setup), 0);
    close(commands_greet(&c));
    control_destroy(c.scene.control);
    c.scene.control = NULL;
    int fd = open(c.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "mine", 4), 4);
    close(fd);
    assert_int_equal(control_create(&c.scene.control, &c.scene.setup), -EADDRINUSE);
    assert_int_equal(access(c.path, F_OK), 0);
    unlink(c.path);
    c.scene.control = NULL;
    commands_close(&c);
}

static void test_more_clients_than_there_may_be_are_told_so(void **state)
{
    struct commanded c;
    int fds[CONTROL_CLIENTS_MAX];

    (void)state;
    commands_open(&c, NULL);
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
        fds[i] = commands_greet(&c);
    int late = commands_connect(c.path);
    json_t *reply = commands_hear(&c, late);
    assert_non_null(strstr(json_string_value(json_object_get(reply, "error")), "too many clients"));
    json_decref(reply);
    assert_null(commands_hear(&c, late));
    close(late);
    assert_int_equal(commands_counters(&c)->busy, 1);
    close(fds[3]);
    for (unsigned i = 0; i < 20; i++)
        control_turn(c.scene.control);
    fds[3] = commands_greet(&c);
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
        close(fds[i]);
    commands_close(&c);
}

static bool one_was_cut_off(const struct scene *scene)
{
    return control_commands_counters(scene->control->commands)->cut_off == 1;
}

static void test_who_takes_no_replies_is_cut_off_and_holds_nobody_up(void **state)
{
    struct commanded c;

    (void)state;
    commands_open(&c, NULL);
    int slow = commands_greet(&c);
    for (unsigned i = 0; i < 200; i++) {
        if (send(slow, "policy", 6, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            break;
        control_turn(c.scene.control);
    }
    int quick = commands_greet(&c);
    json_decref(commands_take(&c, quick, "status"));
    assert_true(scene_turn_until(&c.scene, one_was_cut_off, CONTROL_SLOW_MS + 3000));
    json_decref(commands_take(&c, quick, "status"));
    close(quick);
    close(slow);
    commands_close(&c);
}

static unsigned open_files(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

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
    commands_open(&c, NULL);
    int fd = commands_greet(&c);
    unsigned before = open_files();
    memcpy(CMSG_DATA(&beside.head), files, sizeof(files));
    for (unsigned n = 1; n <= 3; n++) {
        beside.head.cmsg_len = CMSG_LEN(n * sizeof(int));
        message.msg_controllen = CMSG_SPACE(n * sizeof(int));
        assert_int_equal(sendmsg(fd, &message, MSG_NOSIGNAL), 6);
        json_decref(commands_hear(&c, fd));
        assert_int_equal(open_files(), before);
    }
    close(fd);
    commands_close(&c);
}

static void *no_take(void *owner, size_t bytes, int node)
{
    (void)owner, (void)bytes, (void)node;
    return NULL;
}

static void test_without_memory_there_is_no_socket(void **state)
{
    const struct memory none = {no_take, memory_system.give, NULL};
    struct control_commands *commands;
    struct commanded c;

    (void)state;
    commands_prepare(&c, NULL);
    struct control control = {.setup = c.scene.setup};
    control.setup.memory = &none;
    assert_int_equal(control_commands_open(&commands, &control), -ENOMEM);
    assert_null(commands);
    assert_int_equal(access(c.path, F_OK), -1);
    commands_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_socket_is_for_its_owner_and_group_alone),
        cmocka_unit_test(test_members_of_the_group_may_and_strangers_may_not),
        cmocka_unit_test(test_a_group_that_is_not_there_is_refused),
        cmocka_unit_test(test_only_a_file_that_nobody_listens_at_is_replaced),
        cmocka_unit_test(test_more_clients_than_there_may_be_are_told_so),
        cmocka_unit_test(test_who_takes_no_replies_is_cut_off_and_holds_nobody_up),
        cmocka_unit_test(test_files_that_come_along_are_closed),
        cmocka_unit_test(test_without_memory_there_is_no_socket),
    };

    return cmocka_run_group_tests(tests, fixture_eal, fixture_eal_end);
}
