"""What the hand-written limits share: batches gathered into the same memory, and Adam's fused kernel called directly.

The first object of `torch.optim` in a process imports the compiler, about a second inside the first fit.
"""

import torch


class Adam:
    """Adam, or AdamW where there is weight decay: without it the two are one."""

    def __init__(self, parameters, learning_rate, *, betas=(0.9, 0.999), weight_decay=0.0):
        self.parameters, self.learning_rate = list(parameters), learning_rate
        self.betas, self.weight_decay = betas, weight_decay
        self.moments = [[torch.zeros_like(p) for p in self.parameters] for _ in range(2)]
        self.steps = [torch.zeros(()) for _ in self.parameters]

    @torch.no_grad()
    def step(self, gradients):
        torch._foreach_add_(self.steps, 1)
        torch._fused_adamw_(
            self.parameters,
            list(gradients),
            *self.moments,
            [],
            self.steps,
            lr=self.learning_rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=self.weight_decay,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )


def batches(job, *arrays):
    """Yield the rows of each batch, shuffled anew every epoch; they stand in the same memory every time."""
    buffers = [array.new_empty(job.batch_size, *array.shape[1:]) for array in arrays]
    for _ in range(job.epochs):
        for index in torch.randperm(len(arrays[0])).split(job.batch_size):
            if len(index) < job.batch_size:
                yield [array[index] for array in arrays]
                continue
            for array, buffer in zip(arrays, buffers, strict=True):
                torch.index_select(array, 0, index, out=buffer)
            yield buffers
