"""The pages that `bench --html` writes, opened in a real browser on a light and a dark desktop."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, chromium

from stylizer.app.cli import main
from stylizer.measure.bench import bench
from stylizer.settings import Settings

pytestmark = pytest.mark.desktop

MODELS, SIZE = ["mosaic-fast", "mosaic-small"], (160, 96)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "bench.html"
    words = ["--models", ",".join(MODELS), "--sizes", "160x96", "--frames", "4", "--rounds", "1"]
    assert main(["bench", *words, "--provider", "cpu", "--html", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def comparison(tmp_path_factory) -> Path:
    """The page of `bench --compression` from a real bench; its pictures are drawn here."""
    pytest.importorskip("torch")
    from stylizer.lab.commands import compare, compare_page

    rows = bench(MODELS, [SIZE], Settings(provider="cpu"), 4, 1)
    rng = np.random.default_rng(0)
    facts = {"bytes": 1_000, "parameters": 112_000, "macs": 1e9, "psnr": 40.0, "content": 1.0}
    facts |= {"style": 0.5}
    found = [
        compare.Variant(
            f"{row['model']} <&>", facts, [row], [rng.integers(0, 256, (96, 160, 3), np.uint8)]
        )
        for row in rows
    ]
    path = tmp_path_factory.mktemp("pages") / "comparison.html"
    frame = rng.integers(0, 256, (96, 160, 3), np.uint8)
    path.write_text(compare_page.html(found, frame, ["Two models."]), encoding="utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("name", "pictures"), [("table", 0), ("comparison", 6)])
def test_a_page_shows_all_it_has(browser, request, tmp_path, name, pictures, dark):
    browser.open(request.getfixturevalue(name), dark)
    browser.screenshot(tmp_path / f"{name}-{dark}.png")
    assert browser.value("document.images.length") == pictures
    loaded = "[...document.images].every(i => i.complete && i.naturalWidth > 0)"
    assert browser.value(loaded), "a picture is missing"
    assert browser.value("document.querySelectorAll('tbody tr').length") == len(MODELS)
    assert not browser.value("document.querySelector('h1, td').innerHTML.includes('<&>')")
    text, ground = (
        browser.value(f"getComputedStyle(document.body).{part}")
        for part in ("color", "backgroundColor")
    )
    assert (luma(text) > luma(ground)) is dark
    assert abs(luma(text) - luma(ground)) > 150, "it can be read"
    wide = "document.documentElement.scrollWidth <= window.innerWidth"
    assert browser.value(wide), "nothing lies beyond the window's edge"
    assert browser.complaints == []


def luma(color: str) -> float:
    """Of "rgb(r, g, b)", 0 to 255."""
    red, green, blue = (int(v) for v in color[4:-1].split(","))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_page_that_is_broken_is_seen(browser, tmp_path):
    page = tmp_path / "broken.html"
    page.write_text('<img src="none.png"><script>console.error("oh"); nothing()</script>')
    browser.open(page, dark=False)
    said, browser.complaints[:] = browser.complaints[:], []
    assert len(said) >= 3
    assert not browser.value("[...document.images].every(i => i.naturalWidth > 0)")
