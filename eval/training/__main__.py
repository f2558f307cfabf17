"""``python -m eval.training``: trains the answer head anew; it takes PyTorch, which nothing else does.

A head is trained for each seed, and the graph of both is written to ``assistant/data``;
``python -m eval.training.measure`` tells how good it is.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from assistant.models.answer_head import Inputs
from assistant.models.minilm import MiniLM
from eval.terminal import note, say
from eval.training.examples import TEXTS, Example, Read, examples, load, read
from eval.training.network import DIMENSION, Ensemble, Head

GRAPH = Path(__file__).parents[2] / "assistant" / "data" / "answer_head.onnx"
_SEEDS = (1, 2)
_EPOCHS = 7
_BATCH = 48
_RATE = 2e-3
_WARM_UP = 50
_LEAST_RATE = 0.03
_DECAY = 0.02
_NOISE = 0.01
_SMOOTHING = 0.03
_STATED_WEIGHT = 2.0
_OPSET = 17


def main() -> None:
    """Train, and write the graph."""
    parser = argparse.ArgumentParser(prog="python -m eval.training", description=__doc__)
    parser.add_argument("--out", type=Path, default=GRAPH, help="where to write the graph")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        texts = read(load(TEXTS), MiniLM(Path(folder)))
    random.Random(5).shuffle(texts)
    write(Ensemble([train(texts, seed=seed) for seed in _SEEDS]), options.out)
    say(f"written: {options.out}")


def train(texts: Sequence[Read], *, seed: int) -> Head:
    """Train a head on texts."""
    torch.manual_seed(seed)
    draw = random.Random(seed)
    head = Head()
    optimizer = torch.optim.AdamW(head.parameters(), lr=_RATE, weight_decay=_DECAY)
    steps = _EPOCHS * (len(list(examples(texts, draw))) // _BATCH)
    step = 0
    for epoch in range(_EPOCHS):
        losses = []
        for batch in _batches(list(examples(texts, draw)), draw):
            rate = _RATE * min(1.0, (step + 1) / _WARM_UP) * max(_LEAST_RATE, 1 - step / steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = _loss(head, batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(head.parameters(), 1.0)
            optimizer.step()
            step += 1
            losses.append(loss.item())
        note(f"seed {seed}, epoch {epoch + 1} of {_EPOCHS}: mean loss {np.mean(losses):.3f}")
    head.eval()
    return head


def write(network: nn.Module, path: Path) -> None:
    """Write the network as an ONNX graph."""
    batch, asked, width = 2, 3, 4
    sample = Inputs(
        *(np.ones(shape, dtype=np.float32) for shape in (
            (batch, asked, DIMENSION), (batch, asked), (batch, width, DIMENSION), (batch, width),
            (batch, asked), (batch, 2),
        ))
    )  # fmt: skip
    axes = {"question": {1: "asked"}, "question_mask": {1: "asked"}, "anywhere": {1: "asked"}}
    axes |= {"sentence": {1: "width"}, "sentence_mask": {1: "width"}, "closeness": {}}
    torch.onnx.export(
        network.eval(),
        tuple(map(torch.from_numpy, sample)),
        str(path),
        input_names=list(Inputs._fields),
        output_names=["log_odds"],
        dynamic_axes={name: {0: "batch", **rest} for name, rest in axes.items()},
        opset_version=_OPSET,
        dynamo=False,
    )


def _loss(head: Head, batch: Sequence[Example]) -> Tensor:
    question, mask, *rest = _lay_out(batch)
    question = question + torch.randn_like(question) * _NOISE * mask[..., None]
    stated = torch.tensor([float(each.stated) for each in batch])
    return functional.binary_cross_entropy_with_logits(
        head(question, mask, *rest),
        stated * (1 - 2 * _SMOOTHING) + _SMOOTHING,
        weight=1 + (_STATED_WEIGHT - 1) * stated,
    )


def _batches(all_examples: list[Example], draw: random.Random) -> Iterator[list[Example]]:
    """Cut into batches of questions of like length, in random order."""
    draw.shuffle(all_examples)
    stretch = 12 * _BATCH
    batches = []
    for start in range(0, len(all_examples), stretch):
        alike = sorted(all_examples[start : start + stretch], key=lambda e: len(e.question.pieces))
        batches += [alike[place : place + _BATCH] for place in range(0, len(alike), _BATCH)]
    draw.shuffle(batches)
    yield from batches


def _lay_out(batch: Sequence[Example]) -> tuple[Tensor, ...]:
    sentences = [each.text.sentences[each.sentence] for each in batch]
    questions = [each.question.pieces for each in batch]
    return (
        *_padded(questions),
        *_padded(sentences),
        _padded([each.question.anywhere[:, None] for each in batch])[0][..., 0],
        torch.tensor(np.stack([each.question.closeness[each.sentence] for each in batch])),
    )


def _padded(rows: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Return rows at the length of the longest, and the mask that is 0 on what was added."""
    shape = (len(rows), max(map(len, rows)))
    values = torch.zeros(*shape, rows[0].shape[1])
    mask = torch.zeros(shape)
    for number, row in enumerate(rows):
        values[number, : len(row)] = torch.from_numpy(row)
        mask[number, : len(row)] = 1
    return values, mask


if __name__ == "__main__":
    main()
