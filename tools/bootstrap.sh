#!/bin/sh
# Makes .venv ready: finds a Python, then runs tools/bootstrap.py with it. Arguments: the extras to install.
set -eu
cd "$(dirname "$0")/.."

# Whether $1 is a finished Python >= 3.11 that can do $2.
fits() {
    "$1" -c "import sys; $2; sys.exit(sys.version_info < (3, 11) or sys.version_info[3] != 'final')" 2>/dev/null
}

# The newest one that can make a virtual environment; else the newest, which then says what it lacks.
find_python() {
    for need in "import venv; from ensurepip import version" "pass"; do
        for python in python3.19 python3.18 python3.17 python3.16 python3.15 python3.14 python3.13 python3.12 \
            python3.11 python3; do
            if fits "$python" "$need"; then
                echo "$python"
                return
            fi
        done
    done
}

# Debian 12 has it as python3; Ubuntu 22.04, whose python3 is 3.10, as python3.11.
advice() {
    case "$(. /etc/os-release 2>/dev/null && echo "${ID:-} ${VERSION_ID:-}")" in
        "ubuntu 22.04") echo "apt-get install python3.11 python3.11-venv" ;;
        *) echo "apt-get install python3 python3-venv" ;;
    esac
}

python="${PYTHON:-$(find_python)}"
if [ -z "$python" ] || ! fits "$python" pass; then
    echo "Ringback needs Python 3.11 or newer${PYTHON:+, which $PYTHON is not}: $(advice)" >&2
    exit 1
fi
exec "$python" tools/bootstrap.py "$@"
