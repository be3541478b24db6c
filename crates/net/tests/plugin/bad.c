/* A plugin that is wrong in one way, which -D names: its descriptor (MAGIC, VERSION, SIZE, FLAGS, CALL, RELEASE, ENTRY),
 * its name (NAME), or what it does when `probe` is called (PROBE). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jail_plugin.h"

#ifndef MAGIC
#define MAGIC JAIL_PLUGIN_MAGIC
#endif
#ifndef VERSION
#define VERSION JAIL_PLUGIN_VERSION
#endif
#ifndef SIZE
#define SIZE sizeof(struct jail_plugin)
#endif
#ifndef FLAGS
#define FLAGS 0
#endif
#ifndef CALL
#define CALL call
#endif
#ifndef RELEASE
#define RELEASE release
#endif
#ifndef ENTRY
#define ENTRY return &self
#endif
#ifndef SYMBOL
#define SYMBOL jail_plugin_v1
#endif
#ifndef NAME
#define NAME "bad"
#endif
#ifndef PROBE
#define PROBE say("{\"ok\":{\"support\":\"yes\"}}")
#endif

#define say(text) answer(reply, text, sizeof(text) - 1)
#define loop() do { static volatile int on = 1; while (on) ; } while (0)

static __attribute__((unused)) void answer(struct jail_reply *reply, const char *text, size_t len)
{
    reply->data = malloc(len + 1);
    memcpy(reply->data, text, len);
    reply->len = len;
}

static __attribute__((unused)) void gigantic(struct jail_reply *reply)
{
    say("{\"ok\":{\"support\":\"yes\"}}");
    reply->len = SIZE_MAX / 2;
}

static __attribute__((unused)) void release(struct jail_reply *reply)
{
    free(reply->data);
}

static __attribute__((unused)) void call(const char *method, const uint8_t *request, size_t len, int netns,
                                         struct jail_reply *reply)
{
    (void)request, (void)len, (void)netns;
    if (!strcmp(method, "describe"))
        say("{\"ok\":{\"name\":\"" NAME "\",\"role\":\"link\",\"version\":\"1\",\"summary\":\"bad\"}}");
    else
        PROBE;
}

const struct jail_plugin *SYMBOL(void)
{
    static const struct jail_plugin self = {
        MAGIC, VERSION, SIZE, "bad 7", FLAGS, CALL, RELEASE,
    };
    (void)self;
    ENTRY;
}
