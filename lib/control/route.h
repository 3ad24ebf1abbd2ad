// route: one routing message of the kernel, turned into candidates for workers.
// Pure but for the table it writes; control thread only.
#ifndef CONTROL_ROUTE_H
#define CONTROL_ROUTE_H

#include "control/link.h"
#include "control/routes.h"

// Takes in one RTM_NEWROUTE or RTM_DELROUTE. Routes of other tables, and unicast routes over interfaces that are no
// twins, are passed over.
void control_route_apply(struct control_routes *routes, const struct control_links *links,
                         const struct nlmsghdr *message);

#endif
