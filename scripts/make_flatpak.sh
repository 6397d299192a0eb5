#!/usr/bin/env bash
# A Flatpak of the wheel and the wheels it needs, CPU only: out/stylizer.flatpak. Wanted: flatpak-builder,
# and the runtime that the manifest names (its first run says how). Never built so far: no runtime was in reach.
#     scripts/make_flatpak.sh [--wheels-only]
set -euo pipefail
cd "$(dirname "$0")/.."
manifest=scripts/flatpak/io.github.stylizer.Stylizer.json
wheels=build/flatpak/wheels
python=3.12 # of the manifest's runtime

rm -rf "$wheels"
mkdir -p "$wheels" out
.venv/bin/python -m build --wheel --no-isolation --outdir "$wheels" . >/dev/null 2>&1
# Without the GPU's library: a sandbox has no CUDA.
.venv/bin/python scripts/cpu_only.py >build/flatpak/wanted.txt
.venv/bin/python -m pip download --quiet --disable-pip-version-check --only-binary=:all: -c constraints.txt \
    --python-version "$python" --platform manylinux2014_x86_64 --platform manylinux_2_27_x86_64 \
    --platform manylinux_2_28_x86_64 --dest "$wheels" --requirement build/flatpak/wanted.txt
echo "make_flatpak: $(find "$wheels" -name '*.whl' | wc -l) wheels, $(du -sm "$wheels" | cut -f1) MB in $wheels"
[ "${1:-}" != --wheels-only ] || exit 0

command -v flatpak-builder >/dev/null || {
    echo "make_flatpak: flatpak-builder is needed: apt-get install flatpak-builder" >&2
    exit 1
}
flatpak-builder --show-manifest "$manifest" >/dev/null
flatpak info org.freedesktop.Sdk//24.08 >/dev/null 2>&1 || {
    echo "make_flatpak: the runtime is needed: flatpak install flathub" \
        "org.freedesktop.Platform//24.08 org.freedesktop.Sdk//24.08" >&2
    exit 1
}
flatpak-builder --force-clean --repo=build/flatpak/repo build/flatpak/app "$manifest"
flatpak build-bundle build/flatpak/repo out/stylizer.flatpak io.github.stylizer.Stylizer
ls -l out/stylizer.flatpak
