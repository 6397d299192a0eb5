"""The synthetic picture in a real X window, each frame with its number and time burned in.

`synthetic_window.py TITLE X Y WIDTH HEIGHT FPS`; says "ready" when the window is there.
"""

import os
import sys
import time

title, x, y, width, height, rate = sys.argv[1], *(int(v) for v in sys.argv[2:7])
os.environ["SDL_VIDEO_WINDOW_POS"] = f"{x},{y}"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
os.environ["SDL_FRAMEBUFFER_ACCELERATION"] = "0"  # a put of shared memory, not a GL texture

import numpy as np  # noqa: E402
import pygame  # noqa: E402

from stylizer.settings import Settings  # noqa: E402
from stylizer.source.synthetic import SyntheticSource, burn_time  # noqa: E402

pygame.display.init()
pygame.display.set_caption(title)
screen = pygame.display.set_mode((width, height))
source = SyntheticSource(Settings(size=(width, height)))
number, due = 0, time.perf_counter()
while True:
    if any(event.type == pygame.QUIT for event in pygame.event.get()):
        sys.exit()
    pixels = source.draw(number)[:, :, [2, 1, 0, 3]]  # as the screen has them: BGRX
    time.sleep(max(0.0, due - time.perf_counter()))
    due = max(due, time.perf_counter() - 1 / rate) + 1 / rate
    burn_time(pixels, time.perf_counter())
    shown = np.asarray(screen.get_buffer(), np.uint8)  # a view
    shown.reshape(height, -1)[:, : 4 * width] = pixels.reshape(height, -1)
    pygame.display.flip()
    if number == 0:
        print("ready", flush=True)
    number += 1
