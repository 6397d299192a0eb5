"""What is shown of a runtime's error: its sentence, not its source tree."""

import pytest

from stylizer.style.reasons import LONGEST, first_line

SOURCE = "/onnxruntime_src/onnxruntime/core/"
CUDA = (
    f"{SOURCE}providers/cuda/cuda_call.cc:129 std::conditional_t<THRW, void, onnxruntime::common::"
    "Status> onnxruntime::CudaCall(ERRTYPE, const char*, const char*, SUCCTYPE, const char*, const "
    "char*, int) [with ERRTYPE = cudaError; bool THRW = true; SUCCTYPE = cudaError; "
    "std::conditional_t<THRW, void, common::Status> = void] "
)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (
            f"[ONNXRuntimeError] : 1 : FAIL : {CUDA}CUDA failure 35: CUDA driver version is "
            f"insufficient for CUDA runtime version ; GPU=0 ; hostname=box ; file={SOURCE}x.cc ; "
            "line=66 ; expr=cudaSetDevice(info_.device_id);",
            "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version",
        ),
        (
            f"[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : {SOURCE}framework/bfc_arena.cc:376 "
            "void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) "
            "Failed to allocate memory for requested buffer of size 1073741824\nand more",
            "Failed to allocate memory for requested buffer of size 1073741824",
        ),
        (
            "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find an implementation for "
            "Conv(11) node with name 'a : b'",
            "Could not find an implementation for Conv(11) node with name 'a : b'",
        ),
        ("libcublasLt.so.13: cannot open shared object file.", "libcublasLt.so.13: cannot open "
         "shared object file"),
        ("x" * 100 + ". " + "y" * 100 + ". This is what went wrong.", "This is what went wrong"),
        (f"{SOURCE}graph.cc:12 broken", "broken"),
    ],
)  # fmt: skip
def test_the_last_sentence_is_shown(told: str, shown: str) -> None:
    assert first_line(RuntimeError(told)) == shown


def test_nothing_said_is_named_by_its_class_and_nothing_is_long() -> None:
    assert first_line(KeyError()) == "KeyError"
    assert len(first_line(ValueError("long " * 100))) == LONGEST
