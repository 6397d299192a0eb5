"""Which kind of shaders draws a network: the one that a short measurement finds faster here."""

from __future__ import annotations

import moderngl

from stylizer.frame import Size
from stylizer.style.gl.layout import GROUP
from stylizer.style.gl.network import COMPUTE_VERSION, Kind, Network, Picture
from stylizer.style.gl.steps import Steps
from stylizer.style.reasons import first_line

TURNS, LEAST_TURNS, ENOUGH_MS = 5, 2, 50.0  # the first one compiles
COMPUTE_KINDS: tuple[Kind, ...] = ("compute", "packed")
MOST_BLOCKS = (160, 90)  # a picture of 640x360 fills a GPU


def fastest(
    context: moderngl.Context, steps: Steps, blocks: Size, software: bool
) -> tuple[Network, str]:
    """The network, and how its shaders were chosen, in words. blocks: of the pictures to come,
    across and down. software: a renderer on the CPU, for which all are level and compiling them
    takes longest. GL thread only. Raises as `Network`."""
    drawn = Network(context, steps)
    if software:
        return drawn, "fragment shaders: others are not tried in software"
    version = context.version_code
    if version < COMPUTE_VERSION:
        told = f"OpenGL {version // 100}.{version // 10 % 10} has no others"
        return drawn, f"fragment shaders: {told}"
    others: list[Network] = []
    try:
        for kind in COMPUTE_KINDS:
            others.append(Network(context, steps, kind))
    except Exception as error:  # moderngl raises bare Exceptions
        if not others:
            return drawn, f"fragment shaders: the driver refuses the others ({first_line(error)})"
    if not others[0].computes:
        for other in others:
            other.release()
        return drawn, "fragment shaders: it looks at single pixels only"
    return _fastest_of([drawn, *others], blocks)


def _fastest_of(networks: list[Network], blocks: Size) -> tuple[Network, str]:
    """One of several kinds, timed in turns; the others are freed."""
    context, steps = networks[0].context, networks[0].network
    columns, rows = (min(pair) for pair in zip(blocks, MOST_BLOCKS, strict=True))
    trial = Trial(context, steps, (columns, rows))
    try:
        ms = trial.best_ms(networks)
    finally:
        trial.release()
    best, *others = sorted(networks, key=ms.__getitem__)
    for other in others:
        other.release()
    told = ", ".join([f"{ms[best]:.2f} ms", *(f"{o.kind} {ms[o]:.2f}" for o in others)])
    return best, f"{best.kind} shaders: {told}, at {columns}x{rows} blocks"


class Trial:
    """Runs networks of the same steps on pictures of nothing, which take the same time. blocks:
    across and down. GL thread only."""

    def __init__(self, context: moderngl.Context, steps: Steps, blocks: Size) -> None:
        self._context = context
        self._blocks = columns, rows = blocks
        self._across = steps.result.channels // GROUP
        self._textures = [context.texture((columns * self._across, rows), GROUP)]
        self._into = context.framebuffer(self._textures[:1])
        self._given: dict[str, Picture] = {}
        for tensor in steps.given:
            across = tensor.channels // GROUP
            self._textures.append(context.texture((columns * across, rows), GROUP))
            self._given[tensor.given] = Picture(self._textures[-1], (across, 1))
        self._timer = context.query(time=True)

    def best_ms(self, networks: list[Network]) -> dict[Network, float]:
        """The shortest time of each, taken in turns."""
        turns: list[dict[Network, float]] = []
        while len(turns) < TURNS:
            turns.append({network: self._ms(network) for network in networks})
            if len(turns) >= LEAST_TURNS and sum(turns[-1].values()) > ENOUGH_MS:
                break
        return {network: min(turn[network] for turn in turns) for network in networks}

    def _ms(self, network: Network) -> float:
        with self._timer:
            network.run(self._given, self._blocks, (self._across, 1), self._into)
        return self._timer.elapsed / 1e6

    def release(self) -> None:
        self._into.release()
        for texture in self._textures:
            texture.release()
