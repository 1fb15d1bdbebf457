#!/bin/sh
# Bring this checkout to where it can run: system packages, .venv, browser assets.
#   tools/setup.sh        what the service needs
#   tools/setup.sh test   and what its tests need on top
# Safe to repeat and to interrupt: every step looks at what is there, and leaves its stamp last.
set -eu

cd "$(dirname "$0")/.."
purpose=${1:-run}
venv=.venv

say() { printf '\033[1m%s\033[0m\n' "$*"; }
fail() { printf '\033[31m✗ %s\033[0m\n' "$*" >&2; exit 1; }

# ---- system packages: looked for by what they bring, so that other ways of installing count too
has_library() { python3 -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null; }

missing_packages() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    found=
    for control in /usr/share/postgresql/*/extension/postgis.control; do
        [ -e "$control" ] && found=yes
    done
    [ -n "$found" ] || echo postgresql-15-postgis-3
    command -v npm >/dev/null 2>&1 || echo npm
    [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
    ls /usr/share/fonts/opentype/noto/NotoSansCJK-*.ttc >/dev/null 2>&1 || echo fonts-noto-cjk
    # what lays out the PDFs of reports
    has_library libpango-1.0.so.0 || echo libpango-1.0-0
    has_library libpangoft2-1.0.so.0 || echo libpangoft2-1.0-0
    has_library libharfbuzz-subset.so.0 || echo libharfbuzz-subset0
    if [ "$purpose" = test ]; then
        command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 ||
            echo chromium
    fi
}

install_packages() {
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root=sudo
    else
        fail "missing packages; install them once as root / 请先以 root 安装：
  apt-get install --no-install-recommends $*"
    fi
    command -v apt-get >/dev/null 2>&1 || fail "this system has no apt-get; install: $*"
    say "Installing $*"
    # Debian's package would otherwise make and start a cluster of its own on port 5432
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        $as_root mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' |
            $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # shellcheck disable=SC2086 -- as_root and the package names are words
    $as_root env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 \
        apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold "$@" \
        >/dev/null
}

# ---- a step is done when its stamp holds the digest of what it was made from
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }
is_done() { [ "$(cat "$1" 2>/dev/null || true)" = "$2" ]; }

make_venv() {
    requirements=requirements.txt
    [ "$purpose" = test ] && requirements=requirements-dev.txt
    wanted=$(digest $requirements pyproject.toml tools/setup.sh)
    is_done $venv/.stamp-$purpose "$wanted" && return
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed, this is $(python3 --version)"
    $venv/bin/python -m pip --version >/dev/null 2>&1 || { rm -rf $venv; python3 -m venv $venv; }
    say "Installing Python packages ($requirements)"
    if ! { command -v uv >/dev/null 2>&1 && uv pip install --quiet --python $venv/bin/python \
        --require-hashes --no-deps -r $requirements; }; then
        $venv/bin/python -m pip install --quiet --disable-pip-version-check \
            --require-hashes --no-deps -r $requirements
    fi
    $venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --no-deps --no-build-isolation -e .
    # where pip was told to write no bytecode, every start of Python would compile for seconds
    $venv/bin/python -m compileall -q -j 0 $venv/lib >/dev/null 2>&1 || true
    echo "$wanted" >$venv/.stamp-$purpose
}

make_assets() {
    [ -f package-lock.json ] || return 0
    wanted=$(digest package.json package-lock.json map_ui/assets.py map_ui/assets.json)
    is_done $venv/.stamp-assets "$wanted" && [ -d map_ui/static/vendor ] && return
    say "Fetching browser assets"
    npm ci --ignore-scripts --no-audit --no-fund --silent
    $venv/bin/python -m map_ui.assets
    echo "$wanted" >$venv/.stamp-assets
}

# the service leaves root, and then may not write beside its modules
compile_modules() {
    $venv/bin/python -m compileall -q -j 0 gis_service layers grid_boundaries map_ui
}

# what siting compiles takes a minute; callers keep what they were compiled with, so all goes anew
make_loops() {
    wanted=$(find layers -name '*.py' | LC_ALL=C sort | xargs cat requirements.txt | sha256sum)
    is_done $venv/.stamp-loops "$wanted" && return
    say "Compiling the inner loops of siting"
    rm -f layers/coverage/sites/__pycache__/*.nb?
    $venv/bin/python -m gis_service.compiled_loops
    echo "$wanted" >$venv/.stamp-loops
}

packages=$(missing_packages)
# shellcheck disable=SC2086 -- package names are words
[ -z "$packages" ] || install_packages $packages
make_venv
compile_modules
make_assets
make_loops
