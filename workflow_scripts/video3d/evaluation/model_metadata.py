"""metadata.json of an exported model: what its clips and classes are, and where its weights come from."""

import json
from pathlib import Path

from video3d.common.errors import UserError

PROGRAM, PARAMETERS, METADATA = "model.json", "model.pdiparams", "metadata.json"
UNCHECKED = {"origin": "unchecked", "training_data_known": None}  # weights that check_weights.py has not seen


def read_model_metadata(path: Path) -> dict:
    """Return what the file says; weights of a model that was exported before there was a check are `UNCHECKED`.

    Raises UserError if the file is missing or damaged.
    """
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
        metadata["labels"], metadata["clip"]["frames"], metadata["clip"]["size"], metadata["files"][PARAMETERS]
        metadata["weights"] = UNCHECKED | metadata.get("weights", {})
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; export the model again") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged ({error!r}); delete it and export the model again") from error
    return metadata
