/* The smallest backend in C: a firewall that does nothing, and says so.
 *
 *     cc -shared -fPIC -fvisibility=hidden -Iinclude -o libjail_cnull.so crates/net/examples/null.c
 */
#include <string.h>

#include "jail_plugin.h"

static const char *answer_to(const char *method)
{
    if (!strcmp(method, "describe"))
        return "{\"ok\":{\"name\":\"cnull\",\"role\":\"firewall\",\"version\":\"1\",\"summary\":\"does nothing\"}}";
    if (!strcmp(method, "probe"))
        return "{\"ok\":{\"support\":\"yes\"}}";
    if (!strcmp(method, "plan"))
        return "{\"ok\":{\"words\":[\"do nothing\"],\"data\":null,\"undo\":null}}";
    if (!strcmp(method, "attach"))
        return "{\"ok\":{\"interfaces\":[]}}";
    if (!strcmp(method, "check"))
        return "{\"ok\":{\"differences\":[]}}";
    if (!strcmp(method, "gc"))
        return "{\"ok\":{\"removed\":[]}}";
    if (!strcmp(method, "detach"))
        return "{\"ok\":null}";
    return "{\"error\":{\"kind\":\"unsupported\",\"message\":\"the backend cnull does not make networks\"}}";
}

static void call(const char *method, const uint8_t *request, size_t len, int netns, struct jail_reply *reply)
{
    const char *answer = answer_to(method);
    (void)request, (void)len, (void)netns;
    reply->data = (uint8_t *)answer;
    reply->len = strlen(answer);
}

static void release(struct jail_reply *reply)
{
    (void)reply; /* the answers are literals */
}

__attribute__((visibility("default"))) const struct jail_plugin *jail_plugin_v1(void)
{
    static const struct jail_plugin self = {
        .magic = JAIL_PLUGIN_MAGIC,
        .version = JAIL_PLUGIN_VERSION,
        .size = sizeof self,
        .build = "cnull 1",
        .call = call,
        .release = release,
    };
    return &self;
}
