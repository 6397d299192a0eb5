"""Finding out what a model's metadata does not say, by really running it on small pictures.

Method, fact by fact. Flags and remembered flags come first, then our own metadata; the rest:
- layout: from which dimension of the input is 3 or 4; where both are free, by trying both.
- size multiple: a picture of (64 + m) x (96 + m) for m = 1, 2, 3 ... 128; the first m for which the
  network runs and gives a picture of the input's size, or a multiple of it, there and 9 m further
  (70x98 is a multiple of 7 and of 14, 133x161 is not); else the first m for which it lacks the
  same border at both sizes. Of several outputs the one that fits best is the picture.
- range: from the nodes where they show it (Sigmoid, Tanh, Clip at the end; a division by 255 at
  the start). Otherwise the same textured picture is fed in each range, and each answer is scored:
  correlation of luma with the picture, times contrast, less what is saturated or out of range.
  A network that normalizes its input gives nearly the same picture for all of them: then the
  choice is harmless, and the output's range is taken for both.
- channel order: nothing shows it without knowing the painting; RGB is assumed and said so.
Whatever is known, the model is run once: wrong shapes, NaN and failures show here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from stylizer.errors import BadInput
from stylizer.style import graph, ports, ranges, roles
from stylizer.style.contract import LAYOUTS, RANGES, Fact, Port, Size, StyleModel
from stylizer.style.fitting import Fit, fit_of, fitted
from stylizer.style.given import Given
from stylizer.style.metadata import RECIPE_KEY, metadata_of
from stylizer.style.plausibility import plausibility, range_of, textured_picture
from stylizer.style.trial import Trial

MULTIPLES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 24, 28, 32, 36, 40, 48, 56, 64)
MULTIPLES += (72, 80, 96, 112, 128)
FURTHER = 9  # multiples to the second size; odd, so that twice a multiple is told from it
BASES: tuple[Size, ...] = ((64, 96), (256, 320))  # (width, height); some networks need more room
RANGE_SIZE: Size = (160, 128)
CLEARLY_BETTER = 1.1  # a range must score this much more than the expected one to be taken


def load_model(
    path: Path, index: int = 0, given: Given | None = None
) -> tuple[StyleModel, onnx.ModelProto]:
    """Read, probe and prove the model on the CPU; `index` chooses the style (#K).

    Raises BadInput, one sentence, for whatever cannot be used as a style model.
    """
    proto = graph.load(path)
    return _Probe(path, proto, index, given or Given()).model(), proto


class _Probe:
    """Collects the facts of one model, in the order of the module's docstring."""

    def __init__(self, path: Path, proto: onnx.ModelProto, index: int, given: Given) -> None:
        self.path = path
        self.proto = proto
        self.metadata = metadata_of(proto, path)
        self.values, self.facts = given.over(self.metadata, path)
        self.canvas = roles.canvas_input(path, proto, self.metadata)
        beside = self.canvas.name if self.canvas else ""
        self.picture_input, self.selector = ports.picture_input(path, proto, index, beside)
        self.outputs = ports.picture_outputs(path, proto)
        self.picture_output = self.outputs[0]
        self.fit = Fit("NCHW", 3)
        layout = self.values.get("layout", "NCHW")
        self.trial = Trial(
            path, self.picture_input, self.outputs, self.selector, self.canvas, layout
        )

    def model(self) -> StyleModel:
        layout, multiple, fixed = self._layout_and_size()
        model = StyleModel(
            path=self.path,
            layout=layout,
            output_layout=layout,
            range="0..255",
            output_range="0..255",
            order=self.values.get("order", "RGB"),
            size_multiple=multiple,
            fixed_size=fixed,
            input=Port(
                self.picture_input.name, self.picture_input.dtype, self.trial.channels(layout)
            ),
            output=Port(self.picture_output.name, self.picture_output.dtype, 3),
            selector=self.selector,
            canvas=self.canvas,
            style=str(self.metadata.get("style", "")),
            tier=str(self.metadata.get("tier", "")),
            precision=str(self.metadata.get("precision", "")),
            recipe=self.metadata.get(RECIPE_KEY),
        )
        roles.check_layout(model, self.proto)
        if self.canvas:
            self.facts["roles"] = Fact("metadata")
        self.facts.setdefault("order", Fact("assumed", "nothing in a network shows it"))
        model = self._with_output(model)
        return replace(self._with_ranges(model), facts=dict(self.facts))

    def _layout_and_size(self) -> tuple[str, int, Size | None]:
        """(layout, size multiple, fixed size): the first layout with which the network runs."""
        errors: list[str] = []
        for layout in self._layouts():
            fixed = self._fixed_size(layout)
            multiple = self._multiple(layout, fixed, errors)
            if multiple is None:
                continue
            self.facts.setdefault("layout", self._layout_fact(layout))
            return layout, multiple, fixed
        as_layout = f" as {self.values['layout']}" if "layout" in self.values else ""
        if any(" gives " in error for error in errors):
            given = next(error for error in errors if " gives " in error)
            raise ports.not_a_style_network(
                self.path,
                f"gives no picture of the size{as_layout} that it gets, nor a whole multiple "
                f"of it, nor all but a border, of every size tried ({given})",
            )
        raise BadInput(
            f"{self.path} fails{as_layout} on a picture of every size tried ({errors[-1]}); "
            "it is made for one size that its input does not name (export it with that size), "
            "damaged or no style network"
        )

    def _layouts(self) -> list[str]:
        """Layouts to try. A side of 3 or 4 is the channels; where all are free, both layouts."""
        shape = self.picture_input.shape
        places = {"NCHW": shape[1], "NHWC": shape[3]}
        given = self.values.get("layout")
        sure = [name for name, channels in places.items() if channels in (3, 4)]
        if given in places and given not in sure and (sure or places[given] is not None):
            raise BadInput(
                f"{self.path} cannot be {given}: its input is {self.picture_input}; "
                "leave the layout out or name the other one"
            )
        if given:
            return [given]
        if sure:
            return sure
        if any(shape[1:]):
            channels = next((c for c in places.values() if c), None)
            raise ports.not_a_style_network(
                self.path,
                f"takes pictures of {channels} channels, not 3 or 4"
                if channels
                else f"does not say which side of {self.picture_input} is the channels",
            )
        return list(places)

    def _layout_fact(self, layout: str) -> Fact:
        named = (self.picture_input.shape[1], self.picture_input.shape[3])
        if any(d in (3, 4) for d in named):
            return Fact("shape", str(self.picture_input))
        return Fact("probed", f"it runs as {layout}")

    def _fixed_size(self, layout: str) -> Size | None:
        shape = self.picture_input.shape
        block = LAYOUTS[layout].block
        if block:
            height, width = (d and d * block for d in shape[1:3])
        else:
            height, width = shape[2:4] if layout == "NCHW" else shape[1:3]
        if width and height:
            return (width, height)
        if width or height:
            raise BadInput(
                f"{self.path} fixes only one side of the picture ({self.picture_input}); "
                "export it with both sides free or both fixed"
            )
        return None

    def _multiple(self, layout: str, fixed: Size | None, errors: list[str]) -> int | None:
        """The size multiple; None when no size runs. Appends to `errors` why."""
        if fixed:
            fit = self.trial.fits(layout, fixed, errors)
            if fit is None:
                return None
            self._take(*fit)
            self.facts["size"] = Fact("shape", str(self.picture_input))
            self.facts["size_multiple"] = Fact("shape", "the size is fixed")
            return 1
        stated = self.metadata.get("size_multiple")
        multiples = MULTIPLES if stated is None else (int(stated),)
        for unbordered in (True, False):  # a border is made up for only where nothing else fits
            for base in BASES:
                for m in multiples:
                    size = (base[0] // m * m + m, base[1] // m * m + m)
                    fit = self.trial.fits(layout, size, errors)
                    if fit is None or (unbordered and fit[1].lost != (0, 0)):
                        continue
                    further = (size[0] + FURTHER * m, size[1] + FURTHER * m)
                    if stated is None and self.trial.fits(layout, further, errors) != fit:
                        continue
                    self._take(*fit)
                    how = Fact("probed", f"tried {size[0]}x{size[1]}")
                    self.facts["size_multiple"] = Fact("metadata") if stated is not None else how
                    return m
        return None

    def _take(self, output: graph.Tensor, fit: Fit) -> None:
        self.picture_output, self.fit = output, fit
        if output != self.outputs[0]:
            self.facts["output"] = Fact("probed", f"{output.name} is the picture")
        if fit.rank:
            self.facts["output_size"] = Fact("probed", str(fit))

    def _probe_size(self, model: StyleModel) -> Size:
        return model.fixed_size or model.padded_size(RANGE_SIZE)

    def _with_output(self, model: StyleModel) -> StyleModel:
        """Checks the output's shape and that a real picture gives no NaN."""
        size = self._probe_size(model)
        picture = textured_picture(size)
        result = self.trial.answer(
            model, picture, self.values.get("range", "0..1"), self.picture_output
        )
        if not np.isfinite(result.astype(np.float32)).all():
            raise BadInput(
                f"{self.path} gives numbers that are not finite (NaN); "
                "export it in float32 or train it again"
            )
        fit = fit_of(result.shape, model.layout, size)
        if fit is None or (fit.scale, fit.lost) != (self.fit.scale, self.fit.lost):
            raise ports.not_a_style_network(
                self.path, f"gives {result.shape} for {size[0]}x{size[1]}"
            )
        self.fit = fit
        return replace(
            model,
            output_layout=fit.layout,
            output=replace(model.output, channels=fit.channels),
            scale=fit.scale,
            lost=fit.lost,
        )

    def _with_ranges(self, model: StyleModel) -> StyleModel:
        if "range" in self.values:
            value = self.values["range"]
            self.facts["output_range"] = self.facts["range"]
            return replace(model, range=value, output_range=value)
        bytes_in, bytes_out = model.input.dtype == "uint8", model.output.dtype == "uint8"
        known_in = ("0..255", "its input is uint8") if bytes_in else None
        known_out = ("0..255", "its output is uint8") if bytes_out else None
        known_in = known_in or ranges.input_range(self.proto, model.input.name)
        known_out = known_out or ranges.output_range(self.proto, model.output.name)
        for key, known in (("range", known_in), ("output_range", known_out)):
            if known:
                self.facts[key] = Fact("graph", known[1])
        chosen = self._score_ranges(model, known_in and known_in[0], known_out and known_out[0])
        return replace(model, range=chosen[0], output_range=chosen[1])

    def _score_ranges(
        self, model: StyleModel, known_in: str | None, known_out: str | None
    ) -> tuple[str, str]:
        """(input range, output range), the unknown ones by the scores of real runs."""
        picture = textured_picture(self._probe_size(model))
        scores: dict[str, float] = {}
        gives: dict[str, str] = {}
        for name in [known_in] if known_in else list(RANGES):
            result = self.trial.answer(model, picture, name, self.picture_output)
            picture_given = fitted(LAYOUTS[model.output_layout].unpack(result), self.fit)
            styled = picture_given[..., :3].astype(np.float32)
            gives[name] = known_out or range_of(styled)
            scores[name] = plausibility(styled, gives[name], picture)
        best = max(scores, key=lambda name: scores[name])
        expected = known_in or known_out or "0..255"
        listed = ", ".join(f"{name} {score:.2f}" for name, score in scores.items())
        if scores[best] <= scores[expected] * CLEARLY_BETTER or scores[best] < 0.05:
            best, how = expected, Fact("assumed", f"none scores clearly better: {listed}")
        else:
            how = Fact("probed", f"plausibility: {listed}")
        self.facts.setdefault("range", how)
        self.facts.setdefault("output_range", Fact("probed", "from the values it gives"))
        return best, gives[best]
