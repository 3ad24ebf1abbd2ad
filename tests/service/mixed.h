// mixed: a box that listens on everything, for stories between phones of all kinds.
#ifndef TESTS_SERVICE_MIXED_H
#define TESTS_SERVICE_MIXED_H

#include "fixture.h"

// Listeners by number.
enum { MIXED_UDP, MIXED_TCP, MIXED_TLS, MIXED_WS, MIXED_WSS, MIXED_UDP6, MIXED_TCP6 };

// Nobody is trusted but 192.0.2.4 and the gateway one, 192.0.2.50.
#define MIXED_CONF                                                                                          \
    "[server]\nserver_header =\nrecord_route = yes\n"                                                       \
    "[port p]\ndevice = net_null0\n"                                                                        \
    "[listener udp]\naddress = 198.18.0.1:5060\nport = p\n"                                                 \
    "[listener tcp]\naddress = 198.18.0.1:5060\ntransport = tcp\n"                                          \
    "[listener tls]\naddress = 198.18.0.1:5061\ntransport = tls\n"                                          \
    "[listener ws]\naddress = 198.18.0.1:80\ntransport = ws\n"                                              \
    "[listener wss]\naddress = 198.18.0.1:443\ntransport = wss\n"                                           \
    "[listener udp6]\naddress = [2001:db8::1]:5060\nport = p\n"                                             \
    "[listener tcp6]\naddress = [2001:db8::1]:5060\ntransport = tcp\n"                                      \
    "[certificate c]\nchain = /nowhere/chain.pem\nkey = /nowhere/key.pem\n"                                 \
    "[domain main]\nnames = example.com, proxy.example.com\n"                                               \
    "[trust]\nnetworks = 192.0.2.4\n"                                                                       \
    "[gateways out]\nprobe_interval = 0\n[gateway one]\ngroup = out\naddress = 192.0.2.50:5070\ntrusted = " \
    "yes\n"                                                                                                 \
    "[gateways secure]\nprobe_interval = 0\n[gateway two]\ngroup = secure\naddress = "                      \
    "192.0.2.51;transport=tls\n"                                                                            \
    "trusted = yes\n"                                                                                       \
    "[route out]\nuser = +49*\naction = gateways\ngateways = out\n"                                         \
    "[route secure]\nuser = +43*\naction = gateways\ngateways = secure\n"                                   \
    "[route hop]\nuser = +41*\naction = hop\nhop = 192.0.2.60;transport=tcp\n"

#endif
