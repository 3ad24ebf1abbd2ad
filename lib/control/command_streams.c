// Connections: TCP, TLS and WebSocket.
#include "control/command_run.h"

static const char *const transports[ENDPOINT_TRANSPORTS] = {
    [ENDPOINT_UDP] = "udp", [ENDPOINT_TCP] = "tcp", [ENDPOINT_TLS] = "tls",
    [ENDPOINT_WS] = "ws",   [ENDPOINT_WSS] = "wss",
};

static uint64_t seconds_since(const struct control *control, uint64_t ms)
{
    return control->now_ms > ms ? (control->now_ms - ms) / 1000 : 0;
}

static void put_connection(const struct control *control, const struct stream_view *view,
                           struct control_json *reply)
{
    const struct conf_listener *listener = &control->setup.conf->listeners[view->listener];

    control_json_open(reply, NULL, '{');
    control_json_endpoint(reply, "peer", &view->peer);
    control_json_text(reply, "transport", slice_text(transports[view->peer.transport]));
    control_json_text(reply, "listener", slice_text(listener->name));
    control_json_text(reply, "direction", view->outgoing ? SLICE("out") : SLICE("in"));
    control_json_text(reply, "state", slice_text(view->state));
    control_json_number(reply, "age_s", seconds_since(control, view->since_ms));
    control_json_number(reply, "idle_s", seconds_since(control, view->heard_ms));
    control_json_number(reply, "received", view->received);
    control_json_number(reply, "sent", view->sent);
    control_json_number(reply, "held", view->held);
    if (view->name.len > 0)
        control_json_text(reply, "name", view->name);
    else
        control_json_null(reply, "name");
    control_json_close(reply, '}');
}

enum control_command_outcome control_command_connections(struct control_command *command,
                                                         struct control_json *reply)
{
    const struct control *control = command->control;
    struct stream_view view;
    bool more = control->streams != NULL;

    control_json_open(reply, "rows", '[');
    while (more && control_json_slice(reply).len < CONTROL_REPLY_FULL) {
        more = stream_next(control->streams, &command->position, &view);
        if (more)
            put_connection(control, &view, reply);
    }
    control_json_close(reply, ']');
    return more ? CONTROL_COMMAND_MORE : CONTROL_COMMAND_DONE;
}
