"""``python -m eval.training.measure``: how well the answer head tells what texts held out state.

They were written after the head was trained, for this; no head has seen them.
"""

import tempfile
from pathlib import Path

import numpy as np

from assistant.models.answer_head import AnswerHead
from assistant.models.minilm import MiniLM
from eval.statistics.logistic import area_under_curve
from eval.terminal import say
from eval.training.examples import HELD_OUT, load, read


def main() -> None:
    """Print the area under the curve, over sentences, and over questions by their best sentence."""
    texts = load(HELD_OUT)
    say(f"{len(texts)} texts held out")
    with tempfile.TemporaryDirectory() as folder:
        found = read(texts, MiniLM(Path(folder)))
    head = AnswerHead()
    asked = [(text, question) for text in found for question in text.questions]
    answered = np.array([bool(question.stated) for _, question in asked])
    stated = np.array(
        [n in question.stated for text, question in asked for n in range(len(text.sentences))]
    )
    learned = [
        head.log_odds(question.pieces, text.pieces, text.sentences) for text, question in asked
    ]
    cosine = [question.closeness[:, 0] for _, question in asked]
    for name, scores in (("the head", learned), ("the cosine", cosine)):
        by_question = np.array([each.max() for each in scores])
        by_sentence = area_under_curve(np.concatenate(scores), stated)
        say(
            f"{name}: AUC over {len(stated)} sentences {by_sentence:.3f}, over {len(answered)} questions, "
            f"answered or silent, {area_under_curve(by_question, answered):.3f}"
        )


if __name__ == "__main__":
    main()
