"""Which language a text is in, by its script or its commonest words.

Function words are a tenth to a third of any running text and hardly shared between languages; a few dozen
of them tell the larger European languages apart once a text has a sentence or two.
"""

import unicodedata
from collections import Counter

from assistant.text import words

_FUNCTION_WORDS = {
    "en": "the of and to in a is that for with as on are by from this which be an or not it has was how what",
    "de": "der die das und ist in zu den von mit für auf ein eine dem des nicht sich auch als wie wird was",
    "fr": "le la les des et est en un une du dans que pour qui sur par avec pas au sont plus ce cette quel",
    "es": "el la los las de y es en un una que por para con del se no al como más su son este qué",
    "it": "il la i gli di e è in un una che per con del non si al come più sono della delle quale",
    "pt": "o a os as de e é em um uma que por para com do da não se ao como mais são dos qual",
    "nl": "de het een van en is in dat op te voor met zijn aan niet ook als bij wordt door naar wat",
}
_LANGUAGES = {name: frozenset(listed.split()) for name, listed in _FUNCTION_WORDS.items()}
_SCRIPTS = {
    "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CYRILLIC": "ru", "ARABIC": "ar",
    "DEVANAGARI": "hi", "HEBREW": "he", "THAI": "th",
}  # fmt: skip
_LEAST_WORDS = 4
_LEAST_LEAD = 2
_LEAST_SHARE = 0.4


def language(text: str) -> str | None:
    """Name a text's language by its two-letter code; ``None`` where it is too short or too mixed to tell."""
    letters = [character for character in text if character.isalpha()]
    scripts = Counter(map(_script, letters))
    for code, count in scripts.most_common():
        # Names keep their Latin letters in any language; Japanese is written with Chinese ones, too.
        if code is not None and count >= _LEAST_SHARE * len(letters):
            return "ja" if code == "zh" and scripts["ja"] else code
    found = [word.casefold() for word in words(text)]
    if len(found) < _LEAST_WORDS:
        return None
    hits = Counter({code: sum(word in own for word in found) for code, own in _LANGUAGES.items()})
    (best, most), (_, second) = hits.most_common(2)
    return best if most - second >= _LEAST_LEAD else None


def _script(character: str) -> str | None:
    """Name the language that a letter's script stands for; ``None`` for Latin and others."""
    return _SCRIPTS.get(unicodedata.name(character, "").partition(" ")[0].partition("-")[0])
