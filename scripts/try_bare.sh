#!/usr/bin/env bash
# What a newcomer meets: a bare Debian (debootstrap, minbase), the wheel put into it by pip, pipx or uv
# as an ordinary user, and the stylizer run there, first without a single library of the system's.
# Root and debootstrap are needed, 4 GB of disk, some minutes:
#     scripts/try_bare.sh [bookworm|trixie] [pip|pipx|uv]
# The download is measured as pip or uv fetch it. BARE names the folder, which is kept for the next try.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=${1:-bookworm}
tool=${2:-pip}
base=${BARE:-/tmp/stylizer-bare}
root=$base/$suite-$tool

[ "$(id -u)" = 0 ] || { echo "try_bare: root is needed, for debootstrap and chroot" >&2; exit 1; }
command -v debootstrap >/dev/null || {
    echo "try_bare: apt-get install debootstrap" >&2
    exit 1
}

mkdir -p "$base"
if [ ! -e "$base/$suite/.done" ]; then
    rm -rf "${base:?}/$suite"
    debootstrap --variant=minbase "$suite" "$base/$suite" >"$base/$suite.log"
    touch "$base/$suite/.done"
fi
rm -rf "$root"
cp -a "$base/$suite" "$root"
.venv/bin/python -m build --wheel --no-isolation --outdir "$root/opt/wheel" . >/dev/null 2>&1
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/opt/" # a machine may reach the registry by its own

inside() { # user, command: in the Debian, its /proc and /dev for as long as the command runs
    unshare --mount --fork sh -c "mount -t proc proc $root/proc && mount --rbind /dev $root/dev && exec \
        chroot --userspec=$1:$1 $root /usr/bin/env -i HOME=$([ "$1" = root ] && echo /root || echo /home/$1) \
        PATH=/home/$1/.local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        PIP_CERT=/opt/ca-certificates.crt SSL_CERT_FILE=/opt/ca-certificates.crt \
        sh -c 'cd; $2'"
}
say() { printf '\n== %s\n' "$*"; }
apt() {
    say "apt-get install --no-install-recommends $*"
    inside root "apt-get install -y --no-install-recommends $* >/tmp/apt.log 2>&1 || cat /tmp/apt.log"
}
try() { # what a newcomer types; a failure is a result here
    say "\$ $1"
    inside newcomer "$1" && echo "(exit 0)" || echo "(exit $?)"
}

inside root "useradd -m newcomer && apt-get update -qq"
case $tool in
pip) apt python3-venv && install="python3 -m venv v && v/bin/pip install --no-cache-dir /opt/wheel/*.whl" ;;
pipx) apt pipx && install="pipx install --pip-args=--no-cache-dir /opt/wheel/*.whl" ;;
uv) apt python3-venv && inside newcomer "python3 -m venv u && u/bin/pip install -q uv" &&
    install="u/bin/uv tool install --no-cache /opt/wheel/*.whl" ;;
*) echo "try_bare: pip, pipx or uv, not $tool" >&2 && exit 2 ;;
esac
say "\$ $install"
inside newcomer "$install" >"$base/$suite-$tool.log" 2>&1 || { tail -20 "$base/$suite-$tool.log" && exit 1; }
tail -3 "$base/$suite-$tool.log"
sed -nE 's/.*Downloading .*\(([0-9.]+) ?([kKM]i?)B\).*/\1 \2/p' "$base/$suite-$tool.log" |
    awk 'BEGIN { mb["k"] = 1e-3; mb["M"] = 1; mb["Ki"] = 1.024e-3; mb["Mi"] = 1.048576 }
        { sum += $1 * mb[$2] } END { if (sum) printf "download: %.0f MB beside the wheel\n", sum }'
printf 'the wheel: %.1f MB; on the disk afterwards: %d MB\n' \
    "$(stat -c %s "$root"/opt/wheel/*.whl | awk '{ print $1 / 1e6 }')" "$(du -sm "$root/home" | cut -f1)"
[ "$tool" != pip ] || inside newcomer "mkdir -p .local/bin && ln -s ~/v/bin/stylizer .local/bin/"

synthetic="stylizer run --source synthetic --present offscreen --sync --frames 20 --screenshot p.png --report r.json"
try "stylizer --version"
try "$synthetic --overwrite"
try "stylizer doctor"
apt libegl1 libgl1 libgl1-mesa-dri # the line that was told
try "$synthetic --overwrite"
try "stylizer doctor"
cp "$root/home/newcomer/p.png" "$base/$suite-$tool.png" && say "picture: $base/$suite-$tool.png"
