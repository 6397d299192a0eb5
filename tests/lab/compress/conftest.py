"""The tiny network's fixtures, where the lab's packages are; without, its tests are skipped."""

from importlib.util import find_spec

if find_spec("torch"):
    from dots_network import folder, graph, network, parent, ranges

    __all__ = ["folder", "graph", "network", "parent", "ranges"]
