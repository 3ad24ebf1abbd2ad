#include "control/cdr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/cdr_file.h"
#include "control/cdr_line.h"
#include "control/log.h"

struct control_cdr {
    struct control_cdr_setup setup;
    struct control_cdr_counters counters;
    struct control_cdr_file file;
    bool on;            // there is a file to be written
    unsigned next;      // table that is asked first
    uint64_t now_ms;    // of this turn
    uint64_t retry_ms;  // not before that, after a failure
    uint64_t rotate_ms; // the same, of rotating
    uint64_t look_ms;   // when the file is looked for
    uint64_t log_ms;    // not before that
    // buffer[line … end) is not known to be in the file whole; what lies before `at` is.
    size_t line, at, end;
    char buffer[CONTROL_CDR_BUFFER];
};

static void fail(struct control_cdr *cdr, const char *what, int error)
{
    cdr->counters.failures++;
    if (cdr->now_ms < cdr->log_ms)
        return;
    cdr->log_ms = cdr->now_ms + CONTROL_CDR_LOG_MS;
    CONTROL_LOG(ERR,
                "cannot %s the accounting file %.200s: %s; give it room and rights, or name another in "
                "[cdr], or calls "
                "go without their line",
                what, cdr->file.path, strerror(-error));
}

static int take_path(struct control_cdr_file *file, const struct conf *conf)
{
    int len = snprintf(file->path, sizeof(file->path), "%s", conf->cdr_file);

    file->rotate_at = conf->cdr_rotate;
    file->files = conf->cdr_files;
    return len < (int)sizeof(file->path) ? 0 : -ENAMETOOLONG;
}

// Opens what the configuration names as another file. 0 or -errno.
static int open_named(struct control_cdr_file *file, const struct conf *conf)
{
    int error = take_path(file, conf);

    file->fd = -1;
    if (error == 0)
        error = control_cdr_file_open(file);
    if (error != 0)
        CONTROL_LOG(ERR, "cannot open the accounting file %.200s: %s; see [cdr] file", conf->cdr_file,
                    strerror(-error));
    return error;
}

int control_cdr_open(struct control_cdr **opened, const struct control_cdr_setup *setup)
{
    const struct memory *memory = setup->memory;
    struct control_cdr *cdr = memory->take(memory->owner, sizeof(*cdr), MEMORY_ANY_NODE);

    if (cdr == NULL)
        return -ENOMEM;
    cdr->setup = *setup;
    cdr->file.fd = -1;
    cdr->on = setup->conf->cdr_file != NULL;
    int error = cdr->on ? open_named(&cdr->file, setup->conf) : 0;

    cdr->setup.conf = NULL; // its life is not ours
    if (error != 0) {
        memory->give(memory->owner, cdr, sizeof(*cdr));
        return error;
    }
    *opened = cdr;
    return 0;
}

const struct control_cdr_counters *control_cdr_counters(const struct control_cdr *cdr)
{
    return &cdr->counters;
}

// From the rings into the buffer.

static const struct call *take_call(struct control_cdr *cdr, struct call_table **table)
{
    for (unsigned i = 0; i < cdr->setup.tables_n; i++) {
        *table = cdr->setup.tables[cdr->next];
        cdr->next = (cdr->next + 1) % cdr->setup.tables_n;
        const struct call *call = call_take(*table);

        if (call != NULL)
            return call;
    }
    return NULL;
}

static void buffer_line(struct control_cdr *cdr, const struct call *call)
{
    const struct control_cdr_setup *setup = &cdr->setup;
    const char *route = call->rule[0] != 0 ? call->rule : NULL;
    const char *gateway = NULL;

    if (call->gateway != UINT16_MAX)
        gateway = setup->gateway(setup->owner, call->gateway);
    cdr->end += control_cdr_line(call, gateway, route, cdr->buffer + cdr->end);
}

static bool has_room(struct control_cdr *cdr)
{
    if (sizeof(cdr->buffer) - cdr->end >= CONTROL_CDR_LINE_MAX)
        return true;
    memmove(cdr->buffer, cdr->buffer + cdr->line, cdr->end - cdr->line);
    cdr->end -= cdr->line;
    cdr->at -= cdr->line;
    cdr->line = 0;
    return sizeof(cdr->buffer) - cdr->end >= CONTROL_CDR_LINE_MAX;
}

// False: the rings are empty.
static bool fill(struct control_cdr *cdr)
{
    struct call_table *table;

    for (unsigned n = 0; n < CONTROL_CDR_TURN && has_room(cdr); n++) {
        const struct call *call = take_call(cdr, &table);

        if (call == NULL)
            return false;
        if (cdr->on)
            buffer_line(cdr, call);
        call_written(table, call);
    }
    return true;
}

// From the buffer into the file.

static void note_written(struct control_cdr *cdr, size_t n)
{
    const char *feed;

    for (cdr->at += n; (feed = memchr(cdr->buffer + cdr->line, '\n', cdr->at - cdr->line)) != NULL;) {
        cdr->line = (size_t)(feed - cdr->buffer) + 1;
        cdr->counters.lines++;
    }
    if (cdr->line == cdr->end)
        cdr->line = cdr->at = cdr->end = 0;
}

// As many lines as the file may still take; a line that was begun is always ended.
static size_t writable(const struct control_cdr *cdr)
{
    size_t left = cdr->end - cdr->at;
    uint64_t room = cdr->file.size < cdr->file.rotate_at ? cdr->file.rotate_at - cdr->file.size : 0;

    if (!cdr->file.regular || left <= room)
        return left;
    const char *from = cdr->buffer + cdr->at;
    const char *feed = memrchr(from, '\n', (size_t)room);

    if (feed == NULL && cdr->at > cdr->line)
        feed = memchr(from, '\n', left);
    return feed != NULL ? (size_t)(feed - from) + 1 : 0;
}

static void rotate(struct control_cdr *cdr)
{
    int error = control_cdr_file_rotate(&cdr->file);

    if (error == 0) {
        cdr->counters.rotations++;
        return;
    }
    cdr->rotate_ms = cdr->now_ms + CONTROL_CDR_LOG_MS;
    fail(cdr, "rotate", error);
}

static void flush(struct control_cdr *cdr)
{
    while (cdr->at < cdr->end) {
        size_t len = writable(cdr);

        if (len == 0 && cdr->file.size > 0 && cdr->now_ms >= cdr->rotate_ms) {
            rotate(cdr);
            continue;
        }
        // What cannot be rotated grows.
        len = len > 0 ? len : cdr->end - cdr->at;
        ssize_t n = control_cdr_file_append(&cdr->file, cdr->buffer + cdr->at, len);

        if (n < 0) {
            cdr->retry_ms = cdr->now_ms + CONTROL_CDR_RETRY_MS;
            fail(cdr, "write to", (int)n);
            return;
        }
        note_written(cdr, (size_t)n);
        if ((size_t)n < len) {
            cdr->counters.short_writes++;
            return;
        }
    }
}

// The other file gets the line whole that this one has a part of.
static void change_file(struct control_cdr *cdr, const struct control_cdr_file *other)
{
    control_cdr_file_close(&cdr->file);
    cdr->file = *other;
    cdr->at = cdr->line;
    cdr->retry_ms = cdr->rotate_ms = 0;
}

static void look_for_file(struct control_cdr *cdr)
{
    struct control_cdr_file other = cdr->file;

    cdr->look_ms = cdr->now_ms + CONTROL_CDR_RETRY_MS;
    if (!control_cdr_file_moved(&cdr->file))
        return;
    int error = control_cdr_file_open(&other);

    if (error != 0) {
        fail(cdr, "open", error);
        return;
    }
    change_file(cdr, &other);
    cdr->counters.reopened++;
}

bool control_cdr_turn(struct control_cdr *cdr, uint64_t now_ms)
{
    cdr->now_ms = now_ms;
    bool more = fill(cdr);

    if (!cdr->on)
        return more;
    if (now_ms >= cdr->look_ms)
        look_for_file(cdr);
    if (now_ms >= cdr->retry_ms)
        flush(cdr);
    return more && cdr->end == 0;
}

int control_cdr_reload(struct control_cdr *cdr, const struct conf *conf)
{
    struct control_cdr_file other;

    if (cdr->on)
        flush(cdr);
    if (conf->cdr_file == NULL) {
        // What the old one did not take has nowhere to go.
        for (size_t i = cdr->line; i < cdr->end; i++)
            cdr->counters.lost += cdr->buffer[i] == '\n';
        cdr->line = cdr->at = cdr->end = 0;
        control_cdr_file_close(&cdr->file);
        cdr->on = false;
        return 0;
    }
    int error = open_named(&other, conf);

    if (error != 0)
        return error;
    change_file(cdr, &other);
    cdr->on = true;
    cdr->counters.reopened++;
    return 0;
}

static void write_all(struct control_cdr *cdr)
{
    while (control_cdr_turn(cdr, cdr->now_ms))
        ;
}

// Nobody will hear of their end: they get the line that can be written now.
static void stop_calls(struct control_cdr *cdr)
{
    struct timespec real;

    clock_gettime(CLOCK_REALTIME, &real);
    const struct clock now = {.ms = (uint64_t)real.tv_nsec / 1000000, .unix_s = (uint64_t)real.tv_sec};
    for (unsigned i = 0; i < cdr->setup.tables_n; i++) {
        while (call_stop(cdr->setup.tables[i], &now))
            write_all(cdr);
    }
}

void control_cdr_close(struct control_cdr *cdr)
{
    if (cdr == NULL)
        return;
    const struct memory memory = *cdr->setup.memory;
    struct call_table *table;
    const struct call *call;

    cdr->retry_ms = cdr->rotate_ms = 0;
    write_all(cdr);
    stop_calls(cdr);
    // A full disk is not waited for.
    for (size_t i = cdr->line; i < cdr->end; i++)
        cdr->counters.lost += cdr->buffer[i] == '\n';
    for (; (call = take_call(cdr, &table)) != NULL; call_written(table, call))
        cdr->counters.lost += cdr->on;
    if (cdr->counters.lost > 0)
        CONTROL_LOG(ERR, "%llu accounting lines could not be written",
                    (unsigned long long)cdr->counters.lost);
    control_cdr_file_close(&cdr->file);
    memory.give(memory.owner, cdr, sizeof(*cdr));
}
