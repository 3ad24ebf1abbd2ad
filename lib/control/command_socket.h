// command_socket: the Unix socket that operators' clients connect to, and who may.
//
// Internal to control/command.c. Main lcore.
#ifndef CONTROL_COMMAND_SOCKET_H
#define CONTROL_COMMAND_SOCKET_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

struct control_socket {
    int fd; // -1: not open
    gid_t group;
    bool has_group;
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    dev_t device; // of the file that this made, and no other's is removed
    ino_t inode;
};

// Listens at `path`, mode 0660, of the group when there is one (NULL: none). The file of a server that is gone is
// replaced; the folder is the operator's to make. 0, or -errno after a line in the log.
int control_socket_open(struct control_socket *socket, const char *path, const char *group);
void control_socket_close(struct control_socket *socket);

// Whether the process behind a connection may tell the server what to do: root, the server's own user, its group's.
bool control_socket_admits(const struct control_socket *socket, int fd);

#endif
