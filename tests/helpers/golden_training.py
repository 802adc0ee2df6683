"""Print the losses of the first training steps from the golden weights; the argument is the number of steps."""

import json
import sys

import paddle
import paddle.nn.functional as F

from conftest import shared_data
from helpers.golden_weights import golden_input, golden_tensor
from video3d.model.resnet3d import build_network
from video3d.weights.import_weights import paddle_tensors
from video3d.weights.pdparams import apply_weights


def main() -> None:
    golden = json.loads((shared_data("golden") / "networks.json").read_text())["reference"]
    network = build_network({"depth": 18, "shortcut": "reference"}, 101)
    tensors = {key: golden_tensor(key, shape) for key, shape in golden["shapes"].items()}
    apply_weights(network, paddle_tensors(tensors, "golden"))
    decay = paddle.regularizer.L2Decay(1e-3)
    optimizer = paddle.optimizer.Momentum(0.01, 0.9, parameters=network.parameters(), weight_decay=decay)
    steps = int(sys.argv[1])
    for step in range(steps):
        clips = golden_input([4, 16, 3, 56, 56], step).swapaxes(1, 2)
        labels = paddle.to_tensor([(7 * step + 3 * clip) % 101 for clip in range(4)])
        loss = F.cross_entropy(network(paddle.to_tensor(clips)), labels)
        print(float(loss))
        if step == steps - 1:
            break
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()


if __name__ == "__main__":
    main()
