#include "control/command_socket.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/log.h"

#define BACKLOG    8
#define MODE       0660
#define GROUPS_MAX 256 // of one process that are looked at; it may have more, which then do not count

static int fail(const struct control_socket *socket, int error, const char *remedy)
{
    CONTROL_LOG(ERR, "[control] socket %s: %s; %s", socket->path, strerror(-error), remedy);
    return error;
}

static bool read_group(struct control_socket *socket, const char *name)
{
    const struct group *group = name == NULL ? NULL : getgrnam(name);

    socket->has_group = group != NULL;
    socket->group = group != NULL ? group->gr_gid : 0;
    return name == NULL || group != NULL;
}

static int attach(const struct control_socket *control, int fd,
                  int (*how)(int fd, const struct sockaddr *address, socklen_t len))
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    memcpy(name.sun_path, control->path, sizeof(name.sun_path));
    return how(fd, (const struct sockaddr *)&name, sizeof(name)) == 0 ? 0 : -errno;
}

// Nobody listens there any more: whoever did was killed.
static bool is_stale(const struct control_socket *control)
{
    struct stat file;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    bool stale = lstat(control->path, &file) == 0 && S_ISSOCK(file.st_mode) &&
                 attach(control, fd, connect) == -ECONNREFUSED;
    close(fd);
    return stale;
}

static int bind_to(struct control_socket *control)
{
    struct stat file;

    // Until it has its owner and mode nobody connects: bind takes the socket's own mode (Linux).
    int error = fchmod(control->fd, S_IRUSR | S_IWUSR) == 0 ? attach(control, control->fd, bind) : -errno;
    if (error == -EADDRINUSE && is_stale(control)) {
        unlink(control->path);
        error = attach(control, control->fd, bind);
    }
    if (error != 0)
        return error;
    if (lstat(control->path, &file) != 0)
        return -errno;
    control->device = file.st_dev;
    control->inode = file.st_ino;
    if (control->has_group && lchown(control->path, (uid_t)-1, control->group) != 0)
        return -errno;
    return chmod(control->path, MODE) == 0 && listen(control->fd, BACKLOG) == 0 ? 0 : -errno;
}

int control_socket_open(struct control_socket *control, const char *path, const char *group)
{
    *control = (struct control_socket){.fd = -1};
    if (strlen(path) >= sizeof(control->path))
        return fail(control, -ENAMETOOLONG, "choose a shorter one");
    memcpy(control->path, path, strlen(path));
    if (!read_group(control, group))
        return fail(control, -ENOENT, "there is no such [control] group: make it, or name another");
    control->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (control->fd < 0)
        return fail(control, -errno, "no socket can be made");
    int error = bind_to(control);
    if (error == 0)
        return 0;
    const char *remedy =
        error == -EADDRINUSE
            ? "another server listens there, or it is no socket: choose another, or stop that"
            : "its folder must be there and writable";
    fail(control, error, remedy);
    control_socket_close(control);
    return error;
}

void control_socket_close(struct control_socket *control)
{
    struct stat file;

    if (control->fd < 0)
        return;
    if (control->inode != 0 && lstat(control->path, &file) == 0 && file.st_dev == control->device &&
        file.st_ino == control->inode)
        unlink(control->path);
    close(control->fd);
    control->fd = -1;
}

static bool is_member(int fd, gid_t group)
{
    gid_t groups[GROUPS_MAX];
    socklen_t len = sizeof(groups);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
        return false;
    for (unsigned i = 0; i < len / sizeof(*groups); i++) {
        if (groups[i] == group)
            return true;
    }
    return false;
}

bool control_socket_admits(const struct control_socket *control, int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return false;
    if (peer.uid == 0 || peer.uid == geteuid())
        return true;
    return control->has_group && (peer.gid == control->group || is_member(fd, control->group));
}
