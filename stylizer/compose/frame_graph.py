"""The frame times as ImPlot draws them, with their p50 and p99 as lines, newest at the right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from imgui_bundle import ImVec2, implot

from stylizer.compose.pen import BLUE, GREEN, RED
from stylizer.timing import p50_p99


def frame_graph(size: ImVec2, series_ms: Sequence[float], scale: float) -> None:
    """At ImGui's cursor; (-1, -1) takes all the room. Its font is ImGui's current one."""
    # Half a line above and below, or the lowest and highest number of the axis are cut off.
    implot.push_style_var(implot.StyleVar_.plot_padding, ImVec2(0, round(6 * scale)))
    implot.push_style_var(implot.StyleVar_.label_padding, ImVec2(round(5 * scale), 0))
    if implot.begin_plot("##frame time", size, implot.Flags_.canvas_only):
        _lines(series_ms, scale)
        implot.end_plot()
    implot.pop_style_var(2)


def _lines(series_ms: Sequence[float], scale: float) -> None:
    values = np.asarray(series_ms, np.float64)
    p50, p99 = p50_p99(series_ms).values()
    # Room above p99, but one long frame must not flatten all others.
    top = max(20.0, 1.35 * (p99 or float(values.max(initial=0.0))))
    quiet = implot.AxisFlags_.no_decorations
    implot.setup_axes("", "", quiet, implot.AxisFlags_.no_tick_marks)
    implot.setup_axes_limits(0, max(len(values), 2) - 1, 0, top, implot.Cond_.always)
    implot.plot_shaded("##fill", values, spec=implot.Spec(fill_color=(*BLUE[:3], 0.16)))
    line = implot.Spec(line_color=BLUE, line_weight=max(1.0, 1.3 * scale))
    implot.plot_line("##line", values, spec=line)
    for name, value, color in (("##p50", p50, GREEN), ("##p99", p99, RED)):
        if value is not None:
            spec = implot.Spec(line_color=color, line_weight=max(1.0, scale))
            spec.flags = implot.InfLinesFlags_.horizontal
            implot.plot_inf_lines(name, np.array([value]), spec)
