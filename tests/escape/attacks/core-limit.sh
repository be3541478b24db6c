# A core dump of a process without a limit, or with none at all, may start a program as root on the host. CVE-2022-4415
# shellcheck shell=bash disable=SC2034

attack() { exec attack core-limit; }
