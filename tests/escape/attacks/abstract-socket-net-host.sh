# Calls a server of the host's by a name that is in no directory, from a jail that shares the host's network. CVE-2020-15257
# shellcheck shell=bash disable=SC2034

jail_options=--net=host
bwrap_options=--share-net

prepare() { command attack listen /run/heard unix @attacked -; }

attack() { exec attack call unix @attacked -; }
