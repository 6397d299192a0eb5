"""A small game with a HUD, in a process of its own: `hud_window.py TITLE X Y WIDTH HEIGHT`.

A checkered scene that scrolls, over it a dark bar with bright marks, 200 x 40 at (HUD_X, HUD_Y).
Says "ready" when the window is there.
"""

import os
import sys

HUD_X, HUD_Y, HUD_WIDTH, HUD_HEIGHT = 640, 40, 200, 40
GROUND, MARK = (20, 20, 30), (240, 230, 200)


def main() -> None:
    title, x, y, width, height = sys.argv[1], *(int(v) for v in sys.argv[2:6])
    os.environ["SDL_VIDEO_WINDOW_POS"] = f"{x},{y}"
    os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
    import pygame

    pygame.display.init()
    pygame.display.set_caption(title)
    screen = pygame.display.set_mode((width, height))
    scene = pygame.Surface((width + 800, height + 800))
    for row in range(0, height + 800, 40):
        for column in range(0, width + 800, 40):
            shade = 60 + (row * 7 + column * 13) // 40 * 37 % 150
            scene.fill((shade, 255 - shade, 90), (column, row, 40, 40))
    clock, step, said = pygame.time.Clock(), 0, False
    while not any(event.type == pygame.QUIT for event in pygame.event.get()):
        screen.blit(scene, (-(step * 5 % 800), -(step * 3 % 800)))
        screen.fill(GROUND, (HUD_X, HUD_Y, HUD_WIDTH, HUD_HEIGHT))
        for place in range(HUD_X + 10, HUD_X + HUD_WIDTH - 20, 20):
            screen.fill(MARK, (place, HUD_Y + 10, 10, 20))
        pygame.display.flip()
        step += 1
        if not said:
            print("ready", flush=True)
            said = True
        clock.tick(20)


if __name__ == "__main__":
    main()
