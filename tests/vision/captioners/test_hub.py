"""Captioners of the hub, on tiny random models in the hub's layout, through the extractor a user runs."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import transformers
from PIL import Image
from pydantic import ValidationError
from transformers.processing_utils import ProcessorMixin

from mner.config import VisionConfig
from mner.errors import ModelError
from mner.vision.captioners import hub
from mner.vision.extract import Extractor
from mner.vision.networks import generate, prompts
from mner.vision.networks.load import load, quiet

WRITERS = ["blip", "blip-2", "git", "florence2", "smolvlm", "idefics3", "qwen2_vl", "qwen2_5_vl", "qwen3_vl"]
CHATS = ["smolvlm", "idefics3", "qwen2_vl", "qwen2_5_vl", "qwen3_vl"]
PICTURE = Image.effect_noise((120, 90), 80).convert("RGB")


def captions(folder, **options):
    config = VisionConfig(detector="", captioner="hub", ocr="", options={"hub": {"model": str(folder), **options}})
    context = Extractor(config, threads=1).read(PICTURE, image="1.jpg")
    assert (context.status, context.reason) == ("ok", None)
    return context.captions


def network_of(tiny_vision, architecture):
    return load(tiny_vision(architecture), architecture)


@pytest.mark.parametrize("architecture", WRITERS)
def test_captioner_writes_by_beam_search(tiny_vision, architecture):
    result = captions(tiny_vision(architecture), captions=4, beams=6, tokens=8)
    assert 1 <= len(result) <= 4  # sentences that differ by special tokens only are one
    assert [each.score for each in result] == sorted((each.score for each in result), reverse=True)
    assert all(each.text == " ".join(each.text.split()) and each.source == "hub" and each.score < 0 for each in result)
    assert captions(tiny_vision(architecture), captions=4, beams=6, tokens=8) == result


@pytest.mark.parametrize("architecture", ["blip", "git"])
def test_beam_search_returns_as_many_captions_as_told(tiny_vision, architecture):
    for count in (1, 3, 5):
        assert len(captions(tiny_vision(architecture), captions=count)) == count


@pytest.mark.parametrize("architecture", WRITERS)
def test_default_search_gives_five_scored_sequences_of_at_most_twenty_tokens(tiny_vision, architecture, monkeypatch):
    result = []
    real = generate.write
    monkeypatch.setattr(
        generate, "write", lambda *given, **search: result.extend(real(*given, **search)) or result[-1:]
    )
    monkeypatch.setattr("mner.vision.networks.florence.write", generate.write)
    captioner = hub.Captioner(hub.Options(model=str(tiny_vision(architecture))))
    network, repeated = captioner._network, 0
    if architecture != "florence2":
        given, repeated = prompts.inputs(network, PICTURE, "")
        if architecture == "git":
            repeated = given["input_ids"].shape[1]
    captioner(PICTURE, [], scenes=[], ocr=[])
    (sequences,) = result
    assert len(sequences) == 5
    assert [each.score for each in sequences] == sorted((each.score for each in sequences), reverse=True)
    assert all(each.score < 0 for each in sequences)
    begun = 1 if architecture in ("florence2", "blip") else 0  # the token that their decoders begin with
    assert 1 <= max(len(each.ids) - repeated - begun for each in sequences) <= 20


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("a dog\x00\x1b[2J on\r\na beach\x07", "a dog [2J on a beach"),
        ("dog " * 2_500, ("dog " * 250).strip()),
        ("\x00", None),
    ],
)
def test_odd_caption_of_a_model_is_made_fit(tiny_vision, monkeypatch, written, stored):
    captioner = hub.Captioner(hub.Options(model=str(tiny_vision("blip")), captions=1, beams=2))
    monkeypatch.setattr(type(captioner._network.tokenizer), "decode", lambda *message, **more: written)
    result = captioner(PICTURE, [], scenes=[], ocr=[])
    assert [each.text for each in result] == ([stored] if stored else [])


def test_blip_writes_what_its_own_generate_does(tiny_vision):
    folder = tiny_vision("blip")
    model = transformers.BlipForConditionalGeneration.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    processor = transformers.BlipProcessor(transformers.AutoImageProcessor.from_pretrained(folder), tokenizer)
    with torch.inference_mode(), quiet():
        built = processor(images=PICTURE, return_tensors="pt")
        ids = model.generate(**built, num_beams=5, num_return_sequences=5, max_new_tokens=20)
    assert [each.text for each in captions(folder)] == processor.batch_decode(ids, skip_special_tokens=True)


def test_one_beam_gives_no_score(tiny_vision):
    (result,) = captions(tiny_vision("git"), captions=1, beams=1)
    assert result.text and result.score is None


def test_tokens_limit_a_caption(tiny_vision):
    short, long = (captions(tiny_vision("git"), captions=1, beams=2, tokens=number) for number in (2, 18))
    assert len(short[0].text) < len(long[0].text)


@pytest.mark.parametrize("architecture", ["blip", "git"])
def test_prompt_begins_the_caption(tiny_vision, architecture):
    result = captions(tiny_vision(architecture), captions=2, beams=2, prompt="a picture of")
    assert result and all(each.text.startswith("a picture of") for each in result)


def test_git_goes_on_behind_its_first_token_and_the_prompt(tiny_vision):
    network = network_of(tiny_vision, "git")
    given, _ = prompts.inputs(network, PICTURE, "a picture of")
    words = network.tokenizer.convert_ids_to_tokens(given["input_ids"][0])
    assert words == ["[CLS]", "a", "picture", "of"]


@pytest.mark.parametrize("architecture", ["blip-2", *CHATS])
def test_question_is_no_part_of_the_answer(tiny_vision, architecture):
    network = network_of(tiny_vision, architecture)
    given, repeated = prompts.inputs(network, PICTURE, "what is this?")
    with torch.inference_mode(), quiet():
        written = network.model.generate(**given, max_new_tokens=3, do_sample=False)
    assert written[0, :repeated].tolist() == given["input_ids"][0].tolist()
    assert "what is this?" in network.tokenizer.decode(written[0, :repeated])
    assert all("what is this" not in each.text for each in captions(tiny_vision(architecture), prompt="what is this?"))


def test_prompt_changes_what_a_chat_model_writes(tiny_vision):
    each, other = (captions(tiny_vision("qwen2_vl"), prompt=prompt, captions=1) for prompt in ("who?", "where is it?"))
    assert each != other


@pytest.mark.parametrize("architecture", CHATS)
def test_input_is_what_the_models_own_processor_makes(tiny_vision, architecture, monkeypatch):
    """Their own processors want a reader of videos, which wants torchvision; here they get none."""
    network = network_of(tiny_vision, architecture)
    own = {
        "smolvlm": "SmolVLMProcessor",
        "idefics3": "Idefics3Processor",
        "qwen2_vl": "Qwen2VLProcessor",
        "qwen2_5_vl": "Qwen2_5_VLProcessor",
    }
    kind = getattr(transformers, own.get(architecture, "Qwen3VLProcessor"))
    monkeypatch.setattr(ProcessorMixin, "check_argument_for_proper_class", lambda *message: None)
    monkeypatch.setattr("transformers.models.smolvlm.processing_smolvlm.num2words", str)
    more = {"image_seq_len": 4} if architecture in ("smolvlm", "idefics3") else {}
    videos = {} if architecture == "idefics3" else {"video_processor": None}
    processor = kind(network.images, network.tokenizer, chat_template=network.template, **videos, **more)
    content = [{"type": "image"}, {"type": "text", "text": "what is this?"}]
    request = ProcessorMixin.apply_chat_template(
        processor, [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
    )
    expected = processor(text=[request], images=[PICTURE], return_tensors="pt")
    given, _ = prompts.inputs(network, PICTURE, "what is this?")
    assert set(expected) <= set(given)
    for name, array in expected.items():
        assert torch.equal(given[name], array), name


def test_chat_model_without_template_says_what_to_copy(tiny_vision, tmp_path):
    folder = shutil.copytree(tiny_vision("qwen2_vl"), tmp_path / "mute")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match=r"chat_template\.jinja"):
        hub.Captioner(hub.Options(model=str(folder)))


def test_detector_is_refused_as_captioner_by_name(tiny_vision):
    with pytest.raises(ModelError, match=r'architecture "rt_detr"; this backend runs blip, blip-2, florence2, git'):
        hub.Captioner(hub.Options(model=str(tiny_vision("rt_detr"))))


def test_more_captions_than_beams_are_refused():
    with pytest.raises(ValidationError, match="as many beams"):
        hub.Options(captions=3, beams=2)


def test_threads_that_share_a_network_write_what_one_does(tiny_vision):
    captioner = hub.Captioner(hub.Options(model=str(tiny_vision("qwen2_vl")), captions=1, tokens=4))
    pictures = [Image.new("RGB", (80, 60 + 9 * number), (40 * number, 90, 10)) for number in range(6)]
    alone = [captioner(each, [], scenes=[], ocr=[]) for each in pictures]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda each: captioner(each, [], scenes=[], ocr=[]), pictures))
    assert together == alone
