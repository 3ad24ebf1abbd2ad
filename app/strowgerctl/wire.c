#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl.h"

#define REQUEST_MAX 4096
#define REPLY_MAX   (256 * 1024)
#define WAIT_S      15
#define RELOAD_S    620 // the server gives up before
#define PATTERN     "/var/run/dpdk/*/dpdk_telemetry.v2"
#define PREFIXED    "/var/run/dpdk/%s/dpdk_telemetry.v2"
#define PROBE       "/strowger/control"

enum ctl_status ctl_fail(const char *format, ...)
{
    va_list arguments;

    fputs("strowgerctl: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return CTL_FAILED;
}

// A descriptor or -errno.
static int connect_to(const char *path, time_t seconds)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = seconds};
    int fd;

    if (strlen(path) >= sizeof(name.sun_path))
        return -ENAMETOOLONG;
    memcpy(name.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

// One packet as JSON; NULL: none came, and errno says why, or it is none.
static json_t *receive(int fd)
{
    char *bytes = malloc(REPLY_MAX);
    json_error_t error;
    json_t *json = NULL;

    ssize_t len = bytes == NULL ? -1 : recv(fd, bytes, REPLY_MAX, MSG_TRUNC);
    if (len > 0 && len <= REPLY_MAX)
        json = json_loadb(bytes, (size_t)len, JSON_ALLOW_NUL, &error);
    else if (len == 0)
        errno = ECONNRESET;
    if (json == NULL && len > 0)
        errno = EPROTO;
    free(bytes);
    return json;
}

static const char *control_path(const struct ctl *ctl)
{
    return ctl->socket != NULL ? ctl->socket : CTL_SOCKET;
}

static enum ctl_status say_no_server(const struct ctl *ctl, int error)
{
    const char *remedy;

    switch (error) {
    case EACCES:
        remedy = "only root and the members of [control] group may use it";
        break;
    case ENOENT:
    case ECONNREFUSED:
        remedy = "is strowger running, with this path as [control] socket? Else give --socket PATH";
        break;
    default:
        remedy = "is strowger well? See its log";
    }
    return ctl_fail("no server at %s: %s; %s", control_path(ctl), strerror(error), remedy);
}

// Connects and hears the greeting. 0 or -errno; -EPERM: it was said.
static int open_control(struct ctl *ctl)
{
    bool reload = ctl->words != NULL && strcmp(ctl->words[-1], "reload") == 0;
    const json_t *error;

    if (ctl->control >= 0)
        return 0;
    ctl->control = connect_to(control_path(ctl), reload ? RELOAD_S : WAIT_S);
    if (ctl->control < 0)
        return ctl->control;
    ctl->hello = receive(ctl->control);
    if (ctl->hello == NULL)
        return -errno;
    if ((error = json_object_get(ctl->hello, "error")) != NULL) {
        ctl_fail("%s: %s", control_path(ctl), json_string_value(error));
        return -EPERM;
    }
    return 0;
}

// False: errno says why.
static bool send_request(int fd, const char *request, int file)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } beside = {
        .head = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec bytes = {(void *)(uintptr_t)request, strlen(request)};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};

    if (file >= 0) {
        memcpy(CMSG_DATA(&beside.head), &file, sizeof(file));
        message.msg_control = &beside;
        message.msg_controllen = sizeof(beside);
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL) >= 0;
}

enum ctl_status ctl_ask(struct ctl *ctl, const char *request, bool (*each)(void *owner, const json_t *reply),
                        void *owner)
{
    return ctl_ask_with(ctl, request, -1, each, owner);
}

enum ctl_status ctl_ask_with(struct ctl *ctl, const char *request, int file,
                             bool (*each)(void *owner, const json_t *reply), void *owner)
{
    int error = open_control(ctl);
    bool more = true;

    if (error == -EPERM)
        return CTL_FAILED;
    if (error != 0)
        return say_no_server(ctl, -error);
    if (!send_request(ctl->control, request, file))
        return ctl_fail("%s: %s", control_path(ctl), strerror(errno));
    while (more) {
        json_t *reply = receive(ctl->control);
        if (reply == NULL)
            return ctl_fail("%s: no answer: %s", control_path(ctl), strerror(errno));
        if (!json_is_true(json_object_get(reply, "ok"))) {
            const char *why = json_string_value(json_object_get(reply, "error"));
            ctl_fail("%s",
                     why != NULL ? why : "the server speaks another language; is it of another version?");
            json_decref(reply);
            return CTL_FAILED;
        }
        more = each(owner, reply) && json_is_true(json_object_get(reply, "more"));
        json_decref(reply);
    }
    return CTL_DONE;
}

enum ctl_status ctl_ask_file(struct ctl *ctl, const char *command, const char *path,
                             bool (*each)(void *owner, const json_t *reply), void *owner)
{
    const char *slash = strrchr(path, '/');
    int file = open(path, O_RDONLY | O_CLOEXEC);
    char request[REQUEST_MAX];

    if (file < 0)
        return ctl_fail("%s: %s", path, strerror(errno));
    snprintf(request, sizeof(request), "%s %s", command, slash != NULL && slash[1] != 0 ? slash + 1 : path);
    enum ctl_status status = ctl_ask_with(ctl, request, file, each, owner);
    close(file);
    return status;
}

static json_t *ask_at(int fd, const char *command)
{
    size_t len = strcspn(command, ",");

    if (send(fd, command, strlen(command), MSG_NOSIGNAL) < 0)
        return NULL;
    json_t *reply = receive(fd);
    json_t *answer = NULL;
    if (reply != NULL) {
        char *key = strndup(command, len);
        answer = key == NULL ? NULL : json_incref(json_object_get(reply, key));
        free(key);
        json_decref(reply);
    }
    return answer;
}

// A descriptor of a telemetry socket behind its greeting, or -errno.
static int open_at(const char *path)
{
    int fd = connect_to(path, WAIT_S);
    json_t *hello = fd < 0 ? NULL : receive(fd);

    if (fd < 0)
        return fd;
    if (hello == NULL) {
        close(fd);
        return -EPROTO;
    }
    json_decref(hello);
    return fd;
}

// The first DPDK program of this machine that is a strowger.
static int open_any(void)
{
    glob_t found = {0};
    int fd = -ENOENT;

    if (glob(PATTERN, 0, NULL, &found) != 0)
        return fd;
    for (size_t i = 0; i < found.gl_pathc && fd < 0; i++) {
        int one = open_at(found.gl_pathv[i]);
        json_t *answer = one < 0 ? NULL : ask_at(one, PROBE);
        fd = json_is_object(answer) ? one : one < 0 ? one : -ENOENT;
        if (one >= 0 && fd < 0)
            close(one);
        json_decref(answer);
    }
    globfree(&found);
    return fd;
}

static int open_telemetry(struct ctl *ctl)
{
    char path[256];

    if (ctl->prefix != NULL) {
        snprintf(path, sizeof(path), PREFIXED, ctl->prefix);
        return open_at(path);
    }
    int error = open_control(ctl);
    if (error == 0)
        return open_at(json_string_value(json_object_get(ctl->hello, "telemetry")));
    if (ctl->socket != NULL || error == -EPERM)
        return error;
    return open_any();
}

json_t *ctl_telemetry(struct ctl *ctl, const char *command)
{
    if (ctl->telemetry < 0)
        ctl->telemetry = open_telemetry(ctl);
    if (ctl->telemetry < 0) {
        if (ctl->telemetry != -EPERM)
            ctl_fail(
                "no server's telemetry: %s; is strowger running, and may you read its counters (they are its "
                "own user's)? Give --socket PATH or --prefix PREFIX where it was started with others",
                strerror(-ctl->telemetry));
        return NULL;
    }
    json_t *answer = ask_at(ctl->telemetry, command);
    if (answer == NULL)
        ctl_fail("no answer to %s: %s", command, strerror(errno));
    return answer;
}

void ctl_close(struct ctl *ctl)
{
    if (ctl->control >= 0)
        close(ctl->control);
    if (ctl->telemetry >= 0)
        close(ctl->telemetry);
    json_decref(ctl->hello);
}
