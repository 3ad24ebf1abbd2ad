#include "control/command.h"

#include <errno.h>
#include <rte_eal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/command_run.h"
#include "control/command_socket.h"
#include "control/log.h"

struct client {
    struct control_commands *commands;
    int fd;                 // -1: none
    struct event *readable; // added while no command is carried out
    struct event *writable; // added while there is something to be sent
    uint64_t since_ms;      // it asked, or took a reply
    bool busy;              // `command` is carried out
    char *unsent;           // a reply that the socket did not take yet
    size_t unsent_len;
    struct control_command command;
    char request[CONTROL_REQUEST_MAX];
};

struct control_commands {
    struct control *control;
    struct control_socket socket;
    struct event *listening;
    struct control_commands_counters counters;
    struct client clients[CONTROL_CLIENTS_MAX];
    char reply[CONTROL_REPLY_MAX];
};

// Nothing of the command is left; a request may have had a password in it.
static void end_command(struct client *client)
{
    if (client->command.text != NULL)
        explicit_bzero(client->command.text, client->command.text_len);
    free(client->command.text);
    control_lists_import_end(&client->command.lists);
    if (client->command.file >= 0)
        close(client->command.file);
    client->command = (struct control_command){.control = client->commands->control, .file = -1};
    explicit_bzero(client->request, sizeof(client->request));
    client->busy = false;
}

static void cut(struct client *client)
{
    event_free(client->readable);
    event_free(client->writable);
    close(client->fd);
    free(client->unsent);
    end_command(client);
    client->readable = client->writable = NULL;
    client->unsent = NULL;
    client->fd = -1;
}

static void cut_off(struct client *client)
{
    client->commands->counters.cut_off++;
    cut(client);
}

// What does not fit into the socket now is kept, and nothing else is done for the client until it fits. False: it is
// gone.
static bool send_reply(struct client *client, struct slice reply)
{
    ssize_t sent = send(client->fd, reply.at, reply.len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent >= 0) {
        client->since_ms = client->commands->control->now_ms;
        return true;
    }
    if (errno == EAGAIN && client->unsent == NULL && (client->unsent = malloc(reply.len)) != NULL) {
        memcpy(client->unsent, reply.at, reply.len);
        client->unsent_len = reply.len;
        event_add(client->writable, NULL);
        return true;
    }
    if (errno == EAGAIN && client->unsent != NULL)
        return true;
    cut_off(client);
    return false;
}

static struct control_json begin_reply(struct control_commands *commands)
{
    struct control_json reply;

    control_json_begin(&reply, commands->reply, sizeof(commands->reply));
    control_json_open(&reply, NULL, '{');
    control_json_bool(&reply, "ok", true);
    return reply;
}

enum control_command_outcome control_command_refuse(struct control_json *reply, const char *format, ...)
{
    char text[4096];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    control_json_begin(reply, reply->start, (size_t)(reply->end - reply->start));
    control_json_open(reply, NULL, '{');
    control_json_bool(reply, "ok", false);
    control_json_text(reply, "error", slice_text(text));
    return CONTROL_COMMAND_DONE;
}

// Sends one reply of the command in hand, and sees to what comes behind it.
static void send_outcome(struct client *client, enum control_command_outcome outcome,
                         struct control_json *reply)
{
    if (outcome == CONTROL_COMMAND_WAIT)
        return;
    if (outcome == CONTROL_COMMAND_MORE)
        control_json_bool(reply, "more", true);
    control_json_close(reply, '}');
    if (reply->full) {
        outcome = control_command_refuse(reply, "the reply does not fit %d bytes", CONTROL_REPLY_MAX);
        control_json_close(reply, '}');
    }
    if (!send_reply(client, control_json_slice(reply)))
        return;
    if (outcome == CONTROL_COMMAND_MORE) {
        event_add(client->writable, NULL); // a page each time the loop comes round
        return;
    }
    end_command(client);
    if (client->unsent == NULL)
        event_add(client->readable, NULL);
}

static void go_on(struct client *client)
{
    struct control_json reply = begin_reply(client->commands);

    send_outcome(client, client->command.next(&client->command, &reply), &reply);
}

// The words between spaces. False: there are none, too many, or bytes that no word has.
static bool split(struct control_command *command, struct slice request)
{
    uint32_t at = 0;

    command->words_n = 0;
    command->rest = request;
    while (at < request.len) {
        uint32_t from = at;
        while (at < request.len && (unsigned char)request.at[at] > ' ' && request.at[at] != 0x7f)
            at++;
        if (at == from && request.at[at++] != ' ')
            return false;
        if (request.at[from] == ' ')
            continue;
        if (command->words_n == CONTROL_WORDS_MAX)
            return false;
        command->words[command->words_n++] = slice_of(request.at + from, at - from);
    }
    return command->words_n > 0;
}

static void carry_out(struct client *client, size_t len)
{
    struct control_json reply = begin_reply(client->commands);
    struct control_command *command = &client->command;
    struct slice request = slice_of(client->request, RTE_MIN(len, sizeof(client->request)));
    enum control_command_outcome outcome = CONTROL_COMMAND_DONE;

    client->commands->counters.requests++;
    client->since_ms = client->commands->control->now_ms;
    client->busy = true;
    event_del(client->readable);
    command->control = client->commands->control;
    while (request.len > 0 && request.at[request.len - 1] == '\n')
        request.len--;
    if (len > sizeof(client->request))
        control_command_refuse(&reply, "a request has at most %d bytes", CONTROL_REQUEST_MAX);
    else if (!split(command, request))
        control_command_refuse(&reply, "a request is 1 to %d words of printable bytes", CONTROL_WORDS_MAX);
    else if (control_command_find(command, &reply))
        outcome = command->next(command, &reply);
    send_outcome(client, outcome, &reply);
}

// A request, and the file that came with it. There is room for one: of more the kernel keeps the others back.
static ssize_t take_request(struct client *client)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } beside;
    struct iovec bytes = {client->request, sizeof(client->request)};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &beside, .msg_controllen = CMSG_LEN(sizeof(int))};

    ssize_t len = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *head = len < 0 ? NULL : CMSG_FIRSTHDR(&message);
    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&client->command.file, CMSG_DATA(head), sizeof(int));
    return len;
}

static void on_request(evutil_socket_t fd, short what, void *argument)
{
    struct client *client = argument;

    (void)fd, (void)what;
    ssize_t len = take_request(client);
    if (len > 0)
        carry_out(client, (size_t)len);
    else if (len == 0 || errno != EAGAIN)
        cut(client);
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
    struct client *client = argument;

    (void)fd, (void)what;
    if (client->unsent != NULL) {
        size_t len = client->unsent_len;
        ssize_t sent = send(client->fd, client->unsent, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            event_add(client->writable, NULL);
            return;
        }
        if (sent < 0) {
            cut_off(client);
            return;
        }
        free(client->unsent);
        client->unsent = NULL;
        client->since_ms = client->commands->control->now_ms;
        if (!client->busy)
            event_add(client->readable, NULL);
    }
    if (client->busy)
        go_on(client);
}

static struct slice hello_of(struct control_commands *commands)
{
    struct control_json hello;
    char path[256];

    snprintf(path, sizeof(path), "%s/dpdk_telemetry.v2", rte_eal_get_runtime_dir());
    control_json_begin(&hello, commands->reply, sizeof(commands->reply));
    control_json_open(&hello, NULL, '{');
    control_json_text(&hello, "server", SLICE("strowger"));
    control_json_number(&hello, "pid", (uint64_t)getpid());
    control_json_number(&hello, "request_max", CONTROL_REQUEST_MAX);
    control_json_text(&hello, "telemetry", slice_text(path));
    control_json_close(&hello, '}');
    return control_json_slice(&hello);
}

// Says why, if that can be said at once, and that is all.
static void turn_away(struct control_commands *commands, int fd, const char *why)
{
    struct control_json reply = begin_reply(commands);

    control_command_refuse(&reply, "%s", why);
    control_json_close(&reply, '}');
    (void)send(fd, reply.start, (size_t)(reply.at - reply.start), MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
}

static struct client *free_client(struct control_commands *commands)
{
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (commands->clients[i].fd < 0)
            return &commands->clients[i];
    }
    return NULL;
}

static void welcome(struct control_commands *commands, struct client *client, int fd)
{
    struct event_base *base = commands->control->base;

    client->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_request, client);
    client->writable = event_new(base, fd, EV_WRITE, on_writable, client);
    if (client->readable == NULL || client->writable == NULL || event_add(client->readable, NULL) != 0) {
        if (client->readable != NULL)
            event_free(client->readable);
        if (client->writable != NULL)
            event_free(client->writable);
        client->readable = client->writable = NULL;
        close(fd);
        return;
    }
    client->fd = fd;
    commands->counters.accepted++;
    (void)send_reply(client, hello_of(commands));
}

static void on_client(evutil_socket_t listening, short what, void *argument)
{
    struct control_commands *commands = argument;
    int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)what;
    if (fd < 0)
        return;
    struct client *client = free_client(commands);
    if (!control_socket_admits(&commands->socket, fd)) {
        commands->counters.denied++;
        turn_away(commands, fd, "not permitted: only root and the members of [control] group may");
    } else if (client == NULL) {
        commands->counters.busy++;
        turn_away(commands, fd, "too many clients: try again in a moment");
    } else {
        welcome(commands, client, fd);
    }
}

void control_commands_tick(struct control_commands *commands)
{
    for (unsigned i = 0; commands != NULL && i < CONTROL_CLIENTS_MAX; i++) {
        struct client *client = &commands->clients[i];
        uint64_t now_ms = commands->control->now_ms;
        bool waits = client->busy && client->command.until_ms != 0;
        bool sends = client->unsent != NULL || (client->busy && !waits);
        if (client->fd < 0)
            continue;
        if (waits && client->unsent == NULL)
            go_on(client);
        else if (now_ms - client->since_ms > (sends ? CONTROL_SLOW_MS : CONTROL_SILENT_MS))
            cut_off(client);
    }
}

void control_commands_hear(struct control_commands *commands, struct rte_mbuf *mbuf)
{
    uint64_t serial = commands == NULL ? 0 : control_command_answered(mbuf);

    for (unsigned i = 0; serial != 0 && i < CONTROL_CLIENTS_MAX; i++) {
        struct client *client = &commands->clients[i];
        if (client->fd < 0 || !client->busy || client->command.serial != serial)
            continue;
        struct control_json reply = begin_reply(commands);
        control_command_hear(mbuf, &reply);
        send_outcome(client, CONTROL_COMMAND_DONE, &reply);
        break;
    }
    rte_pktmbuf_free(mbuf);
}

const struct control_commands_counters *control_commands_counters(const struct control_commands *commands)
{
    return &commands->counters;
}

int control_commands_open(struct control_commands **opened, struct control *control)
{
    const struct control_setup *setup = &control->setup;
    struct control_commands *commands;

    *opened = NULL;
    if (setup->conf->control_socket == NULL)
        return 0;
    commands = setup->memory->take(setup->memory->owner, sizeof(*commands), MEMORY_ANY_NODE);
    if (commands == NULL)
        return -ENOMEM;
    commands->control = control;
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
        commands->clients[i] = (struct client){.commands = commands, .fd = -1, .command.file = -1};
    int error =
        control_socket_open(&commands->socket, setup->conf->control_socket, setup->conf->control_group);
    if (error == 0) {
        commands->listening =
            event_new(control->base, commands->socket.fd, EV_READ | EV_PERSIST, on_client, commands);
        error = commands->listening == NULL || event_add(commands->listening, NULL) != 0 ? -ENOMEM : 0;
    }
    if (error != 0)
        control_commands_close(commands);
    else
        *opened = commands;
    return error;
}

void control_commands_close(struct control_commands *commands)
{
    if (commands == NULL)
        return;
    const struct memory *memory = commands->control->setup.memory;
    for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (commands->clients[i].fd >= 0)
            cut(&commands->clients[i]);
    }
    if (commands->listening != NULL)
        event_free(commands->listening);
    control_socket_close(&commands->socket);
    memory->give(memory->owner, commands, sizeof(*commands));
}
