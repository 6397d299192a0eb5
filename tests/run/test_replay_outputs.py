"""What a run says of its replay."""

from pathlib import Path

import numpy as np
import pytest

from stylizer.frame import Frame
from stylizer.run.outputs import Outputs
from stylizer.settings import Settings

PICTURE = np.full((48, 64, 4), 90, np.uint8)


def test_a_save_that_the_end_waits_for_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = Outputs(Settings(replay=3.0, recordings=tmp_path))
    for number in range(5):
        outputs.add(Frame(PICTURE, "RGBA", 0.0, number), PICTURE)
    assert outputs.save_replay() == "saving the replay"
    outputs.close()
    [file] = tmp_path.iterdir()
    said = capsys.readouterr().err
    assert said.startswith("stylizer: saved the last ")
    assert file.name in said
    assert said.count("saved") == 1


def test_a_replay_that_ended_says_why_at_each_key(tmp_path: Path) -> None:
    outputs = Outputs(Settings(replay=3.0, recordings=tmp_path))
    outputs.add(Frame(PICTURE, "RGBA", 0.0, 0), PICTURE)
    replay = outputs._replay
    assert replay is not None
    replay.add("no picture", 0.0)  # type: ignore[arg-type]
    replay._thread.join(20)
    assert outputs.take_notices() == [replay.failure]
    assert outputs.take_notices() == [], "once by itself"
    for _ in range(2):
        assert outputs.save_replay() == replay.failure
    assert not list(tmp_path.iterdir())
    outputs.close()
