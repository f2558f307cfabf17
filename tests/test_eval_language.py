"""Which language a text is in: told by script or function words, and not guessed from too little."""

import pytest

from eval.checks.german import to_german
from eval.scores.language import language

TEXTS = {
    "en": "Which of the methods was trained on the data, and what is its error on this benchmark?",
    "de": "Welches von den Verfahren ist auf den Daten gelernt, und was ist der Fehler bei dem Test?",
    "fr": "Quelle est la taille du modèle que les auteurs ont entraîné avec ces données et pour qui ?",
    "es": "¿Cuál es el tamaño del modelo que los autores entrenan con los datos y para qué se usa?",
    "it": "Qual è la dimensione del modello che gli autori usano con i dati e per che cosa è fatto?",
    "pt": "Qual é o tamanho do modelo que os autores treinam com os dados e para que não se usa?",
    "nl": "Wat is de grootte van het model dat de auteurs met de gegevens trainen en niet testen?",
    "ru": "Какой размер модели DAPO?",
    "ja": "DAPOのベースモデルは何ですか",
    "zh": "该模型使用的基础模型是什么",
    "ko": "기본 모델은 무엇입니까",
    "ar": "ما هو حجم النموذج",
}


@pytest.mark.parametrize("code", TEXTS)
def test_languages_are_told_apart(code: str) -> None:
    assert language(TEXTS[code]) == code


@pytest.mark.parametrize(
    "text", ["", "…", "DAPO AIME 2024", "Qwen2.5-32B, GRPO, PPO, DPO, VAPO", "50"]
)
def test_names_and_numbers_are_of_no_language(text: str) -> None:
    assert language(text) is None


def test_names_do_not_hide_a_language() -> None:
    answer = "DAPO scores 50 points on AIME 2024 with the Qwen2.5-32B base model, as is said in the paper."
    assert language(answer) == "en"
    assert language(to_german(answer)) == "de"
    assert "Qwen2.5-32B" in to_german(answer)
