#include "reading.h"

#include <stdlib.h>

struct conf *reading_parse(struct slice text, char **messages)
{
    char *exact = malloc(text.len > 0 ? text.len : 1);
    size_t len = 0;
    FILE *errors = open_memstream(messages, &len);

    assert_non_null(exact);
    assert_non_null(errors);
    memcpy(exact, text.at, text.len);
    struct conf *conf = conf_parse(exact, text.len, "t", errors);
    fclose(errors);
    free(exact);
    return conf;
}

struct conf *reading_good(const char *text)
{
    char *messages = NULL;
    struct conf *conf = reading_parse(slice_text(text), &messages);

    assert_string_equal(messages, "");
    assert_non_null(conf);
    free(messages);
    return conf;
}

char *reading_printed(const struct conf *conf)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    conf_print(conf, out);
    fclose(out);
    return text;
}

char *reading_output(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    print(out);
    fclose(out);
    return text;
}
