// cdr: one line of JSON for each call that has ended (a call detail record), appended to a file.
//
// Workers follow calls and hand them over when they end (call/call.h); here they become lines. The file grows
// to conf->cdr_rotate bytes, then it becomes FILE.1, FILE.1 becomes FILE.2 and so on to conf->cdr_files.
// Whoever moves the file away finds a new one in its place a second later.
//
// What cannot be written, because the disk is full or the folder is gone, is tried again every second and
// logged once a minute; until then a buffer of CONTROL_CDR_BUFFER bytes fills, then calls wait in their
// workers' rings, and when these are full lines are lost and counted there (struct call_usage). A line is
// never torn: what a full disk cut off is completed, or written anew where the file was changed meanwhile.
//
// Control thread only. Bounded work a turn: CONTROL_CDR_TURN calls and as few writes as they need. With an
// empty ring a turn costs a look at each worker's ring, and once a second a stat().
//
//     {"start":"2026-03-01T10:15:02.120Z","answer":"2026-03-01T10:15:07.481Z",
//      "end":"2026-03-01T10:16:07.502Z","duration_ms":60021,"code":200,"reason":"completed",
//      "call_id":"…","from":"…","to":"…","uri":"…","source":"192.0.2.1:5060",
//      "next_hop":"192.0.2.9:5060","gateway":"west","route":"trunk","tries":1}
//
// in one line; times in UTC. "answer", "next_hop", "gateway" and "route" are null where there was none;
// "duration_ms" is from answer to end; "reason" is completed, failed, cancelled, timeout, lost or
// stopped (enum call_end). A byte that is no UTF-8 becomes U+FFFD.
#ifndef CONTROL_CDR_H
#define CONTROL_CDR_H

#include "base/memory.h"
#include "call/call.h"
#include "conf/conf.h"

#define CONTROL_CDR_BUFFER   65536
#define CONTROL_CDR_TURN     256  // calls
#define CONTROL_CDR_RETRY_MS 1000 // after a failure; also how often the file is looked for
#define CONTROL_CDR_LOG_MS   60000

struct control_cdr;

struct control_cdr_setup {
    const struct conf *conf;          // cdr_file, cdr_rotate and cdr_files are read, and copied
    struct call_table *const *tables; // of all workers; they and the array outlive this
    unsigned tables_n;
    // The name of a gateway's slot, good until the next call; NULL: there is none (any more). Never asked for
    // UINT16_MAX.
    const char *(*gateway)(void *owner, uint16_t slot);
    void *owner; // passed to it
    const struct memory *memory;
};

// control: wo, telemetry: ro
struct control_cdr_counters {
    uint64_t lines;        // written, to their end
    uint64_t failures;     // of opening, writing or rotating; each may concern many lines
    uint64_t short_writes; // the rest followed
    uint64_t rotations, reopened;
    uint64_t lost; // lines that could not be written before the end
};

// Opens the file. With conf->cdr_file NULL there is none: calls are taken from their rings and that is all. 0
// or -errno, after a line in the log; then nothing is left.
int control_cdr_open(struct control_cdr **cdr, const struct control_cdr_setup *setup);

// Once a turn of the loop: takes ended calls and writes their lines. True: there may be more at once.
bool control_cdr_turn(struct control_cdr *cdr, uint64_t now_ms);

// SIGHUP: the file is opened anew, perhaps another one or of another size. 0; or -errno, after a line in the
// log, and everything goes on as before.
int control_cdr_reload(struct control_cdr *cdr, const struct conf *conf);

// Of this moment; valid until control_cdr_close.
const struct control_cdr_counters *control_cdr_counters(const struct control_cdr *cdr);

// After the workers have stopped: ends the calls that go on, and writes what is left in the rings, as far as that
// succeeds. NULL is allowed.
void control_cdr_close(struct control_cdr *cdr);

#endif
