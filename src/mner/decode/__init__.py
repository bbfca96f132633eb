"""Label scores -> entities: Viterbi, posteriors and exact span probabilities, in numpy."""

from mner.decode.candidates import candidates
from mner.decode.chain import Chain
from mner.decode.posterior import Posterior, posteriors
from mner.decode.scaling import Scaling
from mner.decode.spans import Decoder, ScoredSpan, span_probability, span_scores
from mner.decode.viterbi import viterbi

__all__ = [
    "Chain",
    "Decoder",
    "Posterior",
    "Scaling",
    "ScoredSpan",
    "candidates",
    "posteriors",
    "span_probability",
    "span_scores",
    "viterbi",
]
