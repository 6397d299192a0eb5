"""The guided filter that takes a game's texture away, alone and in the original's graph."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

torch = pytest.importorskip("torch")

from tiny_models import CONTRACT  # noqa: E402

from stylizer.errors import StylizerError  # noqa: E402
from stylizer.lab.nets.johnson import JOHNSON_ARCHS, SMOOTH_GAIN, StyleNetwork  # noqa: E402
from stylizer.lab.nets.smoothing import luma, smoothed  # noqa: E402
from stylizer.lab.onnx import export  # noqa: E402
from stylizer.lab.onnx.painter_graph import SMOOTH_NAME  # noqa: E402

TINY = CONTRACT | {"tier": "tiny", "size_multiple": 4}


def test_faint_texture_goes_and_edges_stay():
    noise = torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(3))
    step = torch.full((1, 3, 96, 128), 0.2)
    step[:, :, :, 64:] = 0.8
    made = smoothed(step + 0.02 * noise, 0.008)
    assert float(made[:, :, :, 10:40].std()) < 0.01
    edge = luma(made)[0, 0].mean(dim=0)
    assert float(edge[64] - edge[63]) > 0.75 * 0.6


def test_more_variance_smoothed_is_a_flatter_texture():
    noise = torch.rand(1, 1, 96, 128, generator=torch.Generator().manual_seed(4))
    grass = (0.5 + 0.2 * (noise - 0.5)).expand(-1, 3, -1, -1)
    left = [float(smoothed(grass, variance).std()) for variance in (1e-6, 0.008, 0.03)]
    assert left[0] == pytest.approx(float(grass.std()), rel=0.15)
    assert left[2] < left[1] < 0.8 * left[0]


@torch.no_grad()
def smoothing(share: float, variance: float = 0.03) -> StyleNetwork:
    """It adds nothing and smooths that share away everywhere."""
    network = StyleNetwork(JOHNSON_ARCHS["tiny"])
    network.smooth = variance
    network.deconv3.conv2d.weight.zero_()
    network.deconv3.bias().zero_()
    network.deconv3.bias()[4] = share / SMOOTH_GAIN
    return network.eval()


def test_the_last_layer_says_how_far_texture_goes():
    picture = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        none, half, all_ = (smoothing(share)(picture) for share in (0.0, 0.5, 1.0))
    torch.testing.assert_close(none, picture)
    torch.testing.assert_close(all_, smoothed(picture, 0.03))
    torch.testing.assert_close(half, (none + all_) / 2)
    assert float(luma(all_).std()) < 0.5 * float(luma(picture).std())


def test_the_file_smooths_as_the_network_does_and_keeps_the_variance(tmp_path):
    path = tmp_path / "calm-tiny.onnx"
    assert export.export_onnx(smoothing(1.0, 0.011), path, TINY, {}) < 0.01
    again = export.load_network(path)
    assert again.smooth == pytest.approx(0.011)
    assert float(again.deconv3.bias().detach()[4]) * SMOOTH_GAIN == pytest.approx(1.0)


def changed(path, of) -> None:
    """The file's weights as `of` makes them; None: without."""
    model = onnx.load(str(path))
    for weight in list(model.graph.initializer):
        values = of(weight.name, numpy_helper.to_array(weight))
        if values is None:
            model.graph.initializer.remove(weight)
        else:
            weight.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), weight.name))
    onnx.save(model, str(path))


@pytest.mark.parametrize("channels", [3, 4])
def test_a_file_from_before_begins_with_half_of_it(tmp_path, channels):
    path = tmp_path / "calm-tiny.onnx"
    export.export_onnx(smoothing(1.0), path, TINY, {})

    def before(name, values):
        kept = values[:channels] if name.startswith("deconv3") else values
        return None if name == SMOOTH_NAME else kept

    changed(path, before)
    bias = export.load_network(path).deconv3.bias().detach()
    assert float(bias[4]) * SMOOTH_GAIN == pytest.approx(0.5)
    assert float(bias[3]) == 0


@pytest.mark.parametrize("variance", [0.0, -1.0, float("nan"), [1.0, 2.0]])
def test_a_variance_that_is_none_is_refused(tmp_path, variance):
    path = tmp_path / "calm-tiny.onnx"
    export.export_onnx(smoothing(1.0), path, TINY, {})
    bad = np.asarray(variance, np.float32)
    changed(path, lambda name, values: bad if name == SMOOTH_NAME else values)
    with pytest.raises(StylizerError, match=r"smooth\.variance"):
        export.load_network(path)
