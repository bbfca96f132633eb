"""The component in a blank pipeline of spaCy: entities, scores, pictures, what cannot be aligned, saving."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import mner
from mner.errors import DataError, ModelError
from mner.tagger import Tagger
from mner.types import Entity, Prediction

spacy: Any = pytest.importorskip("spacy", reason='spaCy is not installed: pip install "mner[spacy]"')

TEXT = "Kevin Love is back in Cleveland"
Make = Callable[..., Any]


@pytest.fixture(scope="module")
def make(tiny_model: Path) -> Make:
    def make(**config: Any) -> Any:
        nlp = spacy.blank("en")
        nlp.add_pipe("mner", config={"model": str(tiny_model), "settings": {"threads": 1}, **config})
        return nlp

    return make


@pytest.fixture(scope="module")
def tagger(tiny_model: Path) -> Tagger:
    return mner.load(tiny_model, threads=1)


def predicting(nlp: Any, monkeypatch: pytest.MonkeyPatch, *entities: Entity) -> None:
    """Have the component's tagger find these entities in any document."""
    monkeypatch.setattr(
        nlp.get_pipe("mner")._tagger,
        "pipe",
        lambda rows, **_: (Prediction("", row["text"], entities) for row in rows),
    )


def test_entry_point_names_the_component() -> None:
    points = [point.value for point in entry_points(group="spacy_factories") if point.name == "mner"]
    assert points == ["mner.integrations.spacy:make"]


def test_entities_and_scores_are_those_of_the_tagger(make: Make, tagger: Tagger) -> None:
    doc, prediction = make()(TEXT), tagger(TEXT)
    assert prediction.entities
    assert [(span.start_char, span.end_char, span.text, span.label_) for span in doc.ents] == [
        (entity.start, entity.end, entity.text, entity.label) for entity in prediction.entities
    ]
    assert [span._.mner_score for span in doc.ents] == [entity.score for entity in prediction.entities]
    assert doc._.mner == prediction.to_dict()


def test_picture_of_a_document_is_read(make: Make, tmp_path: Path) -> None:
    nlp = make()
    Image.new("RGB", (64, 48), "navy").save(stream := io.BytesIO(), "PNG")
    (tmp_path / "1.png").write_bytes(stream.getvalue())
    for picture in (str(tmp_path / "1.png"), tmp_path / "1.png", stream.getvalue(), Image.open(stream)):
        doc = nlp.make_doc(TEXT)
        doc._.mner_image = picture
        assert nlp(doc)._.mner["image_status"] in {"used", "empty"}
    doc = nlp.make_doc(TEXT)
    doc._.mner_image = "nowhere.jpg"
    row = nlp(doc)._.mner
    assert (row["view"], row["image_status"]) == ("T", "missing")
    assert nlp.get_pipe("mner").counts.pictures["missing"] == 1


def test_stream_keeps_order_and_is_read_in_batches(make: Make, tagger: Tagger) -> None:
    nlp, texts = make(), [f"{TEXT} {number}" for number in range(10)]
    taken = 0

    def counted() -> Any:
        nonlocal taken
        for text in texts:
            taken += 1
            yield nlp.make_doc(text)

    stream = nlp.get_pipe("mner").pipe(counted(), batch_size=4)
    first = next(stream)
    assert taken == 4
    docs = [first, *stream]
    assert [doc.text for doc in docs] == texts
    expected = [prediction.to_dict()["entities"] for prediction in tagger.pipe(texts, look_ahead=4)]
    assert [doc._.mner["entities"] for doc in docs] == expected
    assert [doc.text for doc in nlp.pipe(texts, batch_size=3)] == texts


@pytest.mark.parametrize(
    ("alignment", "texts", "unaligned"), [("strict", [], 1), ("expand", ["Clevelanders"], 0), ("contract", [], 1)]
)
def test_entity_within_a_token_is_counted_or_extended(
    make: Make, monkeypatch: pytest.MonkeyPatch, alignment: str, texts: list[str], unaligned: int
) -> None:
    nlp = make(alignment=alignment)
    predicting(nlp, monkeypatch, Entity(4, 13, "Cleveland", "LOC", 0.9))
    doc = nlp("The Clevelanders won")
    assert [span.text for span in doc.ents] == texts
    assert nlp.get_pipe("mner").unaligned == unaligned
    assert doc._.mner["entities"][0]["text"] == "Cleveland"


def test_of_two_entities_in_one_token_the_first_stays(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = make(alignment="expand")
    predicting(nlp, monkeypatch, Entity(0, 3, "Abc", "LOC", 0.9), Entity(3, 6, "def", "PER", 0.8))
    assert [(span.text, span.label_) for span in nlp("Abcdef").ents] == [("Abcdef", "LOC")]
    assert nlp.get_pipe("mner").unaligned == 1


def test_entities_of_other_components_stay_where_ours_are_not(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = make()
    ruler = nlp.add_pipe("entity_ruler", before="mner")
    ruler.add_patterns([{"label": "RULE", "pattern": "Kevin Love is"}, {"label": "RULE", "pattern": "Cleveland"}])
    predicting(nlp, monkeypatch, Entity(0, 10, "Kevin Love", "PER", 0.9))
    doc = nlp(TEXT)
    assert [(span.text, span.label_) for span in doc.ents] == [("Kevin Love", "PER"), ("Cleveland", "RULE")]
    assert [span._.mner_score for span in doc.ents] == [0.9, None]


def test_least_score_is_obeyed(make: Make, tagger: Tagger) -> None:
    best = max(entity.score for entity in tagger(TEXT).entities)
    assert len(make(min_score=best)(TEXT).ents) == 1


def test_saved_pipeline_loads_the_same_model(make: Make, tmp_path: Path) -> None:
    nlp = make()
    nlp.to_disk(tmp_path / "pipeline")
    assert [path.name for path in (tmp_path / "pipeline" / "mner").iterdir()] == ["mner.json"]
    expected = nlp(TEXT)._.mner
    assert spacy.load(tmp_path / "pipeline")(TEXT)._.mner == expected
    assert make().from_bytes(nlp.to_bytes())(TEXT)._.mner == expected


def test_saved_pipeline_of_another_model_is_refused(make: Make, tmp_path: Path) -> None:
    component = make().get_pipe("mner")
    component.to_disk(tmp_path)
    other = make(settings={"threads": 1, "use_images": False}).get_pipe("mner")
    with pytest.raises(ModelError, match="saved with another model"):
        other.from_disk(tmp_path)
    with pytest.raises(ModelError, match=r"the pipeline: .*saved with another model"):
        other.from_bytes(component.to_bytes())
    (tmp_path / "mner.json").write_text("{")
    with pytest.raises(DataError, match=r"mner\.json: cannot be read"):
        component.from_disk(tmp_path)


def test_component_and_its_documents_survive_the_way_to_another_process(make: Make) -> None:
    nlp = make()
    doc = nlp(TEXT)
    component = pickle.loads(pickle.dumps(nlp.get_pipe("mner")))
    assert component(nlp.make_doc(TEXT))._.mner == doc._.mner
    copy = spacy.tokens.Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert copy._.mner == doc._.mner
    assert [span._.mner_score for span in copy.ents] == [span._.mner_score for span in doc.ents]


def test_faulty_settings_are_errors_when_the_component_is_added(make: Make, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model"):
        make(model=str(tmp_path / "none"))
    with pytest.raises(ValueError, match="alignment"):
        make(alignment="loose")


def test_saved_pipeline_does_not_depend_on_where_and_how_it_runs(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe(
        "mner", config={"model": str(tiny_model), "settings": {"threads": 1, "images": "photos", "timeout": 5}}
    )
    nlp.to_disk(tmp_path / "pipeline")
    monkeypatch.chdir(tmp_path)  # where the folder of pictures is another one
    assert spacy.load(tmp_path / "pipeline")(TEXT)._.mner["text"] == TEXT
    assert str(tmp_path) not in (tmp_path / "pipeline" / "mner" / "mner.json").read_text()
