"""Labels of whole pictures."""

from __future__ import annotations

from PIL import Image

from mner.vision.scene import scene


def test_scene_names_only_settings():
    reader = scene.SceneReader(scene.Options(threshold=0.001, labels=1000), threads=1)
    result = reader(Image.effect_mandelbrot((300, 200), (-2, -1, 1, 1), 60).convert("RGB"))
    assert result == sorted(result, key=lambda each: -each.confidence)
    assert {each.label for each in result} <= scene.SETTINGS


def test_scene_settings_are_labels_of_the_classifier():
    labels = scene.json.loads(scene.MODELS[1].read_text(encoding="utf-8"))
    assert len(labels) == 1000
    assert set(labels) >= scene.SETTINGS


def test_scene_input_is_the_middle_square():
    picture = Image.new("RGB", (512, 256), (0, 0, 0))
    picture.paste((255, 255, 255), (128, 0, 384, 256))
    array = scene.prepare(picture)
    assert array.shape == (1, 3, 224, 224)
    assert array.min() == array.max() == 1.0
