"""From the frames of a clip to logits: normalise them on the device, then run the network."""

import paddle
from paddle import nn


class NormalisedModel(nn.Layer):
    """A network that takes clips as they were decoded: uint8 RGB (N, T, H, W, 3) → logits, float32 (N, classes).

    `network` maps float32 (N, 3, T, H, W) to logits. `clip` is that section of the config: `mean` and `std` are of
    values in 0..1; with `input: difference` the network sees T - 1 differences of neighbouring frames, divided by the
    std. What is exported is this layer, so nobody has to know how the network was normalised.
    """

    def __init__(self, network: nn.Layer, clip: dict):
        super().__init__()
        self.network = network
        self.difference = clip.get("input", "rgb") == "difference"
        self.register_buffer("mean", paddle.to_tensor(clip["mean"], "float32") * 255, persistable=False)
        self.register_buffer("std", paddle.to_tensor(clip["std"], "float32") * 255, persistable=False)

    def forward(self, clips):
        """Return the logits of uint8 clips."""
        x = clips.astype("float32")  # normalised with the channels last: there, Paddle does it ten times as fast
        x = x[:, 1:] - x[:, :-1] if self.difference else x - self.mean
        return self.network((x / self.std).transpose([0, 4, 1, 2, 3]))
