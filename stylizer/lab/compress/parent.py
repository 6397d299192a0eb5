"""Which files the compression commands take, and how a result reaches its place whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
from onnx.external_data_helper import uses_external_data

from stylizer.errors import BadInput
from stylizer.lab.nets.johnson import JOHNSON_ARCHS, StyleNetwork
from stylizer.lab.onnx.card import write_compressed_card
from stylizer.lab.onnx.export import load_network
from stylizer.lab.onnx.onnx_graph import with_texts
from stylizer.style import catalog, graph
from stylizer.style.metadata import CONTRACT_KEY, RECIPE_KEY, texts_of
from stylizer.system.files import atomic_write

STANDARD = ("", "ai.onnx")
OPSETS = (17, 18)  # what `train` writes, and the newest that every provider ran


def parent_path(model: str) -> Path:
    """The file that a model's name or path means. Raises BadInput."""
    path = catalog.resolve(model, "cpu").path
    if path is None:
        raise BadInput("model none has nothing to compress; name a model, see `models list`")
    return path


def open_parent(path: Path) -> tuple[StyleNetwork, dict[str, Any], dict[str, Any]]:
    """(network, contract, recipe) of a float model that `train` or `prune` wrote.

    Raises BadInput with the reason: no such file, weights in another file, operators of an unknown
    set, a model that is not ours, a tier without instance norm, or one that is compressed already.
    """
    proto = _load(path)
    for entry in proto.opset_import:
        if entry.domain not in STANDARD or entry.version not in OPSETS:
            name = entry.domain or "ai.onnx"
            raise BadInput(
                f"{path} uses the operator set {name} {entry.version}; this command knows "
                f"ai.onnx {OPSETS[0]} and {OPSETS[1]}, as `train` writes"
            )
    texts = texts_of(proto)
    try:
        contract = json.loads(texts[CONTRACT_KEY])
        recipe = json.loads(texts.get(RECIPE_KEY, "{}"))
        tier, precision = contract["tier"], contract["precision"]
    except (KeyError, ValueError, TypeError) as error:
        raise BadInput(
            f"{path} is not a model that `train` wrote (it has no {CONTRACT_KEY} of ours); "
            "compress one of those"
        ) from error
    if tier not in JOHNSON_ARCHS:
        raise BadInput(f"{path} is of tier {tier}; this command knows {', '.join(JOHNSON_ARCHS)}")
    if precision != "fp32":
        raise BadInput(
            f"{path} is {precision} already; name its parent {contract.get('parent', '')}"
        )
    network = load_network(path)
    assert isinstance(network, StyleNetwork)
    return network, contract, recipe


def contract_of(path: Path) -> dict[str, Any]:
    """The contract in a file's metadata; {} for a model that has none of ours."""
    texts = texts_of(_load(path))
    try:
        return dict(json.loads(texts.get(CONTRACT_KEY, "{}")))
    except (ValueError, TypeError):
        return {}


def _load(path: Path) -> onnx.ModelProto:
    proto = graph.read(path)
    outside = [w.name for w in proto.graph.initializer if uses_external_data(w)]
    if outside:
        raise BadInput(
            f"{path} keeps {outside[0]!r} in another file (external data); compress a model that "
            "is one file"
        )
    return proto


def out_path(args: Any, parent: Path, suffix: str) -> Path:
    """--out, or PARENT-SUFFIX.onnx beside the parent. Raises BadInput when it cannot be written."""
    from stylizer.system.outputs import Permission

    out = args.out or parent.with_name(f"{parent.stem}-{suffix}.onnx")
    if out.suffix != ".onnx":
        raise BadInput(f"--out {out}: a model file ends in .onnx")
    if out.resolve() == parent.resolve():
        raise BadInput(f"--out {out} is the parent, which is never touched; choose another name")
    Permission(overwrite=vars(args).get("overwrite", False)).check(out, "model")
    return out


def child_contract(contract: dict[str, Any], parent: Path, precision: str, method: str) -> dict:
    """The parent's contract with what tells the child from it."""
    return contract | {"precision": precision, "parent": parent.stem, "method": method}


def write_child(
    out: Path,
    model: onnx.ModelProto,
    contract: dict[str, Any],
    recipe: dict[str, Any],
    facts: dict[str, Any],
) -> None:
    """Put the model at `out`, whole or not at all, and its card beside it."""
    with_texts(model, contract=contract, recipe=recipe)
    onnx.checker.check_model(model, full_check=True)
    with atomic_write(out) as file:
        file.write(model.SerializeToString())
    write_compressed_card(out, contract, recipe, facts)
