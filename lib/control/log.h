// log: control's voice.
//
// One log type for the whole program, "strowger.control" (set its level with EAL's --log-level). Only control and
// start-up code logs; a worker counts. Each line says what happened and, where there is something, what to do.
#ifndef CONTROL_LOG_H
#define CONTROL_LOG_H

#include <rte_log.h>

extern int control_logtype;

#define CONTROL_LOG(level, format, ...) \
    rte_log(RTE_LOG_##level, control_logtype, "strowger: " format "\n", ##__VA_ARGS__)

#endif
