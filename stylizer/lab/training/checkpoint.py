"""A training under way: its network, its optimizer, and what a checkpoint keeps of them."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from stylizer.errors import BadInput
from stylizer.lab.nets.registry import Network, Recipe, new_network
from stylizer.lab.onnx.export import load_network
from stylizer.lab.training.balance import Balance
from stylizer.system.console import say
from stylizer.system.files import atomic_write

EVERY_STEPS = 50
EVERY_S = 120.0


@dataclass
class TrainState:
    """What a checkpoint holds."""

    network: Network
    optimizer: torch.optim.Optimizer
    step: int = 0
    skipped: int = 0
    seconds: float = 0.0
    balance: Balance = field(default_factory=Balance)
    followed: bool = False  # ranges, from the first step on: it is exported before its end


def new_state(recipe: Recipe, start: Path | None = None) -> TrainState:
    """A network, freshly initialized or with a model's weights, and its optimizer; same seed, same
    weights. Raises BadInput when `start` is of another architecture."""
    torch.manual_seed(recipe.seed)
    network = new_network(recipe.arch, normed=recipe.norm_share > 0)
    if start is not None:
        fresh, network = network, load_network(start)
        if fresh.arch.name != network.arch.name:
            raise BadInput(
                f"{start}: a model of --arch {network.arch.name}; it cannot start {recipe.arch}"
            )
    return TrainState(network, torch.optim.Adam(network.parameters(), lr=recipe.learning_rate))


def save_checkpoint(path: Path, state: TrainState, recipe: Recipe) -> None:
    """Written beside and moved into place, so that a kill never leaves half a file."""
    kept = {
        "network": state.network.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "step": state.step,
        "skipped": state.skipped,
        "seconds": state.seconds,
        "balance": asdict(state.balance),
        "recipe": asdict(recipe),
    }
    with atomic_write(path) as file:
        torch.save(kept, file)


@dataclass
class Keeper:
    """When the checkpoint of a training is written: after its first step, every EVERY_STEPS steps
    and EVERY_S seconds, and at its end."""

    path: Path
    recipe: Recipe
    written_at: float | None = None

    def keep(self, state: TrainState, last: bool) -> None:
        """After a step. Raises StylizerError when the disk is full."""
        now = time.monotonic()
        due = self.written_at is None or now - self.written_at >= EVERY_S
        if due or last or state.step % EVERY_STEPS == 0:
            save_checkpoint(self.path, state, self.recipe)
            self.written_at = now


def set_aside(path: Path) -> Path | None:
    """A checkpoint that another training left gets the name of its step, and is not written over;
    returns that name, None where there was none."""
    if not path.is_file():
        return None
    try:
        step = int(torch.load(path, map_location="cpu", weights_only=True)["step"])
    except Exception:  # whatever it is, it is not ours to lose
        step = 0
    aside = path.with_name(f"{path.stem}-step-{step}{path.suffix}")
    path.replace(aside)
    return aside


def load_checkpoint(path: Path, recipe: Recipe, start: Path | None = None) -> TrainState:
    """State of a checkpoint of a training from `start`; says what that training had otherwise.

    Raises BadInput when missing, damaged or of another network.
    """
    if not path.is_file():
        raise BadInput(f"{path}: no checkpoint to resume; start without --resume")
    state = new_state(recipe, start)
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        state.network.load_state_dict(saved["network"])
        state.optimizer.load_state_dict(saved["optimizer"])
        state.balance = Balance(**saved.get("balance", {}))
    except Exception as error:
        first = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
        raise BadInput(f"{path}: not a checkpoint of --arch {recipe.arch} ({first})") from error
    changed = changes(saved.get("recipe", {}), asdict(recipe))
    if changed:
        say(f"{path}: of a training with {'; '.join(changed)}: it goes on with the latter")
    state.step, state.skipped, state.seconds = saved["step"], saved["skipped"], saved["seconds"]
    return state


def changes(before: dict[str, Any], now: dict[str, Any], of: str = "") -> list[str]:
    """What two recipes have otherwise, each "NAME THEN, here NOW"; more steps are no change."""
    found = []
    for name in sorted(before.keys() & now.keys() - {"steps"}):
        then, here = before[name], now[name]
        if isinstance(then, dict) and isinstance(here, dict):
            found += changes(then, here, f"{of}{name}.")
        elif then != here:
            found.append(f"{of}{name} {then}, here {here}")
    return found
