"""The folder of a vision model -> one loaded network, shared by all backends that name it.

Safetensors only, no remote code, evaluation mode. Pictures are prepared with Pillow and numpy: torchvision is neither
needed nor used where it is there, so the same picture gives the same pixels on every machine.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import torch
from PIL import Image

from mner.encoders._weights import check_loaded
from mner.errors import MnerError, ModelError
from mner.vision.networks import resnet
from mner.vision.networks.folder import TORCHVISION
from mner.vision.quiet import Shared

AUTO = {
    **dict.fromkeys(("detr", "rt_detr", "rt_detr_v2", "d_fine"), "AutoModelForObjectDetection"),
    **dict.fromkeys(("owlv2", "grounding-dino"), "AutoModelForZeroShotObjectDetection"),
    **dict.fromkeys(("clip", "siglip", "resnet"), "AutoModel"),
}
"""Classes of transformers that load an architecture; all others write texts about pictures."""

PROCESSORS = {
    "blip": "BlipProcessor",
    "blip-2": "Blip2Processor",
    "clip": "CLIPProcessor",
    "florence2": "Florence2Processor",
    "git": "GitProcessor",
    "grounding-dino": "GroundingDinoProcessor",
    "idefics3": "Idefics3Processor",
    "owlv2": "Owlv2Processor",
    "siglip": "SiglipProcessor",
    "smolvlm": "Idefics3Processor",  # for one picture it writes the same; SmolVLM's own wants a reader of videos
}
"""Classes of transformers that turn picture and text into a network's input; others have no text or need none."""

CHATS = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")
"""Architectures whose own processor cannot be made without torchvision, as it reads videos; see ``prompts``."""

_LEGAL_REST = {"resnet": "classifier."}
"""How arrays begin that an architecture's files hold and this network does not; of others, heads are not listed."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Network:
    """A loaded model.

    Attributes:
        architecture: As its ``config.json`` names it.
        model: In evaluation mode, on ``device``.
        images: Prepares pictures and reads boxes back.
        tokenizer: None where there is no text.
        processor: Both at once; None where the architecture has none that is used here.
        template: The chat template; None where there is none.
        lock: Held while text is prepared or written: tokenizers and some models keep state from call to call.
    """

    folder: Path
    architecture: str
    model: Any
    images: Any
    tokenizer: Any
    processor: Any
    template: str | None
    device: torch.device
    lock: threading.RLock = field(default_factory=threading.RLock)

    def on_device(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Prepared arrays where the model is, floats in its own type."""
        kind = self.model.dtype
        return {
            name: value.to(self.device, kind) if value.is_floating_point() else value.to(self.device)
            for name, value in inputs.items()
        }


_loaded: WeakValueDictionary[tuple[str, str], Network] = WeakValueDictionary()
_loading = threading.Lock()


def load(folder: Path, architecture: str, *, device: str = "auto", threads: int = 0) -> Network:
    """The network of a folder; where it is loaded already, that one.

    Args:
        folder: A checked folder.
        architecture: Of the model in it; ``TORCHVISION`` for weights alone.
        device: "auto" (a GPU where there is one), or what torch calls it.
        threads: Most CPU threads of torch, for the whole process; 0 leaves that alone.

    Raises:
        ModelError: It cannot be loaded, its files lack weights, or they hold those of another network.
    """
    if threads:
        torch.set_num_threads(threads)
    place = device_named(device)
    key = (str(folder.resolve()), str(place))
    with _loading:
        network = _loaded.get(key)
        if network is None:
            try:
                with quiet():
                    network = _load(folder, architecture, place)
            except MnerError:
                raise
            except Exception as error:  # a damaged file makes the loaders raise anything
                raise ModelError(f"{folder}: cannot be loaded as {architecture}: {error}") from error
            _loaded[key] = network
    return network


def prepared(network: Network, picture: Image.Image) -> dict[str, Any]:
    """The network's input of one picture (1, channel, row, column), on its device."""
    return network.on_device(network.images(images=picture, return_tensors="pt"))


def joined(inputs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """Inputs of one picture each, joined where all their arrays have the same shapes; with their places.

    Nothing is padded: what a network makes of a picture does not depend on the pictures beside it.

    Args:
        inputs: For each picture its arrays by name; the first axis counts pictures, or patches of them.

    >>> narrow, wide = {"x": torch.zeros(1, 2)}, {"x": torch.zeros(1, 3)}
    >>> [(places, tuple(arrays["x"].shape)) for places, arrays in joined([narrow, wide, narrow])]
    [([0, 2], (2, 2)), ([1], (1, 3))]
    """
    alike: dict[tuple[tuple[str, torch.Size], ...], list[int]] = {}
    for place, arrays in enumerate(inputs):
        alike.setdefault(tuple((name, array.shape) for name, array in sorted(arrays.items())), []).append(place)
    for places in alike.values():
        yield places, {name: torch.cat([inputs[place][name] for place in places]) for name in inputs[places[0]]}


@contextmanager
def _silenced() -> Iterator[None]:
    from transformers.utils import logging as untyped

    logging: Any = untyped
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    yield
    logging.set_verbosity(verbosity)
    if bars:
        logging.enable_progress_bar()


quiet = Shared(_silenced)
"""Keeps transformers from writing to the terminal."""


def device_named(name: str) -> torch.device:
    """The device of a name: "auto" is a GPU where there is one; a ModelError for a name that torch does not know."""
    try:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else torch.device(name)
    except RuntimeError as error:
        raise ModelError(f'device "{name}": torch knows no such device ({str(error).splitlines()[0]})') from None


def _load(folder: Path, architecture: str, device: torch.device) -> Network:
    if architecture == TORCHVISION:
        model, images = resnet.load(folder)
        return Network(folder, "resnet", model.to(device), images, None, None, None, device)
    import transformers as untyped

    transformers: Any = untyped
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    # Half precision is slow on a CPU, and lacks some operations.
    dtype = torch.float32 if device.type == "cpu" else "auto"
    auto = getattr(transformers, AUTO.get(architecture, "AutoModelForImageTextToText"))
    reported = {"output_loading_info": True, "ignore_mismatched_sizes": True}  # for check_loaded
    model, report = auto.from_pretrained(folder, dtype=dtype, use_safetensors=True, **reported, **local)
    rest, unused = _LEGAL_REST.get(architecture, ""), report["unexpected_keys"]
    check_loaded(
        folder,
        missing=report["missing_keys"],
        unknown=[name for name in unused if not name.startswith(rest)],
        shapes=report["mismatched_keys"],
        unused=unused,
    )
    images = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil", **local)
    if architecture not in (*PROCESSORS, *CHATS):
        return Network(folder, architecture, model.eval().to(device), images, None, None, None, device)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **local)
    kind = getattr(transformers, PROCESSORS.get(architecture, "ProcessorMixin"))
    settings, _ = kind.get_processor_dict(folder, **local)
    processor = kind.from_args_and_dict([images, tokenizer], settings) if architecture in PROCESSORS else None
    template = settings.get("chat_template") or getattr(tokenizer, "chat_template", None)
    return Network(folder, architecture, model.eval().to(device), images, tokenizer, processor, template, device)
