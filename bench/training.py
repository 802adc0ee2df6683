"""Training steps of the full-size reference ResNet-18 on CPU: the workflow's beside Paddle's eager mode and PyTorch.

Each side runs in a process of its own, in turns: forward pass, backward pass and update of 33,615,781 parameters, on
uint8 clips of 16 frames of 112 × 112 pixels. "plain eager" is Paddle as it comes (one thread, and on AMD the slow path
of its matrix library); "tuned eager" is the same with all threads and `MKL_DEBUG_CPU_TYPE=5`; PyTorch has all threads.

    python bench/training.py [--batch 8] [--steps 3] [--rounds 3] [--without-pytorch]
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))
CORES = len(os.sched_getaffinity(0))
SIDES = {
    "workflow": {},
    "plain eager": {"MKL_DEBUG_CPU_TYPE": "0"},
    "tuned eager": {},
    "PyTorch": {},
}
Step = Callable[[object, object], None]


def paddle_step(fast: bool, threads: int) -> Step:
    """A step of the workflow's trainer, with its own convolutions or with Paddle's."""
    from video3d.common.settings import resolve
    from video3d.compute.device import use_device
    from video3d.model.resnet3d import build_network
    from video3d.training.mixup import soft_targets
    from video3d.training.trainer import Trainer

    use_device("cpu", threads)
    settings = resolve({"train": {"fast_cpu": fast}})
    network = build_network(settings.model.model_dump(), 101)
    trainer = Trainer(network, settings.clip, settings.train, "cpu", threads)
    return lambda clips, labels: trainer.step(clips, soft_targets(labels, 101), 0.01, 0)


def pytorch_step(threads: int) -> Step:
    """The same network and recipe in PyTorch."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    class HalvingConvolution(nn.Conv3d):
        """With the reference's padding "same": an odd row is at the end."""

        def forward(self, x):
            sides = zip(reversed(x.shape[2:]), self.kernel_size, strict=True)
            missing = [max((-(-length // 2) - 1) * 2 + kernel - length, 0) for length, kernel in sides]
            return super().forward(F.pad(x, [side for m in missing for side in (m // 2, m - m // 2)]))

    def convolution(inputs, outputs, kernel, stride):
        if stride == 2:
            return HalvingConvolution(inputs, outputs, kernel, stride)
        return nn.Conv3d(inputs, outputs, kernel, padding=kernel // 2)

    class Block(nn.Module):
        """Two convolutions beside a projection."""

        def __init__(self, inputs, outputs, stride):
            super().__init__()
            first, second = convolution(inputs, outputs, 3, stride), convolution(outputs, outputs, 3, 1)
            norm = nn.BatchNorm3d
            self.main = nn.Sequential(first, norm(outputs), nn.ReLU(), second, norm(outputs))
            self.shortcut = nn.Sequential(convolution(inputs, outputs, 1, stride), norm(outputs))

        def forward(self, x):
            return F.relu(self.main(x) + self.shortcut(x))

    torch.set_num_threads(threads)
    stem = [nn.Conv3d(3, 64, 7, (1, 2, 2), 3, bias=False), nn.BatchNorm3d(64), nn.ReLU(), nn.MaxPool3d(3, 2, 1)]
    blocks = [Block(64, 64, 1), Block(64, 64, 1)]
    for width in (128, 256, 512):
        blocks += [Block(width // 2, width, 2), Block(width, width, 1)]
    network = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(512, 101))
    assert sum(parameter.numel() for parameter in network.parameters()) == 33_615_781
    optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9, weight_decay=1e-3)

    def step(clips, labels):
        x = torch.from_numpy(clips).permute(0, 4, 1, 2, 3).float().sub(115).div(57).contiguous()
        loss = F.cross_entropy(network(x), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()

    return step


def measure(side: str, batch: int, steps: int) -> None:
    """Print the clips per second of one side's steps after a first one."""
    step = {
        "workflow": lambda: paddle_step(True, CORES),
        "plain eager": lambda: paddle_step(False, 1),
        "tuned eager": lambda: paddle_step(False, CORES),
        "PyTorch": lambda: pytorch_step(CORES),
    }[side]()
    import numpy as np

    rng = np.random.default_rng(0)
    clips, labels = rng.integers(0, 256, (batch, 16, 112, 112, 3), dtype=np.uint8), rng.integers(0, 101, batch)
    step(clips, labels)
    start = time.perf_counter()
    for _ in range(steps):
        step(clips, labels)
    print(batch * steps / (time.perf_counter() - start))


def main() -> None:
    """Parse the arguments, measure the sides in turns, print the rates and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=8, help="clips in a batch (default: 8)")
    parser.add_argument("--steps", type=int, default=3, help="steps per round (default: 3)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; the fastest counts (default: 3)")
    parser.add_argument("--without-pytorch", action="store_true", help="leave PyTorch out")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        measure(arguments.side, arguments.batch, arguments.steps)
        return
    rates = {side: [] for side in SIDES if side != "PyTorch" or not arguments.without_pytorch}
    for _ in range(arguments.rounds):
        for side, values in rates.items():
            command = [sys.executable, __file__, "--side", side, "--batch", str(arguments.batch)]
            command += ["--steps", str(arguments.steps)]
            environment = os.environ | SIDES[side]
            said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
            values.append(float(said.split()[-1]))
    best = {side: max(values) for side, values in rates.items()}
    for side, values in rates.items():
        print(f"{side:12} {best[side]:6.2f} clips/s   rounds: {', '.join(f'{value:.2f}' for value in values)}")
    sizes = f"ResNet-18, batches of {arguments.batch} × 16 × 112 × 112, {CORES} cores"
    print(
        f"ratio train_vs_eager {best['workflow'] / best['plain eager']:.2f}  (workflow over plain eager mode, {sizes})"
    )
    print(f"tuned eager mode is {best['tuned eager'] / best['plain eager']:.2f} times as fast as plain eager mode")
    if "PyTorch" in best:
        print(f"ratio train_vs_pytorch {best['workflow'] / best['PyTorch']:.2f}  (workflow over PyTorch, {sizes})")


if __name__ == "__main__":
    main()
