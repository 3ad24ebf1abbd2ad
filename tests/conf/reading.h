// reading: what the configuration's tests share: text in, configuration or messages out.
#ifndef TESTS_CONF_READING_H
#define TESTS_CONF_READING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> // after the headers that it leaves to others

#include "conf/conf.h"

// The least that a server needs; stands behind the lines a test is about, so that those count from 1.
#define READING_LEAST "[port outside]\ndevice = d0\n[listener main]\naddress = 192.0.2.1\nport = outside\n"

// Reads `text` from a block of exactly its size, so that reading over its end is seen. `messages` gets a text that the
// caller frees. The file is called "t".
struct conf *reading_parse(struct slice text, char **messages);

// Reads what must be right: fails the test and shows the messages otherwise.
struct conf *reading_good(const char *text);

// What conf_print and its kin print, for the caller to free.
char *reading_printed(const struct conf *conf);
char *reading_output(void (*print)(FILE *out));

#endif
