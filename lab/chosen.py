"""The experiments that the first pages show: what each is compared with, and what a reader calls it."""

from __future__ import annotations

TEXT, METHOD = "text-tuned", "ita-ga-cva-tuned"
TEXT_E5, METHOD_E5 = "text-e5-tuned", "ita-ga-cva-e5-tuned"
TEXT_MPNET, METHOD_MPNET = "text-mpnet-warm-tuned", "ita-ga-cva-mpnet-warm-tuned"

CONTROLS = (
    (METHOD, TEXT, "ITA-GA + CVA, the whole method"),
    ("ita-ga-cva-shuffled-tuned", TEXT, "the same, another's picture"),
    ("ita-ga-cva-empty-tuned", TEXT, "the same, an empty context"),
    ("text-double-steps-tuned", TEXT, "the words alone, twice the steps"),
    ("ita-random-tuned", TEXT, "random contexts, no alignment"),
    ("ita-ga-tuned", TEXT, "own captions, no alignment"),
    (METHOD_E5, TEXT_E5, "on e5: ITA-GA + CVA"),
    ("ita-ga-cva-e5-shuffled-tuned", TEXT_E5, "on e5: another's picture"),
    ("ita-ga-cva-e5-empty-tuned", TEXT_E5, "on e5: an empty context"),
)
OTHERS_PICTURE = (
    (METHOD, "ita-ga-cva-shuffled-tuned", ""),
    (METHOD_E5, "ita-ga-cva-e5-shuffled-tuned", ""),
)
"""The whole method, and the same with another's picture."""

ROWS = (
    ("ita-ga-tuned", TEXT, "GA"),
    (METHOD, TEXT, "GA + CVA"),
    ("ita-ga-cva-blip2-tuned", TEXT, "GA + CVA, BLIP-2's captions"),
    ("ita-la-cva-standin-tuned", TEXT, "LA + CVA, stand-in tags"),
    ("ita-all-cva-standin-tuned", TEXT, "All + CVA, stand-ins"),
    (METHOD_E5, TEXT_E5, "GA + CVA on e5"),
    (METHOD_MPNET, TEXT_MPNET, "GA + CVA on mpnet"),
)
"""Experiments, what each is compared with, and what a reader calls it."""

ENCODERS = (
    (TEXT_E5, TEXT, "the words alone on e5"),
    (METHOD_E5, METHOD, "ITA-GA + CVA on e5"),
    (TEXT_MPNET, TEXT, "the words alone on MPNet"),
    (METHOD_MPNET, METHOD, "ITA-GA + CVA on MPNet"),
)
"""As ``ROWS``, each over the same on MiniLM."""

LAYERS = (
    ("text-pad-tuned", TEXT, "the words alone, further sub-tokens labelled PAD"),
    ("umt-zeroed-tuned", TEXT, "UMT, zeros for the picture"),
    ("umt-pad-zeroed-tuned", TEXT, "UMT, zeros for the picture, PAD labels"),
    ("umgf-zeroed-tuned", TEXT, "UMGF, zeros for the picture"),
    ("rpbert-zeroed-tuned", TEXT, "RpBERT without its gate, zeros for the picture"),
    ("imgfeat-zeroed-tuned", TEXT, "ImgFeat, zeros for the picture"),
)
"""As ``ROWS``: published systems without their picture, and the label coding of their code."""

OCSGA = (("ocsga-nouns-tuned", "ocsga-words-tuned", "OCSGA, nouns of captions for object labels"),)
TEXTS = (
    ("more-mpnet-tuned", TEXT_MPNET, "MoRe's idea: training posts that share words"),
    ("pgim-mpnet-tuned", TEXT_MPNET, "PGIM's idea: a language model's text, then captions"),
    ("llm-labels-cva-tuned", TEXT, "the language model's text alone, on MiniLM"),
)
"""As ``ROWS``, beside ITA: each over the words alone on the same encoder or word vectors."""
