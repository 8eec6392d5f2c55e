#!/bin/sh
# Installs the missing packages among those named, and prints their names first.
#
#   setup-system.sh [--check] [PACKAGE...]
#   PACKAGE: default-jre-headless, maven, redis-server, postgresql, python3-venv, chromium,
#            prometheus
#
# Without names: all of them but chromium, which only `make browser` needs, and
# prometheus, whose `promtool` checks the alerts in `.ci/run`. With --check it only prints the
# names of the missing packages. It ends with 3 if a package is missing and it may not install it.
set -eu

# With an init system, Debian's apt starts redis-server and postgresql after their installation. That does no
# harm: Segue starts its own servers on other ports.

check=no
if [ "${1:-}" = --check ]; then
    check=yes
    shift
fi
if [ $# -eq 0 ]; then
    set -- default-jre-headless maven redis-server postgresql python3-venv
fi

has() {
    case $1 in
    default-jre-headless)
        # 17 or newer: `openjdk version "17.0.15" …`
        version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1) &&
            [ "${version:-0}" -ge 17 ] ;;
    maven) command -v mvn ;;
    redis-server) command -v redis-server ;;
    postgresql) command -v initdb || ls /usr/lib/postgresql/*/bin/initdb ;;
    chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
    prometheus) command -v promtool ;;
    python3-venv) "${PYTHON:-python3}" -c 'import ensurepip, venv' ;;
    *)
        echo "$0: unknown package $1" >&2
        exit 2 ;;
    esac >/dev/null 2>&1
}

missing=
for package in "$@"; do
    has "$package" || missing="$missing $package"
done
missing=${missing# }

if [ $check = yes ]; then
    echo "$missing"
    exit 0
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing, and only root on Debian may install it: $missing. (On Debian or Ubuntu: sudo apt-get install $missing)" >&2
    exit 3
fi

echo "Installing with apt-get: $missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update >&2
# shellcheck disable=SC2086 # the names are words
apt-get -qq -o Dpkg::Use-Pty=0 install --yes --no-install-recommends $missing >&2
