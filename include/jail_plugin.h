/* jail_plugin.h: the contract between jail and a network backend that is a shared library.
 *
 * A plugin is a file libjail_NAME.so (NAME of a-z, 0-9 and _) that exports one function, jail_plugin_v1. Only the C
 * types below and JSON in UTF-8 cross. In Rust, `jail_net::export_backend!` writes all of this for you.
 *
 * jail loads it from a plugin directory with dlopen(RTLD_NOW | RTLD_LOCAL) and never unloads it. File and directory
 * must belong to root, the caller or the owner of jail's program, and be writable by nobody else.
 *
 * Rules
 *   - The functions are called on any thread, several at a time. What they set of a process (signal handlers, working
 *     directory, umask, environment, children that were not theirs) is jail's as well: leave it alone.
 *   - Nothing outlives a call: no thread, no child, and no descriptor opened in the jail's network namespace.
 *   - No C++ exception, longjmp or panic leaves a function; nothing calls exit() or abort(); nothing is printed.
 *   - A library initialiser must not wait: while it runs, the loader's lock is held.
 *   - A plugin that does not answer within the deadline (10 s) is not called again by that process.
 *
 * Messages
 *   A call is (method name, request) -> reply. A request is a JSON object; members you do not know are to be ignored.
 *   A reply is {"ok": ANSWER} or {"error": {"kind": KIND, "message": TEXT}}, where KIND is one of invalid, not-found,
 *   conflict, denied, unsupported, failed, and TEXT one sentence without a full stop; "hint" (the remedy), "errno" (a
 *   number), "operation" and "object" (what failed on what) may be added. To a method it does not know a plugin
 *   answers an error of kind unsupported.
 *
 *   method        request                              ANSWER
 *   describe      {}                                   {"name","role":"link"|"firewall","version","summary","options":{}}
 *   probe         {}                                   {"support":"yes"} or {"support":"no","reason","hint"}
 *   plan          a Request                            {"words":[TEXT],"data":ANY,"undo":ANY,
 *                                                      "probes":bool}, called Actions
 *   attach        {"actions": Actions}, netns          {"interfaces":[{"name","mac","mtu"}],
 *                                                      "taken":[{"address","mac"}]}
 *   check         a Request                            {"differences":[TEXT]}
 *   detach        {"jail","undo":ANY|null,             null
 *                  "how":{"wait":bool,"last":bool}}
 *   gc            {"alive":[JAIL]}                     {"removed":[TEXT]}
 *   network_up    a Network                            the Network, completed        (role link)
 *   network_down  a Network                            null                          (role link)
 *   network_of    {"bridge": NAME of an interface}     a Network or null             (role link)
 *
 *   Request  {"jail": JAIL, "name": TEXT, "attachments": [Attachment], "publish": ["8080:80/tcp"...],
 *             "egress": "deny"|"allow", "forwards": [INTERFACE]}
 *   Attachment {"network": Network, "interface": "eth0", "host_interface": "jJAIL0", "mac", "mtu": NUMBER|null,
 *             "addresses": ["10.10.20.10/24"], "gateways": ["10.10.20.1"], "source_gateways": [...], "probe": bool}
 *   Network  {"name", "bridge", "origin": "ours"|"adopted", "subnet": "10.10.20.1/24"|null, "subnet6": ...|null}, or
 *            {"name", "parent", "router": ADDRESS|null, "subnet", "subnet6"} beside an interface that is no bridge
 *   JAIL is 12 lower-case hexadecimal digits.
 *
 *   describe, probe, plan and check change nothing. attach is all or nothing, and is called after Actions' undo was
 *   written down. A link backend whose Actions say that it probes asks a segment for an attachment's addresses where
 *   "probe" is true; those that others use are "taken", nothing is attached then, and it may be planned and attached
 *   with others. detach and gc may be called twice, by another process than attach was, and when the namespace is
 *   gone: removing what is not there is success.
 */
#ifndef JAIL_PLUGIN_H
#define JAIL_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "jailplug" as a big-endian number. */
#define JAIL_PLUGIN_MAGIC UINT64_C(0x6a61696c706c7567)
/* Another version is another contract. Members added at the end of the descriptor, methods, and optional members of a
 * message do not change it. */
#define JAIL_PLUGIN_VERSION UINT32_C(1)
/* A flag: an error in the plugin may end the process. Such a plugin is not loaded. */
#define JAIL_PLUGIN_ABORTS UINT64_C(1)
/* jail takes no longer reply, in bytes. */
#define JAIL_PLUGIN_REPLY_LIMIT (4u << 20)

/* Allocated by call, freed by release, as the plugin likes. */
struct jail_reply {
    uint8_t *data;
    size_t len;
};

/* The first four members are the same in every version to come. */
struct jail_plugin {
    uint64_t magic;    /* JAIL_PLUGIN_MAGIC */
    uint32_t version;  /* JAIL_PLUGIN_VERSION */
    uint32_t size;     /* sizeof(struct jail_plugin) */
    const char *build; /* one line that says what this is and what built it; may be NULL */
    uint64_t flags;    /* 0 or JAIL_PLUGIN_ABORTS; unknown bits are ignored */

    /* Answers request[0..len) to method. netns is the jail's network namespace, open until the call returns, or -1.
     * The request is not NUL-terminated and is valid until the call returns. */
    void (*call)(const char *method, const uint8_t *request, size_t len, int netns, struct jail_reply *reply);
    /* Called once for each reply whose data is not NULL, on any thread. */
    void (*release)(struct jail_reply *reply);
};

/* The one symbol. The descriptor lives, unchanged, as long as the process. */
const struct jail_plugin *jail_plugin_v1(void);

#ifdef __cplusplus
}
#endif

#endif
