// OPTIONS for the server itself (RFC 3261 11.2).
#include "presence/presence.h"
#include "service/parts.h"

// No body: 11.2 asks for none of a proxy. Allow names what this server answers itself; it forwards any
// method.
void service_options(struct role_request *request)
{
    struct role_text lines;

    if (role_is_merged(request))
        return;
    if (!role_supports(request, SIP_HEADER_REQUIRE, SLICE("")))
        return;
    role_answer_lines_begin(request, &lines);
    role_text_put(&lines, SLICE("Allow: "));
    role_text_put_methods(&lines, role_methods_served(request->role->conf));
    if (request->role->presence != NULL) { // RFC 3903 7, RFC 6665 4.4.4
        role_text_put(&lines, SLICE("\r\nAllow-Events: "));
        presence_put_events(&lines);
    }
    role_text_put(&lines, SLICE("\r\nAccept: */*\r\nSupported:"));
    if (request->role->presence != NULL)
        role_text_put(&lines, SLICE(" eventlist"));
    if (request->role->conf->path)
        role_text_put(&lines, SLICE(" path"));
    role_text_put(&lines, SLICE("\r\n"));
    role_answer_lines(request, 200, NULL, role_text_slice(&lines));
}
