"""What would help where the frame rate asked for is missed, and which key does it."""

from __future__ import annotations

from stylizer.run.opened import Opened
from stylizer.run.target_rate import TargetRate


def advice(target_rate: TargetRate, opened: Opened) -> str:
    """One sentence, once for a model that is too slow for the rate; else "". Main thread only."""
    current = opened.bank.current
    if current is None or not target_rate.missed:
        return ""
    from stylizer.style import catalog

    tier = catalog.faster_tier(current.model)
    panel = opened.hud.key("panel", opened.presenter.key_names)
    if tier:
        key = opened.hud.key(f"model_{tier}", opened.presenter.key_names)
        helps = f"press {key} for the {tier} model"
    elif opened.blending.current is not None:
        helps = f"without the second style it is faster ({panel}: blend with)"
    else:
        helps = (
            f"a lower rate leaves the network more room ({panel}: Speed), or close other programs"
        )
    return f"{target_rate.target_fps:g} fps are missed: {helps}"
