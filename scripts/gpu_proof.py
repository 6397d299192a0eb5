"""The whole GPU story in one sitting: what draws, what runs, how fast, and what fails and why.

    python scripts/gpu_proof.py                              # all steps, into out/gpu.json
    python scripts/gpu_proof.py --only machine,gl_times      # some of them
    python scripts/gpu_proof.py --rehearse                   # the CUDA steps on the CPU provider

Each step is a process of its own with a time limit, and what it found is in the file as soon as it
has ended: a driver that hangs or dies costs one step. Without a GPU it runs all the same, on small
pictures and with few frames, in software rendering; the file says which renderer drew. WebGPU wants
`pip install onnxruntime-ep-webgpu`; in software also Debian's chromium-common and two variables,
ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER=1 VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json.
The steps themselves are in gpu_proof_steps/. Exit code 1 where a step ran and failed; what is not
installed or not there at all counts as "missing".
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tests"))  # integer_reference.py: the network in plain numpy
ANSWER = "gpu_proof: "  # before a step's one line of JSON


def main() -> int:
    args = parsed()
    if args.step:
        return run_step(args)
    from gpu_proof_steps import STEPS

    unknown = set(args.only) - set(STEPS)
    if unknown:
        print(f"there is no step {', '.join(sorted(unknown))}; choose of {', '.join(STEPS)}")
        return 2
    args.json.parent.mkdir(parents=True, exist_ok=True)
    started, found = time.time(), {"rehearsal": args.rehearse, "small": args.small, "steps": {}}
    names = [name for name in STEPS if not args.only or name in args.only]
    for name in names:
        left = args.minutes * 60 - (time.time() - started)
        limit = min(STEPS[name].limit_s * (4 if args.small else 1), left)
        found["steps"][name] = outcome = ran(name, args, limit)
        found["seconds"] = round(time.time() - started, 1)
        written(args.json, found)
        print(f"{outcome['seconds']:7.1f} s  {name:12} {outcome['state']:8} {told(outcome)}")
        sys.stdout.flush()
    return int(any(step["state"] in ("failed", "too slow") for step in found["steps"].values()))


def parsed() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    p.add_argument("--json", type=Path, default=ROOT / "out" / "gpu.json")
    p.add_argument("--only", type=lambda text: text.split(","), default=[], metavar="A,B")
    p.add_argument("--minutes", type=float, default=14.0, help="for all steps together")
    p.add_argument("--rehearse", action="store_true", help="the CUDA steps on the CPU provider")
    p.add_argument("--small", action="store_true", default=None, help="small pictures, few frames")
    p.add_argument("--vgg", type=Path, help="weights for the training step; default: random ones")
    p.add_argument("--step", help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.small is None:
        args.small = not has_gpu()
    if args.small:
        args.minutes *= 4  # software rendering, and nobody waits for the machine
    return args


def has_gpu() -> bool:
    """Whether the kernel knows a GPU: by NVIDIA's device or by a render node."""
    return Path("/dev/nvidiactl").exists() or any(Path("/dev/dri").glob("renderD*"))


def run_step(args: argparse.Namespace) -> int:
    """In the child: one line of JSON, whatever else libraries print."""
    from gpu_proof_steps import STEPS, Missing, Partly, Scale

    try:
        result = STEPS[args.step].run(Scale(args.small, args.rehearse, args.vgg))
        answer = {"state": "done", "result": result}
    except Missing as reason:
        answer = {"state": "missing", "why": str(reason)}
    except Partly as some:
        answer = {"state": "failed", "why": str(some), "result": some.result}
    except Exception as error:
        answer = {"state": "failed", "why": f"{type(error).__name__}: {error}"[:2000]}
    print(ANSWER + json.dumps(answer), flush=True)
    return 0


def ran(name: str, args: argparse.Namespace, limit_s: float) -> dict[str, Any]:
    """What a step found, or how it ended."""
    if limit_s < 1:
        return {"state": "left out", "why": "no time was left", "seconds": 0.0}
    words = [sys.executable, __file__, "--step", name]
    words += ["--rehearse"] if args.rehearse else []
    words += ["--small"] if args.small else []
    words += ["--vgg", str(args.vgg)] if args.vgg else []
    started = time.perf_counter()
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        output, _ = process.communicate(timeout=limit_s)
        answer = read(output, process.returncode)
    except subprocess.TimeoutExpired:
        end(process)
        output, _ = process.communicate()
        answer = {
            "state": "too slow",
            "why": f"ended after {limit_s:.0f} s",
            "said": output[-1000:],
        }
    except BaseException:  # by a key
        end(process)
        raise
    return answer | {"seconds": round(time.perf_counter() - started, 1)}


def end(process: subprocess.Popen[str]) -> None:
    """With what it started: a run, an X server."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def read(output: str, code: int) -> dict[str, Any]:
    """A step's answer in what it printed, or its last words."""
    lines = [line for line in output.splitlines() if line.startswith(ANSWER)]
    if lines:
        return json.loads(lines[-1].removeprefix(ANSWER))
    return {"state": "failed", "why": f"exit code {code}", "said": output[-1000:]}


def written(path: Path, found: dict[str, Any]) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps({"made_by": "stylizer", **found}, indent=1), encoding="utf-8")
    beside.replace(path)


def told(outcome: dict[str, Any]) -> str:
    return outcome.get("why", "").partition("\n")[0][:100]


if __name__ == "__main__":
    sys.exit(main())
