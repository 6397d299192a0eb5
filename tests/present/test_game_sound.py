"""The sound of a live recording, on a real PipeWire: whose it is, and that it fits the picture."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from parts_of_desktops import pipewire_alone
from sway_desktop import SwayDesktop, skip_without
from whole_program import ROOT, OnScreen, fails, until, xdotool
from x_display import x_server

from stylizer.present.live_sound import LiveSound
from stylizer.system.pipewire_sound import RATE, Heard

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PipeWire")
desktop = [pytest.mark.desktop, linux]
OWN_HZ, OTHER_HZ = 880, 3000
# A game that beeps while it flashes, once a second; its title, and its tone in Hz.
GAME = """
import sys, time, numpy, pygame
pygame.mixer.init(48000, -16, 2, 256)
pygame.display.init()
screen = pygame.display.set_mode((160, 120))
pygame.display.set_caption(sys.argv[1])
t = numpy.arange(int(48000 * 0.15)) / 48000
tone = (numpy.sin(2 * numpy.pi * float(sys.argv[2]) * t) * 12000).astype(numpy.int16)
beep = pygame.sndarray.make_sound(numpy.repeat(tone[:, None], 2, 1).copy())
print("ready", flush=True)
began, number, clock = time.monotonic(), 0, pygame.time.Clock()
while True:
    pygame.event.pump()
    now = time.monotonic() - began
    on = now % 1.0 < 0.15
    if on and int(now) > number:
        number = int(now)
        beep.play()
    # Never twice the same picture, or it would not be captured anew.
    screen.fill((255, 255, 250 - number % 2) if on else (0, 0, int(now * 60) % 60))
    pygame.display.flip()
    clock.tick(50)
"""


@pytest.fixture(scope="module")
def sound_desktop() -> Iterator[dict[str, str]]:
    """The environment of an X server, and a PipeWire with loudspeakers that nobody hears."""
    skip_without({"pipewire-pulse": "pipewire-pulse", "pactl": "pulseaudio-utils"})
    with x_server() as display, pipewire_alone() as running, pulse(running) as env:
        yield env | {"DISPLAY": display, "PYTHONPATH": str(ROOT)}


@contextmanager
def pulse(running: SwayDesktop) -> Iterator[dict[str, str]]:
    env = os.environ | running.env
    server = subprocess.Popen(["pipewire-pulse"], env=env, stderr=subprocess.DEVNULL)
    try:
        for words in (["info"], ["load-module", "module-null-sink", "sink_name=speakers"]):
            deadline = time.monotonic() + 30
            while subprocess.run(["pactl", *words], env=env, capture_output=True).returncode:
                assert time.monotonic() < deadline, "PulseAudio's side of PipeWire did not start"
                time.sleep(0.1)
        subprocess.run(["pactl", "set-default-sink", "speakers"], env=env, check=True)
        yield env
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def play(sound_desktop: dict[str, str]) -> Iterator[Callable[[str, int], subprocess.Popen]]:
    """Starts a game of this title and tone."""
    games = []

    def start(title: str, hz: int) -> subprocess.Popen:
        env = sound_desktop | {"SDL_AUDIODRIVER": "pulseaudio", "SDL_VIDEODRIVER": "x11"}
        game = subprocess.Popen(
            [sys.executable, "-c", GAME, title, str(hz)], env=env, stdout=subprocess.PIPE
        )
        games.append(game)
        assert game.stdout is not None
        while game.stdout.readline() not in (b"ready\n", b""):
            pass
        assert game.poll() is None, "the game has sound"
        return game

    yield start
    for game in games:
        game.kill()
        game.wait()


def recorded(env: dict[str, str], path: Path, *argv: str) -> str:
    """Record the game for some seconds; what the program said."""
    words = ["run", "--window", "Beeping Game", "--model", "none", "--hud", "off", *argv]
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *words, "--record", str(path), "--seconds", "8"],
        env=env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


def heard(path: Path) -> np.ndarray:
    """float (samples,) of the left channel, as it lies beside the picture; empty without sound."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return np.empty(0)
        parts: list[np.ndarray] = []
        end = 0
        for frame in container.decode(audio=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            start = round(frame.pts * frame.time_base * RATE)
            parts.append(np.zeros(max(0, start - end)))
            parts.append(frame.to_ndarray()[0].astype(float))
            end = start + frame.samples
        return np.concatenate(parts)


def share_of(samples: np.ndarray, hz: int) -> float:
    """How much of the sound's power is near this tone."""
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / RATE) - hz) < 30
    return float(spectrum[near].sum() / max(spectrum.sum(), 1e-9))


def flashes(path: Path) -> list[float]:
    """Seconds at which the picture turned bright."""
    with av.open(str(path)) as container:
        seen = [(f.time or 0.0, f.to_ndarray(format="gray").mean())
                for f in container.decode(video=0)]  # fmt: skip
    return [t for (_, before), (t, now) in pairwise(seen) if before < 100 < now]


def beeps(samples: np.ndarray) -> list[float]:
    """Seconds at which it became loud after at least 0.3 s of quiet."""
    loud = np.nonzero(np.abs(samples) > 0.1)[0]
    return [float(n) / RATE for k, n in enumerate(loud) if not k or n - loud[k - 1] > 0.3 * RATE]


@pytest.mark.desktop
@linux
def test_the_games_own_sound_fits_the_picture(
    sound_desktop: dict[str, str], play: Callable, tmp_path: Path
) -> None:
    play("Beeping Game", OWN_HZ)
    play("Another Program", OTHER_HZ)
    time.sleep(2)
    said = recorded(sound_desktop, tmp_path / "a.mp4")
    assert "the recording has the sound of" in said
    samples = heard(tmp_path / "a.mp4")
    assert share_of(samples, OWN_HZ) > 0.8
    assert share_of(samples, OTHER_HZ) < 0.01, "nobody else's"
    seen, sounded = flashes(tmp_path / "a.mp4"), beeps(samples)
    assert len(seen) >= 4
    apart = [min((b - s for b in sounded), key=abs) for s in seen[1:-1]]
    print("beep after flash, ms:", [round(1000 * a) for a in apart])
    assert abs(np.median(apart)) < 0.08


@pytest.mark.desktop
@linux
def test_else_all_that_is_heard_and_off_is_silent(
    sound_desktop: dict[str, str], play: Callable, tmp_path: Path
) -> None:
    play("Beeping Game", OWN_HZ)
    play("Another Program", OTHER_HZ)
    time.sleep(2)
    said = recorded(sound_desktop, tmp_path / "all.mkv", "--record-sound", "desktop")
    assert "all sound of this computer" in said
    samples = heard(tmp_path / "all.mkv")
    assert share_of(samples, OWN_HZ) > 0.1
    assert share_of(samples, OTHER_HZ) > 0.1
    recorded(sound_desktop, tmp_path / "off.mp4", "--record-sound", "off")
    assert not len(heard(tmp_path / "off.mp4"))


@pytest.mark.desktop
@linux
@pytest.mark.skipif(shutil.which("xdotool") is None, reason="xdotool is not installed")
def test_a_saved_replay_has_the_games_sound_where_it_was(
    sound_desktop: dict[str, str], play: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play("Beeping Game", OWN_HZ)
    play("Another Program", OTHER_HZ)
    monkeypatch.setenv("DISPLAY", sound_desktop["DISPLAY"])
    words = ["--window", "Beeping Game", "--model", "none", "--replay", "5", "--hud", "off"]
    own = {"STYLIZER_SETTINGS": str(tmp_path / "none.toml")} | sound_desktop
    seen = OnScreen(
        sound_desktop["DISPLAY"], "– stylizer", tmp_path, "run", *words,
        "--recordings", str(tmp_path), **own,
    )  # fmt: skip
    try:
        until(seen.window)
        time.sleep(11)  # more than is kept
        xdotool("windowfocus", "--sync", seen.window())
        xdotool("key", "i")
        until(lambda: any(p.stat().st_size for p in tmp_path.glob("*.mp4")))
        xdotool("key", "Escape")
        _, said = seen.process.communicate(timeout=60)
    finally:
        seen.close()
    assert "the replay has the sound of" in said
    [path] = tmp_path.glob("*.mp4")
    samples = heard(path)
    assert 5 <= len(samples) / RATE < 9.5
    assert share_of(samples, OWN_HZ) > 0.5
    assert share_of(samples, OTHER_HZ) < 0.01
    sounded = beeps(samples)
    apart = [min((b - s for b in sounded), key=abs) for s in flashes(path)[1:-1]]
    print("beep after flash, ms:", [round(1000 * a) for a in apart])
    assert abs(np.median(apart)) < 0.08


class Told:
    """A `GameSound` of what a test puts into it."""

    def __init__(self) -> None:
        self.streams: list[list[Heard]] = []

    def take(self) -> list[list[Heard]]:
        taken, self.streams = self.streams, [[] for _ in self.streams]
        return taken


def tone(at_s: float, seconds: float, level: int = 8000) -> list[Heard]:
    """In pieces of 21 ms, as PipeWire gives them, with times that tremble a little."""
    count, block = int(seconds * RATE), 1024
    wave = (np.sin(2 * np.pi * OWN_HZ * np.arange(count) / RATE) * level).astype(np.int16)
    parts = [wave[n : n + block] for n in range(0, count, block)]
    return [
        Heard(at_s + n * block / RATE + 0.004 * (n % 3), np.repeat(part[:, None], 2, 1))
        for n, part in enumerate(parts)
    ]


def test_each_stream_lies_at_its_own_time_without_a_gap(tmp_path: Path) -> None:
    told, path = Told(), tmp_path / "a.mp4"  # Matroska's times are of whole ms
    with av.open(str(path), "w") as container:
        sound = LiveSound(container, told)  # pyright: ignore[reportArgumentType]
        sound.begin(100.0)
        told.streams = [tone(99.5, 1.5), tone(102.0, 1.0)]  # the first began before the picture
        sound.write_until(1.0)
        told.streams[0] = tone(103.0, 1.0)  # it paused for two seconds
        sound.write_until(4.0)
        sound.finish(5.0)
    samples = heard(path)
    assert abs(len(samples) / RATE - 5) < 0.05

    def level(start: float, end: float) -> float:
        return float(np.sqrt((samples[int(start * RATE) : int(end * RATE)] ** 2).mean()))

    assert level(0.05, 0.95) == pytest.approx(8000 / 32768 / 2**0.5, rel=0.05)
    assert level(1.1, 1.9) < 0.001
    assert level(2.1, 2.9) > 0.15
    assert level(3.1, 3.9) > 0.15
    assert level(4.2, 5.0) < 0.001
    steady = samples[int(0.1 * RATE) : int(0.9 * RATE)]
    assert np.abs(np.diff(steady)).max() < 0.04, "no clicks between the pieces"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--record-sound", "game"], "--window NAME"),
        (["--record-sound", "desktop", "--sync"], "live recording"),
        (["--record-sound", "loud"], "--record-sound"),
    ],
)
def test_bad_use(capsys: pytest.CaptureFixture, argv: list[str], words: str) -> None:
    fails(capsys, ["run", "--source", "synthetic", "--present", "offscreen", *argv], 2, words)


@linux
def test_a_sound_that_is_asked_for_must_be_there(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("PIPEWIRE_RUNTIME_DIR", raising=False)
    argv = ["run", "--present", "offscreen", "--record-sound", "desktop", "--frames", "1"]
    fails(capsys, argv, 2, "PipeWire", "--record-sound off")
