#include "command_scene.h"

#include <errno.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const struct hash_key commands_key = {5, 6};

static struct conf *make_conf(const struct commanded *c, const char *group)
{
    char *text = malloc(64 * 1024);

    assert_non_null(text);
    int len = sprintf(text,
                      "[network]\nroute_max = 1024\nneighbour_max = 64\nresolve_queue_max = 4\n"
                      "[port p]\ndevice = net_null0\ntwin = sip0\n[listener l]\naddress = 198.18.0.1:5060\n"
                      "port = p\n[domain example.com]\n[control]\nsocket = %s\n%s%s\n",
                      c->path, group != NULL ? "group = " : "", group != NULL ? group : "");
    for (unsigned i = 0; i < COMMANDS_ROUTES; i++)
        len += sprintf(text + len, "[route r%u]\nuser = +%03u*\naction = reject\ncode = 603\n", i, i);
    struct conf *conf = conf_parse(text, (size_t)len, "commands", stderr);
    assert_non_null(conf);
    free(text);
    return conf;
}

void commands_prepare(struct commanded *c, const char *group)
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
    assert_int_equal(location_create(&c->location, &limits, &commands_key, c->qsbr, &memory_system), 0);
    c->scene.setup.qsbr = c->qsbr;
    c->scene.setup.location = c->location;
}

void commands_open(struct commanded *c, const char *group)
{
    commands_prepare(c, group);
    assert_int_equal(control_create(&c->scene.control, &c->scene.setup), 0);
}

void commands_close(struct commanded *c)
{
    control_destroy(c->scene.control);
    c->scene.control = NULL;
    assert_int_equal(access(c->path, F_OK), -1); // it took its file away
    location_destroy(c->location);
    rte_free(c->qsbr);
    scene_close(&c->scene);
}

const struct control_commands_counters *commands_counters(const struct commanded *c)
{
    return control_commands_counters(c->scene.control->commands);
}

int commands_connect(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    memcpy(name.sun_path, path, strlen(path));
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

// What comes next, as JSON; NULL: the server closed it.
json_t *commands_hear(struct commanded *c, int fd)
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

int commands_greet(struct commanded *c)
{
    int fd = commands_connect(c->path);
    json_t *hello = commands_hear(c, fd);

    assert_string_equal(json_string_value(json_object_get(hello, "server")), "strowger");
    assert_int_equal(json_integer_value(json_object_get(hello, "pid")), getpid());
    json_decref(hello);
    return fd;
}

json_t *commands_ask(struct commanded *c, int fd, const char *request, size_t len)
{
    assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), len);
    return commands_hear(c, fd);
}

void commands_refuse(struct commanded *c, int fd, const char *request, size_t len, const char *words)
{
    json_t *reply = commands_ask(c, fd, request, len);
    const char *error = json_string_value(json_object_get(reply, "error"));

    assert_true(json_is_false(json_object_get(reply, "ok")));
    if (error == NULL || strstr(error, words) == NULL)
        fail_msg("no \"%s\" in: %s", words, error);
    json_decref(reply);
}

json_t *commands_take(struct commanded *c, int fd, const char *request)
{
    json_t *reply = commands_ask(c, fd, request, strlen(request));

    if (!json_is_true(json_object_get(reply, "ok")))
        fail_msg("%s: %s", request, json_string_value(json_object_get(reply, "error")));
    return reply;
}
