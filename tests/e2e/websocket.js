// A SIP WebSocket client (RFC 7118 4): each line of stdin, a JSON string, is a message to send; what comes is a line of
// JSON on stdout.
"use strict";
const readline = require("readline");
const { WebSocket } = require("ws");

const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const socket = new WebSocket(process.argv[2], "sip");

socket.on("open", () => {
    say({ open: socket.protocol });
    const lines = readline.createInterface({ input: process.stdin });
    lines.on("line", (line) => socket.send(JSON.parse(line)));
    lines.on("close", () => socket.close());
});
socket.on("message", (bytes) => say({ message: bytes.toString() }));
socket.on("close", (code) => { say({ closed: code }); process.exit(0); });
socket.on("error", (error) => say({ closed: error.message }));
