// attributes: reading netlink's attributes without trusting their lengths.
//
// Pure functions over one message; the tables they fill point into it. Unknown attributes are skipped: newer kernels
// have more of them.
#ifndef CONTROL_ATTRIBUTES_H
#define CONTROL_ATTRIBUTES_H

#include <libmnl/libmnl.h>
#include <stdbool.h>

#include "base/endpoint.h"

// Fills `at`[0 … max] with the attributes behind a message's fixed header of `header` bytes. False when the message is
// shorter than that.
bool control_attributes_read(const struct nlmsghdr *message, size_t header, const struct nlattr **at,
                             unsigned max);

// The same for the attributes nested in one.
void control_attributes_nested(const struct nlattr *nest, const struct nlattr **at, unsigned max);

// There, and with at least `bytes` of payload.
bool control_attribute_holds(const struct nlattr *attribute, size_t bytes);

// An address of `family` (AF_INET, AF_INET6), port 0; false when it is missing, too short, or of another family.
bool control_attribute_address(const struct nlattr *attribute, int family, struct endpoint *address);

// The same for bytes that are not an attribute's (RTA_VIA).
bool control_address_of(const void *bytes, size_t len, int family, struct endpoint *address);

#endif
