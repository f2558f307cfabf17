"""A request to a language model about texts from outside, each marked off as data."""

from collections.abc import Mapping

from assistant import prompts
from assistant.keys import KeyMaker
from assistant.models.chat import Message
from assistant.untrusted import harmless


def request(prompt: str, data: Mapping[str, str], *, secret: bytes | None = None) -> list[Message]:
    """Fill in the prompts ``{prompt}.system``, which tells how data is marked, and ``{prompt}.user``.

    Args:
        prompt: what the two prompts are called.
        data: the texts, by the name of the user prompt's variable that each takes the place of.
        secret: what the mark is drawn from; by default one of this process.
    """
    mark = KeyMaker(list(data.values()), secret=secret).delimiter()
    marked = {name: f"<{mark}>\n{harmless(text)}\n</{mark}>" for name, text in data.items()}
    return [
        Message("system", prompts.render(f"{prompt}.system", delimiter=mark)),
        Message("user", prompts.render(f"{prompt}.user", **marked)),
    ]
