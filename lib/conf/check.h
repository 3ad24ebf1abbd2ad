// check: what no single value shows: values that contradict each other, twins that must not be, routes in the shade.
//
// Control thread.
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/value.h"

// Notes every contradiction. Values that were told already (entry->faulty) are left out.
void conf_check(const struct conf_reader *reader, const struct conf *conf);

#endif
