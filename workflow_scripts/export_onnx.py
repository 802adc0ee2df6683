"""Turn an exported model into one ONNX file, for other runtimes.

In: the folder that export.py wrote. Out: a file whose input `clips` is uint8 RGB (N, T, H, W, 3) and whose output is
logits, float32 (N, classes), with the class names and what a clip is in its metadata (key `video3d`, JSON). Needs
paddle2onnx, which the workflow does not: pip install paddle2onnx
Example: python workflow_scripts/export_onnx.py --model results/reference/split1/seed10001/model --output model.onnx
"""

import argparse
import json
import logging
import sys
from pathlib import Path


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="exported folder: model.json, metadata.json …")
    parser.add_argument("--output", type=Path, required=True, help="ONNX file to write")
    return parser.parse_args()


if __name__ == "__main__":
    parse_arguments()  # a wrong one is answered before the libraries are imported, which takes seconds

from video3d.common.console import run
from video3d.common.errors import UserError
from video3d.common.files import atomic_path
from video3d.evaluation.exported_model import read_metadata
from video3d.evaluation.model_metadata import PARAMETERS, PROGRAM

OPSET = 17


def convert(model: Path, output: Path) -> None:
    """Write the exported model in the folder `model` as ONNX. Raises UserError if paddle2onnx is not installed."""
    metadata = read_metadata(model)
    try:
        import onnx
        import paddle2onnx
    except ImportError as error:
        raise UserError(f"{error.name} is not installed; pip install paddle2onnx") from error
    with atomic_path(output) as path:
        paddle2onnx.export(str(model / PROGRAM), str(model / PARAMETERS), str(path), opset_version=OPSET)
        network = onnx.load(path)
        network.metadata_props.add(key="video3d", value=json.dumps(metadata, ensure_ascii=False))
        onnx.save(network, path)


def main() -> None:
    """Convert the model and say where it is."""
    arguments = parse_arguments()
    convert(arguments.model, arguments.output)
    logging.info("wrote %s", arguments.output)


if __name__ == "__main__":
    sys.exit(run(main))
