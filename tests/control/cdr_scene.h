// cdr_scene: an accounting file in a folder of its own, and calls that end.
#ifndef TESTS_CONTROL_CDR_SCENE_H
#define TESTS_CONTROL_CDR_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/cdr.h"

enum { CDR_SCENE_CALLS = 4096, CDR_SCENE_TABLES = 2, CDR_SCENE_START_S = 1772360102 }; // 2026-03-01T10:15:02Z

struct cdr_scene {
    char folder[64], file[96];
    struct conf conf;
    struct call_table *tables[CDR_SCENE_TABLES];
    struct control_cdr *cdr;
    struct memory memory;
    unsigned fail; // take that gets nothing, from 1
    unsigned taken;
    uint64_t now_ms;
    unsigned ended; // calls, so the next one's number
};

// A folder of its own, and calls that nobody has written yet.
void cdr_scene_prepare(struct cdr_scene *s, uint64_t rotate, uint16_t files);
int cdr_scene_open(struct cdr_scene *s);
void cdr_scene_begin(struct cdr_scene *s, uint64_t rotate, uint16_t files); // both
void cdr_scene_end(struct cdr_scene *s);

// `n` calls with the next numbers as their Call-IDs, alternating between the tables.
void cdr_scene_end_calls(struct cdr_scene *s, unsigned n);

void cdr_scene_turn(struct cdr_scene *s, uint64_t ms);
void cdr_scene_turns(struct cdr_scene *s); // as the loop does while there is work

// The file's text, NUL-terminated, to be freed; "" when there is none. `number` 0 is the current one.
char *cdr_scene_text(const struct cdr_scene *s, unsigned number, size_t *len);

// Checks that the file holds whole lines of calls in order from `next` on, of each table by itself. Returns how many.
unsigned cdr_scene_count(const struct cdr_scene *s, unsigned number, unsigned next[CDR_SCENE_TABLES]);
unsigned cdr_scene_lines(const struct cdr_scene *s, unsigned number); // from the first on

#endif
