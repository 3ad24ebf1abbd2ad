// check: what no single value shows: values that contradict each other, twins that must not be, rules in the shade.
//
// Values that were told already (entry->faulty) are left out. Keys are found by their fields: their names stand in the
// schema only. Control thread.
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/value.h"

// Notes every contradiction.
void conf_check(const struct conf_reader *reader, const struct conf *conf);

// Its parts that have files of their own: no two sections have the same value of a key; a rule has what its action
// needs, nothing else, and requests that reach it; [auth] asks what can be answered; a listener can be listened on; and
// a hop, whose field is at `offset`, can be spoken to.
void conf_check_unique(const struct conf_reader *reader, const struct conf *conf,
                       const struct conf_section *section, unsigned key);
void conf_check_route(const struct conf_reader *reader, const struct conf *conf,
                      const struct conf_block *block);
void conf_check_listener(const struct conf_reader *reader, const struct conf *conf,
                         const struct conf_block *block);
void conf_check_hop(const struct conf_reader *reader, const struct conf *conf, const struct conf_block *block,
                    size_t offset);
void conf_check_auth(const struct conf_reader *reader, const struct conf *conf,
                     const struct conf_block *block);

// Whether the methods or networks of one section are all among those of another; none given are all there are.
bool conf_methods_cover(const struct conf_text *wide, unsigned wide_n, const struct conf_text *narrow,
                        unsigned narrow_n);
bool conf_networks_cover(const struct conf_network *wide, unsigned wide_n, const struct conf_network *narrow,
                         unsigned narrow_n);
bool conf_text_is_among(struct slice text, const struct conf_text *list, unsigned n);

// The key of a kind of section whose field is at `offset`.
const struct conf_key *conf_key_of(enum conf_section_kind kind, size_t offset);

const struct conf_entry *conf_entry_of(const struct conf_block *block, const struct conf_key *key);

// Something of it was told already.
bool conf_block_faulty(const struct conf_block *block);

#endif
