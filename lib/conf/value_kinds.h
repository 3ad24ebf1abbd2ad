// value_kinds: the readers of single values, by kind, for conf_value_read alone.
//
// Each reads `value->text` into the field at `at`. A fault is noted and false returned; so it is, without a fault,
// where memory fails (arena->failed). Control thread.
#ifndef CONF_VALUE_KINDS_H
#define CONF_VALUE_KINDS_H

#include "conf/value.h"

// One value that is being read.
struct conf_value {
    const struct conf_reader *reader;
    const struct conf_key *key;
    struct slice text;
    unsigned line;
};

bool conf_value_read_text(const struct conf_value *v, void *at);     // CONF_TEXT to CONF_METHOD
bool conf_value_read_match(const struct conf_value *v, void *at);    // CONF_USER_MATCH, CONF_DOMAIN_MATCH
bool conf_value_read_host(const struct conf_value *v, void *at);     // CONF_HOST
bool conf_value_read_hop(const struct conf_value *v, void *at);      // CONF_HOP
bool conf_value_read_endpoint(const struct conf_value *v, void *at); // CONF_ENDPOINT
bool conf_value_read_network(const struct conf_value *v, void *at);  // CONF_SUBNET

// Notes that the value is not what its key takes, with a suggestion where `nearest` is not NULL. Returns false.
bool conf_value_mismatch(const struct conf_value *v, const struct conf_nearest *nearest);

// A copy of the text in the arena; false when there is no memory.
bool conf_value_keep(const struct conf_value *v, struct slice text, struct conf_text *kept);

#endif
