# A system call that the filter permits, exchanged by a tracer for one that it does not. CVE-2017-5206
# shellcheck shell=bash disable=SC2034

jail_options='--seccomp=!ptrace' # where tracing is permitted: otherwise there is no tracer to begin with
firejail_options=--allow-debuggers

attack() { exec attack traced-call; }
