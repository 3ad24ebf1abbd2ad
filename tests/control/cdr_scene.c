#include "cdr_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *cdr_scene_take(void *owner, size_t bytes, int node)
{
    struct cdr_scene *s = owner;

    (void)node;
    return ++s->taken == s->fail ? NULL : calloc(1, bytes);
}

static void cdr_scene_give(void *owner, void *at, size_t bytes)
{
    (void)owner;
    (void)bytes;
    free(at);
}

static const char *gateway_name(void *owner, uint16_t slot)
{
    (void)owner;
    return slot == 4 ? "west \"1\"" : NULL;
}

int cdr_scene_open(struct cdr_scene *s)
{
    struct control_cdr_setup setup = {.conf = &s->conf,
                                      .tables = s->tables,
                                      .tables_n = CDR_SCENE_TABLES,
                                      .gateway = gateway_name,
                                      .owner = s,
                                      .memory = &s->memory};

    return control_cdr_open(&s->cdr, &setup);
}

void cdr_scene_prepare(struct cdr_scene *s, uint64_t rotate, uint16_t files)
{
    struct call_limits limits = {CDR_SCENE_CALLS, 1000000, MEMORY_ANY_NODE};
    struct hash_key key = {1, 2};

    *s = (struct cdr_scene){.folder = "/tmp/strowger-cdr-XXXXXX", .now_ms = 1000};
    s->memory = (struct memory){cdr_scene_take, cdr_scene_give, s};
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->file, sizeof(s->file), "%s/cdr.json", s->folder);
    s->conf = (struct conf){.cdr_file = s->file, .cdr_rotate = rotate, .cdr_files = files};
    for (unsigned i = 0; i < CDR_SCENE_TABLES; i++)
        assert_int_equal(call_table_create(&s->tables[i], &limits, &key, &s->memory), 0);
}

void cdr_scene_begin(struct cdr_scene *s, uint64_t rotate, uint16_t files)
{
    cdr_scene_prepare(s, rotate, files);
    assert_int_equal(cdr_scene_open(s), 0);
}

void cdr_scene_end(struct cdr_scene *s)
{
    char command[128];

    control_cdr_close(s->cdr);
    for (unsigned i = 0; i < CDR_SCENE_TABLES; i++)
        call_table_destroy(s->tables[i]);
    snprintf(command, sizeof(command), "rm -r %s", s->folder);
    assert_int_equal(system(command), 0);
}

void cdr_scene_end_calls(struct cdr_scene *s, unsigned n)
{
    struct clock now = {.ms = 120, .unix_s = CDR_SCENE_START_S};
    struct endpoint source = endpoint_ip4(192, 0, 2, 1, 5060);

    for (; n > 0; n--, s->ended++) {
        char id[16];
        struct slice text[CALL_TEXTS] = {slice_of(id, (size_t)snprintf(id, sizeof(id), "%06u", s->ended)),
                                         SLICE("sip:a@example.com"), SLICE("sip:b@example.com"),
                                         SLICE("sip:b@192.0.2.7")};
        struct call_table *table = s->tables[s->ended % CDR_SCENE_TABLES];

        call_end(table, call_begin(table, &now, text, &source), &now, CALL_FAILED, 486);
    }
}

void cdr_scene_turn(struct cdr_scene *s, uint64_t ms)
{
    s->now_ms += ms;
    control_cdr_turn(s->cdr, s->now_ms);
}

void cdr_scene_turns(struct cdr_scene *s)
{
    while (control_cdr_turn(s->cdr, s->now_ms))
        ;
}

char *cdr_scene_text(const struct cdr_scene *s, unsigned number, size_t *len)
{
    char path[128];
    char *text = calloc(1, 4 << 20);

    if (number == 0)
        snprintf(path, sizeof(path), "%s", s->file);
    else
        snprintf(path, sizeof(path), "%s.%u", s->file, number);
    FILE *file = fopen(path, "r");

    *len = file != NULL ? fread(text, 1, (4 << 20) - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    return text;
}

unsigned cdr_scene_count(const struct cdr_scene *s, unsigned number, unsigned next[CDR_SCENE_TABLES])
{
    size_t len;
    char *text = cdr_scene_text(s, number, &len);
    unsigned n = 0;

    for (char *at = text, *end; at < text + len; at = end + 1, n++) {
        char *id = strstr(at, "\"call_id\":\"");

        end = strchr(at, '\n');
        assert_non_null(end);
        assert_memory_equal(at, "{\"start\":", 9);
        assert_memory_equal(end - 2, "0}", 2);
        assert_true(id != NULL && id < end);
        unsigned call = (unsigned)strtoul(id + 11, NULL, 10);

        assert_int_equal(call, next[call % CDR_SCENE_TABLES]);
        next[call % CDR_SCENE_TABLES] += CDR_SCENE_TABLES;
    }
    free(text);
    return n;
}

unsigned cdr_scene_lines(const struct cdr_scene *s, unsigned number)
{
    unsigned next[CDR_SCENE_TABLES] = {0, 1};

    return cdr_scene_count(s, number, next);
}
