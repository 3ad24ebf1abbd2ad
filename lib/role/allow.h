// allow: the set of methods that an Allow header field lists, remembered by its text.
//
// Telephones of one make list the same methods letter for letter, and reading a list costs more than anything else
// in a REGISTER. So the lists seen last are kept, one for each value of a hash; whoever sends ever other ones costs
// himself and others no more than reading them. Belongs to one worker; zeroed it is empty.
#ifndef ROLE_ALLOW_H
#define ROLE_ALLOW_H

#include <stdint.h>

#include "base/slice.h"

#define ROLE_ALLOW_LISTS 16
#define ROLE_ALLOW_TEXT  122 // bytes; a list of all methods that are registered today is longer, and rare

struct role_allow {
    struct {
        uint32_t methods;
        uint16_t len; // 0: nothing is kept here
        char text[ROLE_ALLOW_TEXT];
    } lists[ROLE_ALLOW_LISTS];
};

// The SIP_METHOD_BITs of one header field's value.
uint32_t role_allow_methods(struct role_allow *allow, struct slice value);

#endif
