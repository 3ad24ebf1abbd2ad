// What a TLS connection costs that says nothing: idle [CONNECTIONS], of each version of TLS.
//
// A process of its own has the peers. Each connection shakes hands, many at a time, takes a message and answers it, and
// then is quiet. User memory is what this process has grown by, to the last page. Kernel memory is what slabs of sockets
// have grown by, half of it, for both ends are here; only root can read it, and for others it is 0.
//
// Fails where one costs more than LIMIT; sanitizers keep books of their own, and nothing fails under them.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

#define LIMIT       (24 * 1024)
#define BATCH       64  // that shake hands at a time
#define WARMTH      128 // connections before the first look: what is needed once is there then
#define MESSAGE     600 // bytes
#define USUAL       300
#define CONNECTIONS 100000

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static long resident(void)
{
    long pages = 0;
    FILE *in = fopen("/proc/self/statm", "r");

    assert_non_null(in);
    assert_int_equal(fscanf(in, "%*s %ld", &pages), 1);
    fclose(in);
    return pages * sysconf(_SC_PAGESIZE);
}

// Of both ends of all connections; what one end alone has is counted as much for the other.
static long slabs(void)
{
    static const char *const caches[] = {"TCP",    "sock_inode_cache", "filp",
                                         "dentry", "eventpoll_epi",    "eventpoll_pwq"};
    char line[512], name[64];
    long active, bytes, sum = 0;
    FILE *in = fopen("/proc/slabinfo", "r");

    while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
        if (sscanf(line, "%63s %ld %*s %ld", name, &active, &bytes) != 3)
            continue;
        for (unsigned i = 0; i < sizeof(caches) / sizeof(caches[0]); i++)
            sum += strcmp(name, caches[i]) == 0 ? active * bytes : 0;
    }
    if (in != NULL)
        fclose(in);
    return sum;
}

struct peer {
    int fd;
    SSL *session;
};

static void greet(struct peer *peer, SSL_CTX *context, const struct sockaddr_in *server)
{
    peer->fd = socket(AF_INET, SOCK_STREAM, 0);
    peer->session = SSL_new(context);
    if (connect(peer->fd, (const struct sockaddr *)server, sizeof(*server)) != 0 ||
        SSL_set_fd(peer->session, peer->fd) != 1 || fcntl(peer->fd, F_SETFL, O_NONBLOCK) != 0)
        _exit(1);
    (void)SSL_connect(peer->session); // as far as it goes
    if (fcntl(peer->fd, F_SETFL, 0) != 0)
        _exit(1);
}

static void speak(const struct peer *peer)
{
    char message[MESSAGE] = {'R'};

    if (SSL_connect(peer->session) != 1 ||
        SSL_write(peer->session, message, sizeof(message)) != sizeof(message))
        _exit(1);
}

static void hear(const struct peer *peer, int loop)
{
    struct epoll_event event = {.events = EPOLLIN};
    char message[MESSAGE];
    size_t got;

    for (size_t all = 0; all < sizeof(message); all += got) {
        if (SSL_read_ex(peer->session, message, sizeof(message), &got) != 1)
            _exit(1);
    }
    epoll_ctl(loop, EPOLL_CTL_ADD, peer->fd, &event); // so that both ends cost the same
}

// The peers: as many as there are bytes in an order, all at once.
static _Noreturn void be_client(const struct sockaddr_in *server, int version, int orders)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); // it ends with whoever gives the orders
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int loop = epoll_create1(0);
    char order[BATCH];
    struct peer peers[BATCH];
    ssize_t n;

    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    while ((n = read(orders, order, sizeof(order))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            greet(&peers[i], context, server);
        for (ssize_t i = 0; i < n; i++)
            speak(&peers[i]);
        for (ssize_t i = 0; i < n; i++)
            hear(&peers[i], loop);
    }
    _exit(0);
}

static int listening(struct sockaddr_in *address)
{
    socklen_t len = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof(*address)), 0);
    assert_int_equal(listen(fd, BATCH), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
    return fd;
}

static void answer(struct connection *connection, int loop)
{
    static char message[4096];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    int got;

    assert_int_equal(epoll_ctl(loop, EPOLL_CTL_ADD, connection->fd, &event), 0);
    while ((got = stream_tls_read(connection, message, sizeof(message))) == -EAGAIN)
        assert_int_equal(poll(&(struct pollfd){.fd = connection->fd, .events = POLLIN}, 1, SCENE_PATIENCE_MS),
                         1);
    assert_int_equal(got, MESSAGE);
    assert_int_equal(stream_tls_write(connection, message, MESSAGE), MESSAGE);
    assert_int_equal(stream_tls_read(connection, message, sizeof(message)), -EAGAIN);
}

// Up to BATCH at a time.
static void take(struct scene *scene, struct connection *connections, unsigned n, int listener, int loop)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, SCENE_PATIENCE_MS), 1);
        connections[i].fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        assert_true(connections[i].fd >= 0);
        assert_non_null(stream_handshake_begin(scene->handshakes, scene->tls, &connections[i]));
    }
    for (unsigned i = 0; i < n; i++) {
        struct handshake_end end = scene_wait(scene);

        assert_non_null(end.session);
        end.connection->tls = end.session;
        answer(end.connection, loop);
    }
}

static void order(struct scene *scene, struct connection *connections, unsigned n, int orders, int listener,
                  int loop)
{
    static const char bytes[BATCH];

    for (unsigned done = 0, batch; done < n; done += batch) {
        batch = n - done < BATCH ? n - done : BATCH;
        assert_int_equal(write(orders, bytes, batch), batch);
        take(scene, &connections[done], batch, listener, loop);
    }
}

static bool measure(struct scene *scene, const char *what, int version, unsigned n)
{
    // The peers are forked before there are threads: one of them might hold a lock that the child then waits for.
    struct connection *connections = calloc(WARMTH + n, sizeof(*connections));
    struct sockaddr_in address;
    int orders[2], status, listener = listening(&address), loop = epoll_create1(EPOLL_CLOEXEC);

    assert_non_null(connections);
    assert_int_equal(pipe(orders), 0);
    pid_t client = fork();
    if (client == 0) {
        close(orders[1]);
        be_client(&address, version, orders[0]);
    }
    close(orders[0]);
    scene_begin(scene, 2);

    order(scene, connections, WARMTH, orders[1], listener, loop);
    long user = resident(), kernel = slabs();
    order(scene, &connections[WARMTH], n, orders[1], listener, loop);
    user = (resident() - user) / n;
    kernel = (slabs() - kernel) / 2 / n;
    printf("%s: %u idle connections: %ld bytes of user memory and %ld of kernel memory each\n", what, n, user,
           kernel);

    for (unsigned i = 0; i < WARMTH + n; i++)
        scene_connection_free(&connections[i]);
    close(orders[1]);
    close(listener);
    close(loop);
    free(connections);
    assert_int_equal(waitpid(client, &status, 0), client);
    assert_int_equal(status, 0);
    scene_end(scene);
    return SANITIZED || user + kernel <= LIMIT;
}

// In a process of its own, which has nothing left over from another.
static bool measure_apart(const char *what, int version, unsigned n)
{
    static struct scene scene;
    int status;

    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        exit(measure(&scene, what, version, n) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status == 0;
}

int main(int argc, char **argv)
{
    struct rlimit files = {0};
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : USUAL;

    if (n < 1 || n > CONNECTIONS) {
        fprintf(stderr, "usage: idle [CONNECTIONS]\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    bool good = measure_apart("TLS 1.2", TLS1_2_VERSION, (unsigned)n);
    good = measure_apart("TLS 1.3", TLS1_3_VERSION, (unsigned)n) && good;
    return good ? 0 : 1;
}
