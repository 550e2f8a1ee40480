# shellcheck shell=bash disable=SC2034 # the lists are for those who source this
# SPDX-License-Identifier: Apache-2.0
# What the scripts share: packages, python environments, builds. To be sourced by bash.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

build_packages=(
    gcc libc6-dev meson ninja-build pkg-config
    libfuse3-dev fuse3 libcurl4-openssl-dev libjansson-dev liblmdb-dev libxxhash-dev libssl-dev
    libmicrohttpd-dev libsnappy-dev libyaml-dev
)
demo_packages=(rsync attr)
test_packages=(rsync attr curl gnuplot-nox python3-venv clang clang-format-14)
fuzz_packages=(clang libclang-rt-14-dev)
check_packages=(clang clang-tidy cppcheck)

# say TEXT: what happens next, on a line of its own.
say() {
    printf '\n== %s\n' "$*"
}

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# quietly COMMAND...: what it says is shown only when it fails.
quietly() {
    local said
    said=$("$@" 2>&1) || {
        printf '%s\n' "$said" >&2
        return 1
    }
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" = 'install ok installed' ]
}

# install_packages NAME...: installs what is missing; says nothing when all is there.
install_packages() {
    local missing=() name
    command -v dpkg-query >/dev/null || return 0
    for name in "$@"; do
        is_installed "$name" || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    quietly as_root apt-get update
    quietly as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}"
}

# A python that is new enough and can make environments: Debian's own, or the first on the path.
find_python() {
    local python
    for python in /usr/bin/python3 python3; do
        if "$python" -c 'import sys, ensurepip; assert sys.version_info >= (3, 11)' 2>/dev/null
        then
            echo "$python"
            return
        fi
    done
    fail 'python 3.11 or newer with venv is needed'
}

# make_venv DIR REQUIREMENTS: an environment with exactly these pins, made anew when they change.
make_venv() {
    local dir=$1 requirements=$2 python want
    python=$(find_python)
    want=$({ "$python" --version; cat "$requirements"; } | sha256sum)
    if [ "$(cat "$dir/pins" 2>/dev/null)" != "$want" ]; then
        say "python environment $dir"
        rm -rf "$dir"
        "$python" -m venv "$dir"
        "$dir/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
        echo "$want" >"$dir/pins"
    fi
}

# build DIR [MESON OPTION...]: configures once, compiles what changed. The compiler is $CC.
build() {
    local dir=$1
    shift
    [ -f "$dir/build.ninja" ] || quietly meson setup "$dir" "$@"
    ninja -C "$dir" --quiet
}
