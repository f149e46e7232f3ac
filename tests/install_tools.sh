#!/bin/sh
# SPDX-License-Identifier: MIT
# install_tools.sh PACKAGE...: installs those Debian packages that are missing; says what to do where there is no apt-get.
set -eu
missing=""
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "No apt-get here: install what these Debian packages hold, if you lack it:$missing" >&2
    exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then as_root=sudo; fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q
# shellcheck disable=SC2086 -- a list of packages
$as_root apt-get install -q -y --no-install-recommends $missing
