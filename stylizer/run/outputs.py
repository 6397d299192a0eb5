"""What a run leaves on disk: recording, pictures, screenshot; checked before all else starts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from stylizer.errors import StylizerError
from stylizer.frame import Frame
from stylizer.settings import Settings
from stylizer.system.terminal import tell

if TYPE_CHECKING:
    import numpy as np

    from stylizer.present.game_sound import GameSound
    from stylizer.present.record import Recorder
    from stylizer.present.replay import Replay
    from stylizer.present.virtual_camera import VirtualCamera
    from stylizer.system.outputs import OutputFolder

SCENE_RATE = 30.0  # lock-step scene time is 1/30 s a frame


class Outputs:
    """Writes finished pictures; never holds the HUD. Main thread only."""

    def __init__(self, settings: Settings) -> None:
        """Raises BadInput when something named cannot be written, or no camera can be made."""
        from stylizer.present import record
        from stylizer.system import files, outputs

        self._outputs = outputs
        self._settings = settings
        self._record = record
        self._files = files
        self._recorder: Recorder | None = None
        self._replay: Replay | None = None
        self._keeps_replay = settings.replay is not None
        self._camera: VirtualCamera | None = None
        self._shows_camera = settings.camera
        self._notices: list[str] = []
        self._path = settings.record
        self._started_at = 0.0
        self._new: Path | None = None  # the empty file that keeps a recording's name
        self._sound: GameSound | None = None  # of the recording that runs
        self._replay_sound: GameSound | None = None
        self.process_id: Callable[[], int] = lambda: 0  # of the captured game; 0: not known
        check_devices(settings)
        self._folder = checked_folder(settings)

    @property
    def wants_pictures(self) -> bool:
        """True when every new picture must be read back."""
        kept = self._keeps_replay or self._shows_camera
        return self._path is not None or self._folder is not None or kept

    @property
    def recording(self) -> bool:
        return self._path is not None

    @property
    def recorded_by_key(self) -> Path | None:
        """The file of the recording that a key has started; None: none runs."""
        return self._new

    @property
    def recorded_s(self) -> float:
        return time.perf_counter() - self._started_at if self._recorder else 0.0

    def start_recording(self) -> Path:
        """Begin a recording with the next picture, under the next free name (the R key)."""
        self._path = self._new = self._outputs.next_free(
            self._settings.recordings or platformdirs.user_videos_path(), "recording", ".mp4"
        )
        return self._path

    def toggle_recording(self) -> str:
        """What the R key does; the message to show. Raises StylizerError (disk full)."""
        if self.recording:
            return f"saved {self.stop_recording()}"
        return f"recording {self.start_recording()}"

    def stop_recording(self) -> Path | None:
        """Finish the recording, if one runs; returns its file. Raises StylizerError (disk full)."""
        path, new, recorder = self._path, self._new, self._recorder
        try:
            if recorder is not None:
                recorder.close()  # two threads may: each waits until it is finished
        finally:
            self._path = self._new = self._recorder = self._sound = None
            if new is not None:
                self._outputs.drop_empty(new)
        return path

    def save_replay(self) -> str:
        """What the I key does; the message to show."""
        if self._replay is not None and self._replay.failure:
            return self._replay.failure
        if not self._keeps_replay or self._replay is None:
            return "no replay is kept: start with --replay 30 for the last 30 seconds"
        folder = self._settings.recordings or platformdirs.user_videos_path()
        self._replay.save(self._outputs.next_free(folder, "replay", ".mp4"))
        return "saving the replay"

    def take_notices(self) -> list[str]:
        """What there is to tell since the last call: saved replays, the camera, and why one of them
        is no more."""
        notices, self._notices = self._notices, []
        for sound in (self._sound, self._replay_sound):
            if sound is not None and (message := sound.take_message()):
                notices.append(message)
        if self._replay is not None:
            notices += self._replay.saved
            self._replay.saved = []
            if self._keeps_replay and self._replay.failure:
                self._keeps_replay = False
                notices.append(self._replay.failure)
        if self._shows_camera and self._camera is not None and self._camera.failure:
            self._shows_camera = False
            notices.append(self._camera.failure)
        return notices

    def _show(self, picture: np.ndarray) -> None:
        """To the camera, which is there from the first picture on."""
        if self._camera is None:
            from stylizer.present.virtual_camera import NAME, VirtualCamera

            width, height = picture.shape[1], picture.shape[0]
            try:
                self._camera = VirtualCamera((width, height))
            except StylizerError as error:  # PipeWire went since the start
                self._shows_camera = False
                self._notices.append(f"the camera ended, the picture goes on: {error}")
                return
            self._notices.append(f'the camera "{NAME}" is there, {width}x{height}')
        self._camera.add(picture)

    def _keep(self, frame: Frame, picture: np.ndarray) -> None:
        """For the replay, at the time at which it was captured, as the sound has it."""
        if self._replay is None:
            from stylizer.present.kept_sound import KeptSound
            from stylizer.present.replay import Replay

            seconds, size = self._settings.replay, (picture.shape[1], picture.shape[0])
            assert seconds is not None
            sound = self._game_sound("replay")
            self._replay_sound = sound
            self._replay = Replay(seconds, size, None if sound is None else KeptSound(sound))
        self._replay.add(picture, frame.captured_at)

    def add(self, frame: Frame, picture: np.ndarray) -> None:
        """One finished picture, uint8 (height, width, 4)."""
        if self._folder is not None:
            self._folder.write(picture, frame.name)
        if self._keeps_replay:
            self._keep(frame, picture)
        if self._shows_camera:
            self._show(picture)
        if self._path is None:
            return
        if self._recorder is None:
            size = (picture.shape[1], picture.shape[0])
            self._recorder = self._record.Recorder(
                self._path, size, recording_rate(self._settings), self._audio()
            )
            self._started_at = time.perf_counter()
        # Live, the time at which it was captured, as the sound has it.
        time_s = frame.captured_at if frame.media_time_s is None else frame.media_time_s
        self._recorder.add(picture, time_s)

    def _audio(self) -> Path | GameSound | None:
        """What a recording that begins is to be heard of."""
        settings = self._settings
        if settings.source == "video":
            return settings.input if settings.sync else None
        self._sound = self._game_sound("recording")
        return self._sound

    def _game_sound(self, what: str) -> GameSound | None:
        """For a recording or a replay: what is heard from now on, if that is wanted."""
        if not self._settings.records_sound:
            return None
        from stylizer.present.game_sound import GameSound, is_there

        if not is_there():
            self._notices.append(f"the {what} has no sound: PipeWire is not running here")
            return None
        return GameSound(self._settings.record_sound, self.process_id(), what)

    def screenshot(self, path: Path, picture: np.ndarray) -> None:
        """Write a PNG, whole or not at all. Raises StylizerError when the disk is full."""
        self._files.write_png(path, picture)

    def new_screenshot(self, picture: np.ndarray) -> Path:
        """Write a PNG under the next free name (the P key); returns its path."""
        path = self._outputs.next_free(
            self._settings.screenshots or platformdirs.user_pictures_path(), "screenshot", ".png"
        )
        try:
            self.screenshot(path, picture)
        finally:
            self._outputs.drop_empty(path)
        return path

    def close(self) -> None:
        """Finish what is open; the recording stays playable."""
        try:
            self.stop_recording()
        finally:
            for kept in (self._replay, self._camera):
                if kept is not None:
                    kept.close()
            for notice in self.take_notices():  # of a save that the end of the run waited for
                tell(notice)


def check_devices(settings: Settings) -> None:
    """Sound and camera, where they are asked for. Raises BadInput."""
    if settings.record_sound in ("game", "desktop"):
        from stylizer.present.game_sound import check_sound

        check_sound()
    if settings.camera:
        from stylizer.present.virtual_camera import check_camera

        check_camera()


def checked_folder(settings: Settings) -> OutputFolder | None:
    """All files that are named may be written; the folder for pictures, where one is named.

    Raises BadInput.
    """
    from stylizer.present import record
    from stylizer.system import outputs

    outputs.distinct((settings.screenshot, settings.report, settings.record))
    pictures = pictures_read(settings)
    model = Path(re.sub(r"#\d+$", "", settings.model))
    read = [*pictures, settings.input, settings.mask, model]
    permission = outputs.Permission.of(read, settings.overwrite)
    if settings.screenshot is not None:
        permission.check(settings.screenshot, "png")
    if settings.report is not None:
        permission.check(settings.report, "json")
    if settings.record is not None:
        record.check_recordable(settings.record)
        record.check_apart(settings.record, settings.input)
        permission.check(settings.record, "video")
    if settings.output is None:
        return None
    return outputs.OutputFolder(settings.output, permission, [path.stem for path in pictures])


def pictures_read(settings: Settings) -> list[Path]:
    """The pictures that the run reads, whose names the written ones get."""
    if settings.source != "images":
        return []
    from stylizer.source.images import picture_paths

    return picture_paths(settings.input)


def recording_rate(settings: Settings) -> float | None:
    """Frames a second of a lock-step recording; None: each frame's own time (a video's time
    stamps, so that sound and variable rates stay right) or, live, the clock."""
    if not settings.sync or settings.source == "video":
        return None
    return settings.fps or SCENE_RATE
