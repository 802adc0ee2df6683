"""3D residual networks: those of the paper, and the reference implementation's ResNet-18.

Sources: Hara, Kataoka, Satoh, "Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet?", CVPR 2018,
and its authors' published networks; He et al., "Deep Residual Learning for Image Recognition", CVPR 2016 (shortcuts A
and B); Xie et al., "Aggregated Residual Transformations for Deep Neural Networks", CVPR 2017 (cardinality).

What `shortcut` chooses:

- "A": identity, subsampled and padded with zero channels where the shape changes; no parameters.
- "B": identity, and a 1×1×1 convolution with batch norm where the shape changes.
- "reference": a 1×1×1 convolution with batch norm in every block; the convolutions of the blocks have biases, and their
  padding puts the odd row or frame at the end ("same"), which matters where an even size is halved.

Parameters carry the names of the paper's published files, running statistics those of Paddle (`_mean`, `_variance`).
"""

from __future__ import annotations

import paddle
import paddle.nn.functional as F
from paddle import nn

from video3d.common.errors import UserError
from video3d.model.architecture import BLOCKS_PER_STAGE, SHALLOWEST_BOTTLENECK, model_faults


def build_network(model: dict, num_classes: int) -> ResNet3D:
    """Return the network that the section `model` of the settings describes, initialised from Paddle's random state.

    Its input is float32 (N, 3, T, H, W) of any T, H and W; its output the logits, float32 (N, num_classes).
    Raises UserError for a combination of settings that describes no network.
    """
    settings = ("depth", "shortcut", "width", "cardinality", "dropout")
    return ResNet3D(num_classes, **{name: model[name] for name in settings if name in model})


class ResNet3D(nn.Layer):
    """A 3D residual network: stem, four stages of blocks, average over time and space, linear classifier."""

    def __init__(
        self,
        num_classes: int,
        depth: int = 18,
        shortcut: str = "reference",
        width: int = 64,
        cardinality: int = 1,
        dropout: float = 0.0,
    ):
        super().__init__()
        model = {"depth": depth, "shortcut": shortcut, "width": width, "cardinality": cardinality}
        if faults := model_faults(model):
            raise UserError("; ".join(faults))
        initial = _normal(3, width, 7, shortcut)
        self.conv1 = nn.Conv3D(3, width, 7, stride=(1, 2, 2), padding=3, weight_attr=initial, bias_attr=False)
        self.bn1 = nn.BatchNorm3D(width)
        self.maxpool = nn.MaxPool3D(3, stride=2, padding=1)
        channels = width
        for stage, blocks in enumerate(BLOCKS_PER_STAGE[depth]):
            layers = []
            for index in range(blocks):
                stride = 2 if stage > 0 and index == 0 else 1
                if depth < SHALLOWEST_BOTTLENECK:
                    layers.append(BasicBlock(channels, width * 2**stage, stride, shortcut))
                else:
                    layers.append(Bottleneck(channels, width * 2**stage, stride, shortcut, cardinality))
                channels = layers[-1].channels
            self.add_sublayer(f"layer{stage + 1}", nn.Sequential(*layers))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, num_classes, weight_attr=nn.initializer.XavierUniform())

    def forward(self, x):
        """Return logits (N, num_classes) of clips (N, 3, T, H, W)."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.dropout(x.mean(axis=[2, 3, 4])))


class BasicBlock(nn.Layer):
    """Two 3×3×3 convolutions, the first with the stride, beside a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int, shortcut: str):
        super().__init__()
        self.channels = width
        self.conv1 = _convolution(inputs, width, 3, shortcut, stride)
        self.bn1 = nn.BatchNorm3D(width)
        self.conv2 = _convolution(width, width, 3, shortcut)
        self.bn2 = nn.BatchNorm3D(width)
        self.downsample = _shortcut(inputs, width, stride, shortcut)

    def forward(self, x):
        """Map (N, inputs, T, H, W) to (N, channels, T/stride, H/stride, W/stride), sizes rounded up."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.downsample(x))


class Bottleneck(nn.Layer):
    """1×1×1, 3×3×3 (with the stride) and 1×1×1 convolutions beside a shortcut; in groups, the block of ResNeXt."""

    def __init__(self, inputs: int, width: int, stride: int, shortcut: str, cardinality: int):
        super().__init__()
        self.channels = 4 * width
        inner = width if cardinality == 1 else 2 * width
        self.conv1 = _convolution(inputs, inner, 1, shortcut)
        self.bn1 = nn.BatchNorm3D(inner)
        self.conv2 = _convolution(inner, inner, 3, shortcut, stride, cardinality)
        self.bn2 = nn.BatchNorm3D(inner)
        self.conv3 = _convolution(inner, self.channels, 1, shortcut)
        self.bn3 = nn.BatchNorm3D(self.channels)
        self.downsample = _shortcut(inputs, self.channels, stride, shortcut)

    def forward(self, x):
        """Map (N, inputs, T, H, W) to (N, channels, T/stride, H/stride, W/stride), sizes rounded up."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + self.downsample(x))


class ZeroPaddedIdentity(nn.Layer):
    """Shortcut A where the shape changes: every `stride`-th value, and zeros for the additional channels.

    No gradient flows through it: the paper's networks were trained with this tensor detached from the graph, and it is
    their accuracy that shortcut A is there to retrace.
    """

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.copies = outputs // inputs - 1
        self.stride = stride

    def forward(self, x):
        """Map (N, inputs, T, H, W) to (N, outputs, T/stride, H/stride, W/stride), sizes rounded up."""
        x = F.avg_pool3d(x.detach(), 1, self.stride)
        # Not F.pad: Paddle Inference with oneDNN corrupts its memory on it.
        return paddle.concat([x] + [paddle.zeros_like(x)] * self.copies, axis=1)


def _convolution(inputs: int, outputs: int, kernel: int, shortcut: str, stride: int = 1, groups: int = 1) -> nn.Conv3D:
    """Return a convolution of a block; it rounds sizes up where it halves them."""
    reference = shortcut == "reference"
    return nn.Conv3D(
        inputs,
        outputs,
        kernel,
        stride,
        padding="SAME" if reference and stride > 1 else kernel // 2,
        groups=groups,
        weight_attr=_normal(inputs // groups, outputs, kernel, shortcut),
        bias_attr=None if reference else False,
    )


def _normal(inputs: int, outputs: int, kernel: int, shortcut: str) -> nn.initializer.Normal:
    """Return He et al.'s initial weights.

    They keep the variance of the activations (reference) or of the gradients (paper).
    """
    fan = kernel**3 * (inputs if shortcut == "reference" else outputs)
    return nn.initializer.Normal(0.0, (2 / fan) ** 0.5)


def _shortcut(inputs: int, outputs: int, stride: int, shortcut: str) -> nn.Layer:
    changes_shape = stride > 1 or inputs != outputs
    if shortcut == "reference" or (shortcut == "B" and changes_shape):
        return nn.Sequential(_convolution(inputs, outputs, 1, shortcut, stride), nn.BatchNorm3D(outputs))
    return ZeroPaddedIdentity(inputs, outputs, stride) if changes_shape else nn.Identity()
