#!/usr/bin/env bash
# An AppImage of the wheel, what it needs and Python itself, CPU only: out/stylizer-x86_64.AppImage.
# It runs where glibc is as new as here. Wanted, all of Debian:
#     apt-get install gcc libsquashfuse-dev libfuse3-dev zlib1g-dev liblzma-dev libzstd-dev liblz4-dev \
#         liblzo2-dev squashfs-tools patchelf
#     scripts/make_appimage.sh
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/appimage
app=$build/AppDir
out=out/stylizer-x86_64.AppImage
python=.venv/bin/python

for tool in gcc mksquashfs patchelf; do
    command -v $tool >/dev/null || {
        echo "make_appimage: $tool is needed: see the first lines of this script" >&2
        exit 1
    }
done
rm -rf "$build"
mkdir -p "$app/usr/bin" "$app/usr/lib" out

# the runtime, the program at its head: AppImage's own is in no package of Debian, PyPI or npm
gcc -O2 -static -s -DFUSE_USE_VERSION=35 -D_FILE_OFFSET_BITS=64 -I/usr/include/fuse3 \
    scripts/appimage/runtime.c -o "$build/runtime" -lsquashfuse_ll -lsquashfuse -lfuse3 \
    -lz -llzma -lzstd -llz4 -llzo2 -lpthread -ldl 2>"$build/gcc.log" || {
    cat "$build/gcc.log" >&2
    exit 1
}

# Python, with the libraries that it links and glibc does not bring
read -r name program library < <($python -c 'import os, sys, sysconfig as s
name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
print(name, os.path.realpath(sys.executable), s.get_path("stdlib"))')
cp "$program" "$app/usr/bin/$name"
tar -C "$(dirname "$library")" --exclude=test --exclude=tests --exclude=idlelib --exclude=tkinter \
    --exclude=site-packages --exclude=dist-packages --exclude=__pycache__ --exclude='config-*' \
    -c "$name" | tar -C "$app/usr/lib" -x
find "$app/usr/lib/$name/lib-dynload" -name '_tkinter*' -delete
ldd "$app/usr/bin/$name" "$app/usr/lib/$name"/lib-dynload/*.so |
    awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    grep -vE '/(libc|libm|libdl|libpthread|librt|libutil|ld-linux.*)\.so' |
    xargs -r cp -Lt "$app/usr/lib" --
patchelf --set-rpath '$ORIGIN/../lib' "$app/usr/bin/$name"
for part in "$app/usr/lib/$name"/lib-dynload/*.so; do
    patchelf --set-rpath '$ORIGIN/../..' "$part"
done

# the package and what it needs
site=$("$app/usr/bin/$name" -I -c 'import site; print(site.getsitepackages()[-1])')
$python -m build --wheel --no-isolation --outdir "$build" . >/dev/null 2>&1
$python scripts/cpu_only.py >"$build/wanted.txt"
pip="$python -m pip install --quiet --disable-pip-version-check --no-compile --target $site"
$pip --only-binary=:all: -c constraints.txt --requirement "$build/wanted.txt"
rm -rf "$site/bin"
$pip --no-deps "$build"/stylizer-*.whl
rm -rf "$site/bin"
"$app/usr/bin/$name" -I -m compileall -q --invalidation-mode unchecked-hash "$app/usr/lib" \
    >/dev/null || true # some packages hold files for other versions of Python

cat >"$app/usr/bin/stylizer" <<'PYTHON'
import sys

from stylizer.app.start import main

if __name__ == "__main__":
    sys.exit(main())
PYTHON
cat >"$app/AppRun" <<SH
#!/bin/sh
exec "\$APPDIR/usr/bin/$name" -I "\$APPDIR/usr/bin/stylizer" "\$@"
SH
chmod 755 "$app/AppRun"
XDG_DATA_HOME="$PWD/$app/usr/share" APPIMAGE=stylizer APPDIR="$PWD/$app" "$app/AppRun" install-desktop >/dev/null
id=io.github.stylizer.Stylizer
cp "$app/usr/share/applications/$id.desktop" "$app/"
cp "$app/usr/share/icons/hicolor/256x256/apps/$id.png" "$app/"
ln -s "$id.png" "$app/.DirIcon"

mksquashfs "$app" "$build/image.squashfs" -root-owned -noappend -quiet -no-progress -comp zstd -Xcompression-level "${LEVEL:-15}" -b 256K
cat "$build/runtime" "$build/image.squashfs" >"$out"
printf 'AI\002' | dd of="$out" bs=1 seek=8 conv=notrunc status=none # what a type 2 is known by
chmod 755 "$out"
echo "make_appimage: $out, $(du -sm "$out" | cut -f1) MB; $(du -sm "$app" | cut -f1) MB unpacked"
