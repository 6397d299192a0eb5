"""A small game of its own process for the capture tests: one color, a stripe that moves.

`painted_window.py TITLE X Y WIDTH HEIGHT R G B`; reads commands on standard input: `still` (stop
drawing), `same` (draw the same picture again and again), `draw`, `hold` (the mouse, while it has
the keyboard), `close` (the window), `open` (another), `quit`. Says "ready" when the window is
there, then the clicks and keys it gets:
"click 12 34", "key a".
"""

import os
import select
import sys

title, x, y, width, height = sys.argv[1], *(int(v) for v in sys.argv[2:6])
color = tuple(int(v) for v in sys.argv[6:9])
os.environ["SDL_VIDEO_WINDOW_POS"] = f"{x},{y}"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"

import pygame  # noqa: E402

pygame.display.init()
pygame.display.set_caption(title)
screen = pygame.display.set_mode((width, height), pygame.RESIZABLE)
clock = pygame.time.Clock()
number, drawing, step, said = 0, True, True, False
while True:
    exposed = False
    for event in pygame.event.get():
        exposed |= event.type == pygame.WINDOWEXPOSED
        if event.type == pygame.QUIT:
            sys.exit()
        if event.type == pygame.MOUSEBUTTONDOWN:
            print("click", *event.pos, flush=True)
        if event.type == pygame.KEYDOWN:
            print("key", pygame.key.name(event.key), flush=True)
    if select.select([sys.stdin], [], [], 0)[0]:
        words = sys.stdin.readline().split()
        if not words or words[0] == "quit":
            sys.exit()
        if words[0] == "hold":
            pygame.event.set_grab(True)
            continue
        if words[0] == "close":
            pygame.display.quit()
            assert sys.stdin.readline() == "open\n"
            pygame.display.init()
            pygame.display.set_caption(title)
            pygame.display.set_mode((width, height), pygame.RESIZABLE)
            continue
        drawing, step = words[0] != "still", words[0] != "same"
    if drawing or exposed:
        screen = pygame.display.get_surface() or screen  # another after a resize
        screen.fill(color)
        screen.fill((0, 0, 0), (number * 4 % max(1, screen.get_width() - 8), 0, 8, 4))
        pygame.display.flip()
        number += step
    if not said:
        print("ready", flush=True)
        said = True
    clock.tick(40)
