// command_scene: control with a command socket, a location table of one shard, and clients of that socket.
#ifndef TESTS_CONTROL_COMMAND_SCENE_H
#define TESTS_CONTROL_COMMAND_SCENE_H

#include "scene.h"

#include <jansson.h>

#include "control/command.h"
#include "location/location.h"

#define COMMANDS_ROUTES 200 // rules, so that the policy takes several pages

extern const struct hash_key commands_key; // of the location table

struct commanded {
    struct scene scene; // first: callbacks get it
    char path[64];
    struct rte_rcu_qsbr *qsbr; // of the worker and control
    struct location *location;
};

// `group`: [control] group, or NULL. Opened is prepared, and control made.
void commands_prepare(struct commanded *c, const char *group);
void commands_open(struct commanded *c, const char *group);
void commands_close(struct commanded *c); // the socket's file must be gone by then
const struct control_commands_counters *commands_counters(const struct commanded *c);

int commands_connect(const char *path);
int commands_greet(struct commanded *c); // connected, and greeted
// Turns control until something comes. NULL: it closed the connection.
json_t *commands_hear(struct commanded *c, int fd);
json_t *commands_ask(struct commanded *c, int fd, const char *request, size_t len);
// The first reply, which must say "ok"; or an error with these words in it.
json_t *commands_take(struct commanded *c, int fd, const char *request);
void commands_refuse(struct commanded *c, int fd, const char *request, size_t len, const char *words);

#endif
