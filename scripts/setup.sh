#!/usr/bin/env bash
# Sets up everything for `make demo` (run), `make test` (test) or `make test-desktop` (desktop): system
# libraries, .venv, the package. Idempotent: done in well under two seconds when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-run}

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "setup: Python 3.11 or newer is needed; set PYTHON=/path/to/python3" >&2
    exit 1
}

has_library() { ldconfig -p 2>/dev/null | grep -q "$1" || /sbin/ldconfig -p 2>/dev/null | grep -q "$1"; }

missing=()
if [ "$(uname -s)" = Linux ]; then
    has_library libEGL.so.1 || missing+=(libegl1)
    has_library libGL.so.1 || missing+=(libgl1)
    has_library libX11.so.6 || missing+=(libx11-6)
    has_library libXext.so.6 || missing+=(libxext6)
    has_library libXcomposite.so.1 || missing+=(libxcomposite1)
    has_library libXdamage.so.1 || missing+=(libxdamage1)
    for part in randr render shm xfixes; do # python-mss loads them all
        has_library libxcb-$part.so.0 || missing+=(libxcb-${part}0)
    done
    # libEGL alone draws nothing: this is Mesa's vendor library.
    has_library libEGL_mesa.so.0 || has_library libEGL_nvidia.so.0 || missing+=(libegl-mesa0)
    [ -d .venv ] || "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    if [ "$what" != run ]; then
        command -v Xvfb >/dev/null || missing+=(xvfb)
        command -v xdotool >/dev/null || missing+=(xdotool)
        command -v openbox >/dev/null || missing+=(openbox)
        command -v icewm >/dev/null || missing+=(icewm)
        command -v setxkbmap >/dev/null || missing+=(x11-xkb-utils)
        if [ "$(uname -m)" = x86_64 ]; then # one frame on a CPU without VNNI
            command -v qemu-x86_64 >/dev/null || missing+=(qemu-user)
        fi
    fi
fi
sudo=
[ "$(id -u)" = 0 ] || sudo="sudo -n"
if [ ${#missing[@]} -gt 0 ]; then
    line="apt-get install -y --no-install-recommends ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "setup: these Debian packages or their like are needed: ${missing[*]}" >&2
        exit 1
    elif [ -n "$sudo" ] && ! sudo -n true 2>/dev/null; then
        echo "setup: system packages are missing; run: sudo $line" >&2
        exit 1
    fi
    echo "setup: $line"
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo $line >/dev/null
fi

extras=""
if [ "$what" != run ]; then
    extras="[lab,openvino,dev]"
fi
stamp=.venv/.stamp-$what
want=$(cat pyproject.toml constraints.txt scripts/setup.sh | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && [ -x .venv/bin/python ]; then
    exit 0
fi
try_install() { # packages that some tests need; they are skipped by name without
    [ $# -gt 0 ] || return 0
    echo "setup: apt-get install --no-install-recommends $*"
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y --no-install-recommends "$@" \
        >/dev/null 2>&1 || echo "setup: not to be had: $*; the tests that need them are skipped"
}
if [ "$what" != run ] && [ "$(uname -s)" = Linux ]; then # once: what cannot be had is not asked again
    games=() # real ones to capture, 4 MB together; without them their tests are skipped by name
    for game in chromium-bsu armagetronad; do
        [ -x "/usr/games/$game" ] || games+=("$game")
    done
    desktop=() # Wayland desktops without a screen, and a browser
    if [ "$what" = desktop ]; then
        for part in sway mutter grim dbus-daemon pipewire wireplumber chromium mpv; do
            command -v $part >/dev/null || desktop+=("$part")
        done
        for part in xdg-desktop-portal xdg-desktop-portal-wlr; do
            [ -x /usr/libexec/$part ] || desktop+=("$part")
        done
        command -v Xwayland >/dev/null || desktop+=(xwayland)
        # exported shaders: compiled, and run by a layer of Vulkan
        command -v glslangValidator >/dev/null || desktop+=(glslang-tools)
        command -v spirv-cross >/dev/null || desktop+=(spirv-cross)
        [ -f /usr/share/vulkan/icd.d/lvp_icd.x86_64.json ] || desktop+=(mesa-vulkan-drivers)
        [ -f /usr/share/vulkan/implicit_layer.d/vkBasalt.json ] || desktop+=(vkbasalt)
    fi
    [ $((${#games[@]} + ${#desktop[@]})) = 0 ] || [ ${#missing[@]} -gt 0 ] ||
        $sudo apt-get update -qq >/dev/null 2>&1 || true
    try_install "${games[@]}"
    try_install "${desktop[@]}"
fi
if [ ! -x .venv/bin/python ]; then
    "$python" -m venv .venv
fi
echo "setup: installing the package into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".$extras"
echo "$want" >"$stamp"
if has_library libcuda.so.1 && [ "$(uname -m)" = x86_64 ]; then # some 2 GB: offered, not taken
    echo "setup: there is an NVIDIA driver; for --provider cuda: .venv/bin/python -m pip install -e '.[cuda]'"
    echo "setup: then .venv/bin/stylizer doctor says whether it works"
fi
