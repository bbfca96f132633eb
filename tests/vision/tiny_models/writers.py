"""Tiny random models that write about pictures; each function fills a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_models.files import bytelevel, images, wordpiece, write

CHAT = (
    "<|im_start|>{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}PICTURE{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %} Assistant:{% endif %}"
)


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

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<image>", *(f"<loc_{each}>" for each in range(1000))]
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

    _smol(folder, SmolVLMConfig, SmolVLMForConditionalGeneration, "SmolVLM")


def idefics3(folder: Path) -> None:
    """The first SmolVLM is one of these."""
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration

    _smol(folder, Idefics3Config, Idefics3ForConditionalGeneration, "Idefics3")


def _smol(folder: Path, kind: Any, model: Any, name: str) -> None:
    special = ["<pad>", "<|im_start|>", "<end_of_utterance>", "<image>", "<fake_token_around_image>", "<global-img>"]
    size = bytelevel(folder, special, bos_token="<|im_start|>", eos_token="<end_of_utterance>", pad_token="<pad>")
    side = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**side, "model_type": "llama", "vocab_size": size, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = kind(
        vision_config={**side, "image_size": 32, "patch_size": 8},
        text_config={**text, "num_key_value_heads": 2, "initializer_range": 1.0},
        image_token_id=3,
        scale_factor=2,
    )
    model(config).save_pretrained(folder)
    images(
        folder, f"{name}ImageProcessor", size={"longest_edge": 64}, max_image_size={"longest_edge": 32},
        do_image_splitting=False, do_pad=True, do_rescale=True, do_convert_rgb=True,
    )  # fmt: skip
    write(folder / "processor_config.json", {"processor_class": f"{name}Processor", "image_seq_len": 4})
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
    built = config(
        text_config=text, vision_config={"depth": 1, "num_heads": 2, "patch_size": patch, **vision},
        image_token_id=5, video_token_id=6, vision_start_token_id=3, vision_end_token_id=4,
    )  # fmt: skip
    model(built).save_pretrained(folder)
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
    "blip": blip, "blip-2": blip2, "git": git, "florence2": florence2, "smolvlm": smolvlm, "idefics3": idefics3,
    "qwen2_vl": qwen2_vl, "qwen2_5_vl": qwen2_5_vl, "qwen3_vl": qwen3_vl,
}  # fmt: skip
