"""Replies are kept in a SQLite file as LangChain's caches keep them."""

import sqlite3
import threading
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation
from langchain_tests.integration_tests import AsyncCacheTestSuite, SyncCacheTestSuite

from assistant.models.cache import ReplyCache


class TestSync(SyncCacheTestSuite):
    @pytest.fixture
    def cache(self, tmp_path: Path) -> ReplyCache:
        return ReplyCache(tmp_path / "home" / "replies.sqlite3")


@pytest.mark.asyncio
@pytest.mark.filterwarnings("ignore:The test .* is not an async function")  # one of the suite's
class TestAsync(AsyncCacheTestSuite):
    @pytest.fixture
    def cache(self, tmp_path: Path) -> ReplyCache:
        return ReplyCache(tmp_path / "replies.sqlite3")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replies.sqlite3"


def reply(text: str) -> list[Generation]:
    return [Generation(text=text)]


def test_replies_outlive_the_process(path: Path) -> None:
    ReplyCache(path).update("p", "m", reply("yes"))
    assert ReplyCache(path).lookup("p", "m") == reply("yes")


def test_another_model_or_parameter_is_another_reply(path: Path) -> None:
    ReplyCache(path).update("p", "m", reply("yes"))
    assert ReplyCache(path).lookup("p", "n") is None
    assert ReplyCache(path).lookup("pm", "") is None


def test_messages_come_back_as_they_were(path: Path) -> None:
    kept = [ChatGeneration(message=AIMessage(content="yes", id="1"))]
    ReplyCache(path).update("p", "m", kept)
    assert ReplyCache(path).lookup("p", "m") == kept


def test_neither_prompt_nor_parameters_are_on_disk(path: Path) -> None:
    ReplyCache(path).update("a very private question", "sk-secret", reply("yes"))
    assert b"private" not in path.read_bytes()
    assert b"sk-secret" not in path.read_bytes()


def test_the_reply_used_longest_ago_makes_room(path: Path) -> None:
    cache = ReplyCache(path, limit=2)
    cache.update("a", "m", reply("a"))
    cache.update("b", "m", reply("b"))
    cache.lookup("a", "m")
    cache.update("c", "m", reply("c"))
    assert [cache.lookup(each, "m") is not None for each in "abc"] == [True, False, True]


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to be read" * 50])
def test_a_damaged_file_is_an_empty_cache(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    ReplyCache(path).update("p", "m", reply("yes"))
    assert ReplyCache(path).lookup("p", "m") in (None, reply("yes"))


def test_a_damaged_reply_is_none(path: Path) -> None:
    ReplyCache(path).update("p", "m", reply("yes"))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE replies SET reply = '[{}]'")
    connection.close()
    assert ReplyCache(path).lookup("p", "m") is None


def test_a_place_that_cannot_be_written_is_an_empty_cache(path: Path) -> None:
    path.mkdir()
    ReplyCache(path).update("p", "m", reply("yes"))
    assert ReplyCache(path).lookup("p", "m") is None


def test_many_threads_may_write(path: Path) -> None:
    threads = [
        threading.Thread(target=ReplyCache(path).update, args=(str(each), "m", reply(str(each))))
        for each in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(ReplyCache(path).lookup(str(each), "m") == reply(str(each)) for each in range(16))
