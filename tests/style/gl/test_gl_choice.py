"""Which shaders a network is drawn by, and what is refused by name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import integer_networks as networks
import onnx
import pytest

from stylizer.errors import BadInput
from stylizer.settings import Settings
from stylizer.style import catalog
from stylizer.style.gl.reading import DoesNotFit, read_steps
from stylizer.style.gl.variants import fastest
from stylizer.style.opening import open_style

# --- which shaders ---------------------------------------------------------------------------


def test_the_faster_shaders_are_taken_and_the_figures_said(gl):
    """Whichever they are: their times were taken in turns, in one run."""
    steps = read_steps(onnx.load(str(catalog.resolve("mosaic-fast", "gl").path)))
    network, told = gl.run(lambda: fastest(gl.context, steps, (40, 24), False))
    computes = network.computes
    gl.run(network.release)
    figure = r"(fragment|compute|packed) ([0-9.]+)"
    found = re.fullmatch(rf"(\w+) shaders: ([0-9.]+) ms, {figure}, {figure}, at 40x24 blocks", told)
    assert found, told
    assert {found[1], found[3], found[5]} == {"fragment", "compute", "packed"}
    assert float(found[2]) <= float(found[4]) <= float(found[6])
    assert computes == (found[1] != "fragment")


def test_a_network_of_single_pixels_has_nothing_to_share(gl, tmp_path):
    steps = read_steps(onnx.load(str(networks.mixer(tmp_path / "m.onnx"))))
    network, told = gl.run(lambda: fastest(gl.context, steps, (8, 8), False))
    gl.run(network.release)
    assert told == "fragment shaders: it looks at single pixels only"


OLD = """
import onnx
from stylizer.style import catalog
from stylizer.style.gl.reading import read_steps
from stylizer.style.gl.thread import GlThread
from stylizer.style.gl.variants import fastest
gl = GlThread()
steps = read_steps(onnx.load(str(catalog.resolve("mosaic-fast", "gl").path)))
print(gl.run(lambda: fastest(gl.context, steps, (8, 8), False))[1])
gl.close()"""


def test_an_older_opengl_draws_with_fragments_and_says_why():
    """A real context of OpenGL 3.3, which Mesa makes when told to."""
    told = subprocess.run(
        [sys.executable, "-c", OLD],
        env=os.environ | {"MESA_GL_VERSION_OVERRIDE": "3.3"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told == "fragment shaders: OpenGL 3.3 has no others\n"


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "operator"), [("mosaic-small", "Cast"), ("mosaic-fast-fp16", "Shape")]
)
def test_another_network_is_refused_by_its_first_operator(name, operator):
    with pytest.raises(BadInput) as caught:
        open_style(Settings(provider="gl"), name, (64, 48))
    told = str(caught.value)
    assert f"{name} does not run on gl: its operator {operator} '" in told
    assert "--provider cpu" in told


def changed(path: Path, op: str, **attributes) -> onnx.ModelProto:
    """The network with attributes of its last `op` set."""
    proto = onnx.load(str(path))
    node = [n for n in proto.graph.node if n.op_type == op][-1]
    for name, value in attributes.items():
        kept = [a for a in node.attribute if a.name != name]
        del node.attribute[:]
        node.attribute.extend([*kept, onnx.helper.make_attribute(name, value)])
    return proto


@pytest.mark.parametrize(
    ("op", "attributes", "why"),
    [
        ("Conv", {"pads": [1, 1, 1, 1]}, "Conv 'conv_[0-9]+' is one with groups, pads"),
        ("Conv", {"dilations": [2, 2]}, "dilations"),
        ("Pad", {"mode": "reflect"}, "Pad 'pad_[0-9]+' is a padding other than by the edge"),
        ("DepthToSpace", {"mode": "CRD"}, "DepthToSpace|DequantizeLinear"),
        ("Transpose", {"perm": [0, 3, 2, 1]}, "output"),
    ],
)
def test_what_the_shaders_lack_is_named(tmp_path, op, attributes, why):
    proto = changed(networks.fast_like(tmp_path / "m.onnx"), op, **attributes)
    if attributes == {"mode": "CRD"}:
        read_steps(proto)  # another order of the same channels: read from what it does
        return
    with pytest.raises(DoesNotFit, match=why):
        read_steps(proto)


def test_an_unknown_operator_is_named(tmp_path):
    proto = onnx.load(str(networks.fast_like(tmp_path / "m.onnx")))
    node = next(n for n in proto.graph.node if n.op_type == "Add")
    node.op_type = "Mul"
    with pytest.raises(DoesNotFit, match=f"its operator Mul '{node.name}' is none that"):
        read_steps(proto)
