"""The head as a network to train; ``assistant/models/answer_head.py`` runs what comes of it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

DIMENSION = 384
FEATURES = 64
HEADS = 4
_DROPOUT = 0.2
_NOTHING = -1e4
"""Added to the attention on padding."""
_LEAST_IS_AT_MOST = 9.0


class Head(nn.Module):
    """Decomposable attention (Parikh et al., 2016): attend, compare, add up."""

    def __init__(self) -> None:
        super().__init__()
        self.asking = nn.Linear(DIMENSION, FEATURES, bias=False)
        self.asked = nn.Linear(DIMENSION, FEATURES, bias=False)
        self.sharpness = nn.Parameter(torch.full((HEADS,), 8.0))
        self.learned = nn.Parameter(torch.full((HEADS,), 0.3))
        self.own = nn.Linear(DIMENSION, FEATURES)
        self.found = nn.Linear(DIMENSION, FEATURES)
        self.importance = nn.Linear(DIMENSION, 1)
        self.compare = nn.ModuleList(
            [nn.Linear(4 * FEATURES + HEADS + 3, FEATURES), nn.Linear(FEATURES, FEATURES)]
        )
        self.decide = nn.Sequential(
            nn.Linear(3 * FEATURES + 4, FEATURES),
            nn.ReLU(),
            nn.Dropout(_DROPOUT),
            nn.Linear(FEATURES, 1),
        )
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(
        self,
        question: Tensor,
        question_mask: Tensor,
        sentence: Tensor,
        sentence_mask: Tensor,
        anywhere: Tensor,
        closeness: Tensor,
    ) -> Tensor:
        """Return log-odds, shape ``(batch,)``, of what ``assistant.models.answer_head.Inputs`` has."""
        padding = (1 - sentence_mask[:, None, :]) * _NOTHING
        similarity = question @ sentence.transpose(1, 2)
        logits = _split(self.asking(question)) @ _split(self.asked(sentence)).transpose(2, 3)
        logits = logits * self.learned.view(1, -1, 1, 1)
        logits = logits + similarity[:, None] * self.sharpness.view(1, -1, 1, 1) + padding[:, None]
        attention = logits.softmax(-1)
        found = (attention @ _split(self.found(sentence))).transpose(1, 2).flatten(2)
        own = self.own(question)
        best = (similarity + padding).max(-1).values
        soft = (attention * similarity[:, None]).sum(-1).transpose(1, 2)
        signals = torch.cat([soft, torch.stack([best, anywhere, anywhere - best], -1)], -1)
        compared = torch.cat([own, found, own * found, (own - found).abs(), signals], -1)
        for layer in self.compare:
            compared = functional.relu(layer(self.dropout(compared)))
        importance = self.importance(question)[..., 0] + (1 - question_mask) * _NOTHING
        weights = importance.softmax(-1)
        mask = question_mask[..., None]
        least = (best + (1 - question_mask) * _LEAST_IS_AT_MOST).min(1, keepdim=True).values
        summary = [
            (compared * weights[..., None]).sum(1),
            (compared * mask).max(1).values,
            (compared * mask).sum(1) / question_mask.sum(1, keepdim=True),
            (best * weights).sum(1, keepdim=True),
            least,
            closeness,
        ]
        log_odds: Tensor = self.decide(torch.cat(summary, -1))[:, 0]
        return log_odds


class Ensemble(nn.Module):
    """Several heads, whose log-odds are averaged."""

    def __init__(self, heads: Sequence[Head]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return log-odds, shape ``(batch,)``."""
        return torch.stack([head(*inputs) for head in self.heads]).mean(0)


def _split(pieces: Tensor) -> Tensor:
    """Give each attention head its share of the features: ``(batch, heads, pieces, features)``."""
    return pieces.unflatten(-1, (HEADS, FEATURES // HEADS)).transpose(1, 2)
