#include "control/attributes.h"

#include <sys/socket.h>

struct wanted {
    const struct nlattr **at;
    unsigned max;
};

static int note(const struct nlattr *attribute, void *argument)
{
    struct wanted *wanted = argument;
    unsigned type = mnl_attr_get_type(attribute);

    if (type <= wanted->max)
        wanted->at[type] = attribute;
    return MNL_CB_OK;
}

bool control_attributes_read(const struct nlmsghdr *message, size_t header, const struct nlattr **at,
                             unsigned max)
{
    struct wanted wanted = {at, max};

    if (mnl_nlmsg_get_payload_len(message) < header)
        return false;
    return mnl_attr_parse(message, (unsigned)header, note, &wanted) != MNL_CB_ERROR;
}

void control_attributes_nested(const struct nlattr *nest, const struct nlattr **at, unsigned max)
{
    struct wanted wanted = {at, max};

    (void)mnl_attr_parse_nested(nest, note, &wanted);
}

bool control_attribute_holds(const struct nlattr *attribute, size_t bytes)
{
    return attribute != NULL && mnl_attr_get_payload_len(attribute) >= bytes;
}

bool control_address_of(const void *bytes, size_t len, int family, struct endpoint *address)
{
    size_t wanted = family == AF_INET ? 4 : 16;

    memset(address, 0, sizeof(*address));
    if ((family != AF_INET && family != AF_INET6) || len < wanted)
        return false;
    address->family = family == AF_INET ? ENDPOINT_IP4 : ENDPOINT_IP6;
    memcpy(address->address, bytes, wanted);
    return true;
}

bool control_attribute_address(const struct nlattr *attribute, int family, struct endpoint *address)
{
    if (attribute == NULL) {
        memset(address, 0, sizeof(*address));
        return false;
    }
    return control_address_of(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute), family,
                              address);
}
