#!/bin/sh
# Installs what is missing of the packages named, and says so first.
#
#   setup-system.sh [--check] [default-jre-headless] [maven] [redis-server] [postgresql] [python3-venv] [chromium]
#
# Without names: all of them but chromium, which only `make browser` asks for. With --check it only prints the names of those missing.
# Ends with 3 when something is missing and may not be installed here.
set -eu

# Debian's apt starts the redis-server and postgresql that it installs, where there is an init system. That
# does no harm: Segue starts servers of its own, on other ports.

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
    echo "Missing here, and not mine to install: $missing. (On Debian or Ubuntu: sudo apt-get install $missing)" >&2
    exit 3
fi

echo "Installing with apt-get: $missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update >&2
# shellcheck disable=SC2086 # the names are words
apt-get -qq -o Dpkg::Use-Pty=0 install --yes --no-install-recommends $missing >&2
