#!/usr/bin/env bash
# The main job: the live stylized demo; without a display 300 frames offscreen, left in out/.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname -s)" != Linux ]; then
    exec .venv/bin/python main.py run
fi
echo "demo: no display, so 300 frames are rendered offscreen in lock-step into out/"
mkdir -p out
exec .venv/bin/python main.py run --present offscreen --sync --frames 300 \
    --record out/demo.mp4 --screenshot out/demo.png --report out/demo.json --overwrite
