"""Tiny random models that find objects or compare pictures with texts; each function fills a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_models.files import bytelevel, clip_tokenizer, images, wordpiece

CLASSES = {0: "person", 1: "dog", 2: "ball", 3: "trophy"}


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
    built = config(
        backbone_config=backbone, encoder_hidden_dim=16, encoder_in_channels=[12, 16, 24], encoder_ffn_dim=16,
        encoder_attention_heads=2, d_model=16, num_queries=12, decoder_in_channels=[16] * 3, decoder_ffn_dim=16,
        decoder_layers=2, decoder_attention_heads=2, num_denoising=0, id2label=CLASSES, **settings,
    )  # fmt: skip
    model(built).save_pretrained(folder)
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


def resnet(folder: Path) -> None:
    from transformers import ResNetConfig, ResNetModel

    sizes = {"embedding_size": 8, "hidden_sizes": [8, 12, 16, 24], "depths": [1] * 4}
    ResNetModel(ResNetConfig(**sizes)).save_pretrained(folder)
    images(folder, "ConvNextImageProcessor", size={"shortest_edge": 224}, crop_pct=0.875, do_rescale=True)


MAKERS: dict[str, Callable[[Path], None]] = {
    "detr": detr, "rt_detr": rt_detr, "rt_detr_v2": rt_detr_v2, "d_fine": d_fine, "owlv2": owlv2,
    "grounding-dino": grounding_dino, "clip": clip, "siglip": siglip, "resnet": resnet,
}  # fmt: skip
