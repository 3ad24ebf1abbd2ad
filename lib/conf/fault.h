// fault: what is wrong with a configuration, collected, and told in the order of its lines.
//
// Stages that read one file (syntax, values, checks) note faults as they meet them; the report is sorted by line,
// so that an operator goes through the file once. One thread; faults live in the arena.
#ifndef CONF_FAULT_H
#define CONF_FAULT_H

#include <stdio.h>

#include "conf/arena.h"
#include "conf/nearest.h"

#define CONF_FAULTS_MAX 1000 // kept and told; the rest is only counted

struct conf_faults {
    struct conf_arena *arena;
    struct conf_fault *first, *last;
    unsigned n; // all, told or not
};

// Notes a fault on `line` (from 1). `nearest` is NULL, or adds "did you mean …?" where it found something.
__attribute__((format(printf, 4, 5))) void conf_fault(struct conf_faults *faults, unsigned line,
                                                      const struct conf_nearest *nearest, const char *format,
                                                      ...);

// "FILE:LINE: what\n" for each, by line; on one line in the order they were noted.
void conf_faults_print(const struct conf_faults *faults, const char *file, FILE *out);

#endif
