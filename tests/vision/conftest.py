"""Tiny random vision models, saved as the hub keeps them: config, image processor, tokenizer, safetensors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WORDS = (
    "a cat dog person ball red trophy of the is on in and with small city game photo picture traffic light . , ?"
    " describe this short sentence what does image"
).split()
CLASSES = {0: "person", 1: "dog", 2: "ball", 3: "trophy"}
CHAT = (
    "<|im_start|>{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}PICTURE{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %} Assistant:{% endif %}"
)


@pytest.fixture(scope="session")
def tiny_vision(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder of a tiny random model of an architecture; each is made once."""
    made: dict[str, Path] = {}

    def folder(architecture: str) -> Path:
        if architecture not in made:
            import torch

            torch.manual_seed(0)
            made[architecture] = tmp_path_factory.mktemp(architecture)
            MAKERS[architecture](made[architecture])
        return made[architecture]

    return folder


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def images(folder: Path, kind: str, **settings: Any) -> None:
    standard = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_resize": True, "do_normalize": True}
    write(folder / "preprocessor_config.json", {"image_processor_type": kind, **standard, **settings})


def wordpiece(folder: Path) -> int:
    """A tokenizer as BERT's; the size of its vocabulary."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = [*special, *dict.fromkeys([*WORDS, *letters]), *(f"##{one}" for one in letters)]
    tokenizer = Tokenizer(models.WordPiece({one: place for place, one in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {f"{one[1:-1].lower()}_token": one for one in special}
    write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "BertTokenizerFast", **names, "model_max_length": 64, "do_lower_case": True},
    )
    return len(vocabulary)


def bytelevel(folder: Path, special: list[str], *, length: int = 2048, frame: str = "$A", **config: Any) -> int:
    """A tokenizer of single bytes, with special tokens first; the size of its vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    vocabulary = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({one: place for place, one in enumerate(vocabulary)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    named = [(one, special.index(one)) for one in special if one in frame.split()]
    tokenizer.post_processor = processors.TemplateProcessing(single=frame, special_tokens=named)
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": length, **config},
    )
    return len(vocabulary)


def detr(folder: Path) -> None:
    from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig

    backbone = ResNetConfig(embedding_size=8, hidden_sizes=[8, 12, 16, 24], depths=[1] * 4, out_features=["stage4"])
    config = DetrConfig(
        backbone_config=backbone, num_queries=12, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16,
        decoder_ffn_dim=16, encoder_attention_heads=2, decoder_attention_heads=2, d_model=16, id2label=CLASSES,
    )  # fmt: skip
    DetrForObjectDetection(config).save_pretrained(folder)
    images(folder, "DetrImageProcessor", size={"shortest_edge": 64, "longest_edge": 96})


def _rt(folder: Path, config: Any, model: Any, backbone: Any, **settings: Any) -> None:
    made = config(
        backbone_config=backbone, encoder_hidden_dim=16, encoder_in_channels=[12, 16, 24], encoder_ffn_dim=16,
        encoder_attention_heads=2, d_model=16, num_queries=12, decoder_in_channels=[16] * 3, decoder_ffn_dim=16,
        decoder_layers=2, decoder_attention_heads=2, num_denoising=0, id2label=CLASSES, **settings,
    )  # fmt: skip
    model(made).save_pretrained(folder)
    images(folder, "RTDetrImageProcessor", size={"height": 64, "width": 64})


def _resnet() -> Any:
    from transformers import RTDetrResNetConfig

    stages = ["stage2", "stage3", "stage4"]
    return RTDetrResNetConfig(embedding_size=8, hidden_sizes=[8, 12, 16, 24], depths=[1] * 4, out_features=stages)


def rt_detr(folder: Path) -> None:
    from transformers import RTDetrConfig, RTDetrForObjectDetection

    _rt(folder, RTDetrConfig, RTDetrForObjectDetection, _resnet())


def rt_detr_v2(folder: Path) -> None:
    from transformers import RTDetrV2Config, RTDetrV2ForObjectDetection

    _rt(folder, RTDetrV2Config, RTDetrV2ForObjectDetection, _resnet())


def d_fine(folder: Path) -> None:
    from transformers import DFineConfig, DFineForObjectDetection, HGNetV2Config

    backbone = HGNetV2Config(
        embedding_size=8, stem_channels=[3, 8, 8], stage_in_channels=[8, 8, 12, 16], stage_mid_channels=[8] * 4,
        stage_out_channels=[8, 12, 16, 24], stage_num_blocks=[1] * 4, stage_numb_of_layers=[1] * 4, depths=[1] * 4,
        hidden_sizes=[8, 12, 16, 24], out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    _rt(folder, DFineConfig, DFineForObjectDetection, backbone, decoder_n_points=[2, 2, 2], lqe_hidden_dim=8)


def owlv2(folder: Path) -> None:
    from transformers import Owlv2Config, Owlv2ForObjectDetection

    size = clip_tokenizer(folder, length=16)
    side = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Owlv2Config(
        text_config={**side, "vocab_size": size, "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 3},
        vision_config={**side, "image_size": 48, "patch_size": 16},
        projection_dim=16,
    )
    model = Owlv2ForObjectDetection(config)
    for weight in model.box_head.parameters():
        weight.data *= 0.1  # else every box is at an edge
    model.save_pretrained(folder)
    images(folder, "Owlv2ImageProcessor", size={"height": 48, "width": 48})


def clip_tokenizer(folder: Path, *, length: int) -> int:
    special = ["!!", "??", "<|startoftext|>", "<|endoftext|>"]  # 0 to begin with, or 2 to end with, has a meaning
    return bytelevel(
        folder, special, length=length, frame="<|startoftext|> $A <|endoftext|>", bos_token=special[2],
        eos_token=special[3], pad_token=special[3], unk_token=special[3],
    )  # fmt: skip


def grounding_dino(folder: Path) -> None:
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

    size = wordpiece(folder)
    text = {"model_type": "bert", "vocab_size": size, "hidden_size": 16, "intermediate_size": 16}
    config = GroundingDinoConfig(
        backbone_config={
            "model_type": "swin", "embed_dim": 8, "depths": [1] * 4, "num_heads": [1, 1, 2, 2], "window_size": 4,
            "out_features": ["stage2", "stage3", "stage4"],
        },
        text_config={**text, "num_hidden_layers": 1, "num_attention_heads": 2},
        num_queries=12, encoder_layers=1, encoder_ffn_dim=16, encoder_attention_heads=2, decoder_layers=2,
        decoder_ffn_dim=16, decoder_attention_heads=2, d_model=32, max_text_len=24, query_dim=4,
    )  # fmt: skip
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    images(folder, "GroundingDinoImageProcessor", size={"shortest_edge": 64, "longest_edge": 96})


def clip(folder: Path) -> None:
    from transformers import CLIPConfig, CLIPModel

    size = clip_tokenizer(folder, length=77)
    side = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**side, "vocab_size": size, "bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 3}
    config = CLIPConfig(text_config=text, vision_config={**side, "image_size": 32, "patch_size": 8}, projection_dim=16)
    CLIPModel(config).save_pretrained(folder)
    images(folder, "CLIPImageProcessor", size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def siglip(folder: Path) -> None:
    from transformers import SiglipConfig, SiglipModel

    size = bytelevel(folder, ["<pad>", "</s>"], length=64, frame="$A </s>", pad_token="<pad>", eos_token="</s>")
    side = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**side, "vocab_size": size, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
    config = SiglipConfig(text_config=text, vision_config={**side, "image_size": 32, "patch_size": 8})
    SiglipModel(config).save_pretrained(folder)
    images(folder, "SiglipImageProcessor", size={"height": 32, "width": 32})


def blip(folder: Path) -> None:
    from transformers import BlipConfig, BlipForConditionalGeneration

    size = wordpiece(folder)
    side = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**side, "vocab_size": size, "encoder_hidden_size": 16, "bos_token_id": 2, "sep_token_id": 3}
    config = BlipConfig(
        text_config={**text, "eos_token_id": 3, "pad_token_id": 0, "initializer_range": 1.0},
        vision_config={**side, "image_size": 32, "patch_size": 8, "initializer_range": 1.0},
    )
    BlipForConditionalGeneration(config).save_pretrained(folder)
    images(folder, "BlipImageProcessor", size={"height": 32, "width": 32}, processor_class="BlipProcessor")


def blip2(folder: Path) -> None:
    from transformers import Blip2Config, Blip2ForConditionalGeneration

    special = ["<s>", "<pad>", "</s>", "<unk>", "<image>"]
    size = bytelevel(folder, special, frame="</s> $A", bos_token="</s>", eos_token="</s>", pad_token="<pad>")
    side = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Blip2Config(
        vision_config={**side, "image_size": 32, "patch_size": 8, "initializer_range": 1.0},
        qformer_config={**side, "vocab_size": 30, "encoder_hidden_size": 16},
        text_config={
            "model_type": "opt", "vocab_size": size, "hidden_size": 16, "ffn_dim": 16, "num_hidden_layers": 1,
            "num_attention_heads": 2, "max_position_embeddings": 128, "word_embed_proj_dim": 16, "bos_token_id": 2,
            "eos_token_id": 2, "pad_token_id": 1, "init_std": 1.0,
        },
        num_query_tokens=4, image_token_index=4,
    )  # fmt: skip
    Blip2ForConditionalGeneration(config).save_pretrained(folder)
    images(folder, "BlipImageProcessor", size={"height": 32, "width": 32})
    write(folder / "processor_config.json", {"processor_class": "Blip2Processor", "num_query_tokens": 4})


def git(folder: Path) -> None:
    from transformers import GitConfig, GitForCausalLM

    size = wordpiece(folder)
    side = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = GitConfig(
        **side, vision_config={**side, "image_size": 32, "patch_size": 8}, vocab_size=size, bos_token_id=2,
        eos_token_id=3, pad_token_id=0, max_position_embeddings=64, initializer_range=1.0,
    )  # fmt: skip
    GitForCausalLM(config).save_pretrained(folder)
    images(folder, "CLIPImageProcessor", size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def florence2(folder: Path) -> None:
    from transformers import Florence2Config, Florence2ForConditionalGeneration

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<image>", *(f"<loc_{one}>" for one in range(1000))]
    size = bytelevel(
        folder, special, frame="<s> $A </s>", bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        unk_token="<unk>", image_token="<image>", extra_special_tokens={"image_token": "<image>"},
    )  # fmt: skip
    config = Florence2Config(
        vision_config={
            "depths": [1] * 4, "embed_dim": [8, 8, 16, 16], "num_heads": [1] * 4, "num_groups": [1] * 4,
            "window_size": 2, "projection_dim": 16,
        },
        text_config={
            "model_type": "bart", "vocab_size": size, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1,
            "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16,
            "max_position_embeddings": 256, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2,
            "decoder_start_token_id": 2, "forced_eos_token_id": 2, "init_std": 1.0,
        },
        image_token_id=5, bos_token_id=0, pad_token_id=1, eos_token_id=2,
    )  # fmt: skip
    Florence2ForConditionalGeneration(config).save_pretrained(folder)
    images(
        folder, "CLIPImageProcessor", size={"height": 64, "width": 64}, crop_size={"height": 64, "width": 64},
        do_center_crop=False, image_seq_length=5,
    )  # fmt: skip
    eight = "".join(r"<loc_(\d+)>" for _ in range(8))
    rules = {"ocr": {"PATTERN": rf"([^<]+){eight}", "AREA_THRESHOLD": 0.0}, "pure_text": {}}
    rules["description_with_bboxes"] = {}
    write(
        folder / "processor_config.json",
        {"processor_class": "Florence2Processor", "num_additional_image_tokens": 0, "post_processor_config": rules},
    )


def smolvlm(folder: Path) -> None:
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

    special = ["<pad>", "<|im_start|>", "<end_of_utterance>", "<image>", "<fake_token_around_image>", "<global-img>"]
    size = bytelevel(folder, special, bos_token="<|im_start|>", eos_token="<end_of_utterance>", pad_token="<pad>")
    side = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**side, "model_type": "llama", "vocab_size": size, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = SmolVLMConfig(
        vision_config={**side, "image_size": 32, "patch_size": 8},
        text_config={**text, "num_key_value_heads": 2, "initializer_range": 1.0},
        image_token_id=3,
        scale_factor=2,
    )
    SmolVLMForConditionalGeneration(config).save_pretrained(folder)
    images(
        folder, "SmolVLMImageProcessor", size={"longest_edge": 64}, max_image_size={"longest_edge": 32},
        do_image_splitting=False, do_pad=True, do_rescale=True, do_convert_rgb=True,
    )  # fmt: skip
    write(folder / "processor_config.json", {"processor_class": "SmolVLMProcessor", "image_seq_len": 4})
    (folder / "chat_template.jinja").write_text(CHAT.replace("PICTURE", "<image>"), encoding="utf-8")


def _qwen(folder: Path, config: Any, model: Any, kind: str, vision: dict[str, Any], patch: int, **rope: Any) -> None:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]
    special.append("<|video_pad|>")
    size = bytelevel(folder, special, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    text = {
        "vocab_size": size, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 2, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 0,
        "initializer_range": 1.0, **rope,
    }  # fmt: skip
    made = config(
        text_config=text, vision_config={"depth": 1, "num_heads": 2, "patch_size": patch, **vision},
        image_token_id=5, video_token_id=6, vision_start_token_id=3, vision_end_token_id=4,
    )  # fmt: skip
    model(made).save_pretrained(folder)
    images(
        folder, kind, min_pixels=4 * patch * patch, max_pixels=64 * patch * patch, patch_size=patch, merge_size=2,
        temporal_patch_size=2,
    )  # fmt: skip
    template = CHAT.replace("PICTURE", "<|vision_start|><|image_pad|><|vision_end|>")
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")


def qwen2_vl(folder: Path) -> None:
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    vision = {"embed_dim": 16, "hidden_size": 16, "mlp_ratio": 1}
    rope = {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}}
    _qwen(folder, Qwen2VLConfig, Qwen2VLForConditionalGeneration, "Qwen2VLImageProcessor", vision, 14, **rope)


def qwen2_5_vl(folder: Path) -> None:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    vision = {"hidden_size": 16, "out_hidden_size": 16, "intermediate_size": 16, "fullatt_block_indexes": [0]}
    rope = {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}}
    _qwen(folder, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, "Qwen2VLImageProcessor", vision, 14, **rope)


def qwen3_vl(folder: Path) -> None:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    vision = {"hidden_size": 16, "out_hidden_size": 16, "intermediate_size": 16, "deepstack_visual_indexes": [0]}
    rope = {
        "head_dim": 8, "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}
    }  # fmt: skip
    vision["num_position_embeddings"] = 16
    _qwen(folder, Qwen3VLConfig, Qwen3VLForConditionalGeneration, "Qwen2VLImageProcessorFast", vision, 16, **rope)


MAKERS: dict[str, Callable[[Path], None]] = {
    "detr": detr, "rt_detr": rt_detr, "rt_detr_v2": rt_detr_v2, "d_fine": d_fine, "owlv2": owlv2,
    "grounding-dino": grounding_dino, "clip": clip, "siglip": siglip, "blip": blip, "blip-2": blip2, "git": git,
    "florence2": florence2, "smolvlm": smolvlm, "qwen2_vl": qwen2_vl, "qwen2_5_vl": qwen2_5_vl, "qwen3_vl": qwen3_vl,
}  # fmt: skip
