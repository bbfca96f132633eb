"""The tables of the commands: where each is, which continue their work, and what their packages are called."""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str]] = {
    "predict": ("mner.cli.predict:predict", "Tag posts, or one text with its picture."),
    "explain": ("mner.cli.explain:explain", "Show what the picture did for each entity."),
    "serve": ("mner.cli.serve:serve", "Serve a model over HTTP."),
    "train": ("mner.cli.train:train", "Train a model from a configuration; never opens the test split."),
    "evaluate": ("mner.cli.evaluate:evaluate", "Score a trained run on both views."),
    "calibrate": ("mner.cli.calibrate:calibrate", "Find thresholds that keep a promise, or make probabilities true."),
    "export": ("mner.cli.export:export", "Write a model as ONNX, for machines without torch."),
    "tune": ("mner.cli.tune:tune", "Search a configuration's settings on dev; never opens the test split."),
    "compare": ("mner.cli.compare:compare", "Compare two experiments: means, t-test, bootstrap over posts."),
    "analyze": ("mner.cli.analyze:analyze", "Print or draw one figure or table of the paper."),
    "report": ("mner.cli.report:report", "Write the tables of all run records."),
    "data check": ("mner.cli.data:check", "Check files of posts; list every fault with its line."),
    "data stats": ("mner.cli.data:stats", "Count posts, words and entities; print the fingerprint."),
    "data convert": ("mner.cli.data:convert", "Rewrite posts in another format."),
    "context build": ("mner.cli.context:build", "Read pictures into an artefact of visual contexts."),
    "context show": ("mner.cli.context:show", "Show what was read from one picture."),
    "context stats": ("mner.cli.artefact:stats", "Count what was read: shares, words, sources."),
    "context diff": ("mner.cli.artefact:diff", "Show where two files of contexts differ."),
    "context edit": ("mner.cli.artefact:edit", "Change what is said of one picture."),
    "context sheet": ("mner.cli.artefact:sheet", "Write a page with pictures, boxes and what was read."),
    "context import": ("mner.cli.artefact:import_", "Make contexts from published objects, captions or texts."),
    "context convert": ("mner.cli.artefact:convert", "Rewrite contexts as Parquet or JSON lines."),
    "features build": ("mner.cli.features:build", "Read pictures into a folder of features: numbers, not text."),
    "features show": ("mner.cli.features:show", "Show what a folder of features holds."),
    "backends": ("mner.cli.backends:backends", "List the backends that read pictures, and whether they can run here."),
    "store export": ("mner.cli.store:export", "Write everything in the store into a file."),
    "store import": ("mner.cli.store:import_", "Put contexts that were read elsewhere into the store."),
    "config new": ("mner.cli.config:new", "Write a configuration for your own files."),
    "config show": ("mner.cli.config:show", "Print a configuration with every default filled in."),
    "model fetch": ("mner.cli.model:fetch", "Fetch a model from the Hugging Face Hub into its cache."),
    "encoder fetch": ("mner.cli.encoder:fetch", "Fetch a pretrained encoder into the cache."),
    "encoder import": ("mner.cli.encoder:import_", "Make an encoder of published word vectors or a checkpoint."),
    "encoder trim": ("mner.cli.encoder:trim", "Copy an encoder without the pieces that your posts do not use."),
    "encoder list": ("mner.cli.encoder:list_", "List the encoders and where they are."),
}
"""Command path -> its function as "module:name", and its one line of help; in the order in which users need them."""

GROUPS: dict[str, str] = {
    "data": "Files of posts.",
    "context": "What was read from pictures.",
    "features": "Features of pictures, for models that look at pictures.",
    "store": "The store of contexts, in which context build looks first.",
    "config": "Configurations.",
    "model": "Saved models.",
    "encoder": "Pretrained encoders.",
}

ADVANCED = {"store"}
"""Groups that few users need; help lists them under a heading of their own."""

CONTINUED: dict[str, str] = {
    "train": "",
    "tune": "",
    "predict": "out",
    "context build": "",
    "features build": "",
    "model fetch": "",
    "encoder fetch": "",
}
"""Command -> the option whose folder keeps the results of an interrupted command; "" where they are always kept."""

EXTRAS: dict[str, str] = {
    **dict.fromkeys(("torch", "transformers", "accelerate", "scipy"), "train"),
    **{name: name for name in ("pandas", "ray", "spacy")},
    "pytesseract": "tesseract",
    "onnx": "export",
    "optuna": "search",
    "pyarrow": "parquet",
    "datasets": "hub-data",
    **dict.fromkeys(("fastapi", "uvicorn", "starlette", "python_multipart", "prometheus_client"), "serve"),
}
"""Package that may be absent -> the extra that brings it."""
