"""Training in several processes at once (`torchrun --nproc-per-node N main.py train ...`).

Each process takes its part of every batch and the gradients are averaged, so that the model is the
one that a single process would train. Gloo on CPUs; the first process alone writes and prints.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from stylizer.errors import BadInput


@dataclass(frozen=True)
class ProcessGroup:
    """This process's number among `size`; alone, 0 of 1."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    def average_gradients(self, network: nn.Module) -> None:
        """Replace every gradient by its mean over the group."""
        if self.size == 1:
            return
        for parameter in network.parameters():
            if parameter.grad is not None:
                distributed.all_reduce(parameter.grad)
                parameter.grad /= self.size

    def averaged(self, own: Tensor) -> Tensor:
        """The group's mean of a value; the gradient is this process's own, for the gradients are
        averaged later."""
        if self.size == 1:
            return own
        total = own.detach().clone()
        distributed.all_reduce(total)
        return own + (total / self.size - own.detach())

    def average_buffers(self, network: nn.Module) -> None:
        """The same for what is observed and not trained (ranges of activations, norms)."""
        if self.size == 1:
            return
        for buffer in network.buffers():
            if not buffer.is_floating_point():  # batch norm's count of batches: alike everywhere
                continue
            distributed.all_reduce(buffer)
            buffer /= self.size

    def barrier(self) -> None:
        """All have come this far: none closes its connections while another still averages."""
        if self.size > 1 and distributed.get_backend() == "gloo":
            distributed.monitored_barrier()


def join_group(batch: int) -> ProcessGroup:
    """The group that torchrun started this process in, or a group of one.

    Raises BadInput when the batch cannot be shared evenly.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return ProcessGroup()
    if batch % size:
        raise BadInput(f"--batch {batch} cannot be shared by {size} processes: use a multiple")
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend)
    if backend == "nccl":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    return ProcessGroup(distributed.get_rank(), size)


def leave_group() -> None:
    """End the process group, if there is one."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
