"""The command line as a user meets it: results, exit codes, one clear line for every mistake."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from assistant.cli.main import run
from assistant.records import Answer
from assistant.samples import DIGEST, QUESTION
from test_embedders import EmbeddingServer

RECORD = "Title: {title}\nPDF: https://arxiv.org/pdf/{id}\nSummary: {summary}\n---\n"


@pytest.fixture(scope="session")
def stocked_home(tmp_path_factory):
    """A home that holds the sample digest."""
    home = tmp_path_factory.mktemp("stocked")
    environment = {**os.environ, "ASSISTANT_HOME": str(home)}
    subprocess.run(
        [sys.executable, "-m", "assistant", "ingest", str(DIGEST)],
        env=environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return home


@pytest.fixture
def stocked(stocked_home, tmp_path, monkeypatch):
    """A copy of the stocked home, to be used and spoilt."""
    home = tmp_path / "home"
    shutil.copytree(stocked_home, home)
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    return home


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSISTANT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def digest(folder: Path, *records: dict[str, str]) -> str:
    path = folder / "digest.txt"
    path.write_text("".join(RECORD.format(**record) for record in records), encoding="utf-8")
    return str(path)


def ask(capsys, *arguments: str) -> Answer:
    assert run(["ask", *arguments, "--json"]) == 0
    return Answer.model_validate_json(capsys.readouterr().out)


def complaint(capsys) -> str:
    """The one line a mistake ends in."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


# Asking


def test_an_answer_quotes_the_paper_the_question_names(stocked, capsys):
    answer = ask(capsys, QUESTION)
    assert {citation.paper_id for citation in answer.citations} == {"2503.14476"}
    assert "50 points on AIME 2024" in answer.answer
    assert not answer.refused


def test_what_stands_under_a_title_is_set_in(stocked, capsys):
    run(["ask", QUESTION])
    shown = capsys.readouterr().out.partition("\nSources\n")[0]
    title, *paragraphs = shown.rstrip().splitlines()
    assert title.startswith("DAPO: ")
    assert "" in paragraphs
    assert all(line.startswith("  ") for line in paragraphs if line)


def test_every_quote_stands_in_its_source_to_the_letter(stocked, capsys):
    answer = ask(capsys, "Which papers deal with video generation?")
    assert len({citation.paper_id for citation in answer.citations}) > 1
    for citation in answer.citations:
        run(["papers", "show", citation.paper_id, "--json"])
        assert citation.quote in json.loads(capsys.readouterr().out)["abstract"]
    assert {claim.verdict for claim in answer.claims} == {"supported"}


def test_markers_claims_and_citations_agree(stocked, capsys):
    answer = ask(capsys, "How do PyGDA and DAPO make their code available?")
    for citation in answer.citations:
        assert f"[{citation.number}]" in answer.answer
    assert [claim.citations for claim in answer.claims] == [(c.number,) for c in answer.citations]


@pytest.mark.parametrize(
    "question",
    [
        "How do I bake sourdough bread?",
        "What is the top-1 accuracy of ZebraFormer-9 on ImageNet?",
        "Who won the football match on Sunday?",
    ],
)
def test_what_the_papers_do_not_say_is_refused_with_a_reason(stocked, capsys, question):
    answer = ask(capsys, question)
    assert answer.refused
    assert answer.refusal_reason
    assert answer.citations == ()


def test_a_refusal_is_a_result_for_a_person_too(stocked, capsys):
    assert run(["ask", "How do I bake sourdough bread?"]) == 0
    assert "The papers don't say" in capsys.readouterr().out


def test_a_follow_up_is_resolved_from_the_history(stocked, tmp_path, capsys):
    history = tmp_path / "turns.jsonl"
    turns = [
        {"role": "user", "content": "What does DAPO reach on AIME 2024?"},
        {"role": "assistant", "content": "DAPO reaches 50 points on AIME 2024."},
    ]
    history.write_text("\n".join(map(json.dumps, turns)), encoding="utf-8")
    answer = ask(capsys, "and which base model did it use?", "--history", str(history))
    assert "DAPO" in answer.standalone_question
    assert "Qwen2.5-32B" in answer.answer


def test_typing_errors_and_lower_case_do_no_harm(stocked, capsys):
    answer = ask(capsys, "wat does dapo reech on aime 2024")
    assert answer.citations[0].paper_id == "2503.14476"


def test_papers_restrict_an_answer(stocked, capsys):
    answer = ask(capsys, "What is proposed?", "--paper", "arXiv:2503.10284v1")
    assert {citation.paper_id for citation in answer.citations} <= {"2503.10284"}


def test_the_same_question_gets_the_same_answer(stocked, capsys):
    first = ask(capsys, "Which benchmarks test multimodal models?")
    second = ask(capsys, "Which benchmarks test multimodal models?")
    assert first.answer == second.answer


def test_chat_answers_line_by_line_and_ends_at_an_empty_one(stocked_home):
    conversation = "What does DAPO reach on AIME 2024?\nand which base model did it use?\n\n"
    done = subprocess.run(
        [sys.executable, "-m", "assistant", "chat"],
        input=conversation,
        env={**os.environ, "ASSISTANT_HOME": str(stocked_home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.count("Qwen2.5-32B") >= 2


# Searching


def test_search_ranks_the_passages(stocked, capsys):
    assert run(["search", "graph domain adaptation library", "-k", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["query"] == "graph domain adaptation library"
    assert [passage["rank"] for passage in found["passages"]] == [1, 2, 3]
    assert found["passages"][0]["paper_id"] == "2503.10284"
    scores = [passage["score"] for passage in found["passages"]]
    assert scores == sorted(scores, reverse=True)


def test_batch_search_writes_a_trec_run(stocked, tmp_path):
    queries, trec = tmp_path / "queries.jsonl", tmp_path / "run.trec"
    queries.write_text('{"_id": 7, "text": "audio generation"}\n', encoding="utf-8")
    arguments = ["--queries", str(queries), "--depth", "5", "--trec", str(trec)]
    assert run(["search", *arguments]) == 0
    rows = [line.split() for line in trec.read_text().splitlines()]
    assert [row[3] for row in rows] == ["1", "2", "3", "4", "5"]
    assert {(row[0], row[1], row[5]) for row in rows} == {("7", "Q0", "assistant")}
    assert rows[0][2] == "2503.10522"


# Ingesting


def test_the_same_digest_again_changes_nothing(stocked, capsys):
    assert run(["ingest", str(DIGEST), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["added"], report["updated"], report["unchanged"]) == (0, 0, 50)


def test_a_removed_paper_comes_back_with_the_next_ingest(stocked, capsys):
    assert run(["papers", "remove", "2503.14476"]) == 0
    assert run(["papers", "show", "2503.14476"]) == 3
    capsys.readouterr()
    assert run(["ingest", str(DIGEST), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"] == 1


def test_a_changed_abstract_is_an_update(stocked, tmp_path, capsys):
    changed = {"title": "Cube: A Roblox View of 3D Intelligence", "id": "2503.15475v2"}
    path = digest(tmp_path, changed | {"summary": "Cube is all about walruses now."})
    assert run(["ingest", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["updated"] == 1
    assert "walruses" in ask(capsys, "What is Cube about, walruses?").answer


def test_good_records_go_in_and_bad_ones_are_named(empty, tmp_path, capsys):
    path = tmp_path / "digest.txt"
    good = RECORD.format(title="A", id="2503.00001", summary="All good.")
    path.write_text(f"{good}Summary: no title here\n---\n", encoding="utf-8")
    assert run(["ingest", str(path)]) == 4
    assert "digest.txt:" in complaint(capsys)


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02\xff" * 100, b"Title: na\xefve\nSummary: x\n"]
)
def test_unusable_files_fail_with_one_line(empty, tmp_path, capsys, content):
    path = tmp_path / "digest.txt"
    path.write_bytes(content)
    assert run(["ingest", str(path)]) == 2
    assert "digest.txt" in complaint(capsys)


def test_a_missing_file_is_named(empty, capsys):
    assert run(["ingest", "nowhere.txt"]) == 2
    assert "nowhere.txt" in complaint(capsys)


def test_escapes_in_a_title_never_reach_the_terminal(empty, tmp_path, capsys):
    hostile = "Evil \x1b[31mred\x1b]0;owned\x07 \u202etitle"
    path = digest(tmp_path, {"title": hostile, "id": "2503.00002", "summary": "About whales."})
    run(["ingest", path])
    run(["papers", "list"])
    run(["search", "whales"])
    run(["ask", "What about whales?"])
    printed = "".join(capsys.readouterr())
    assert "Evil" in printed
    assert not {"\x1b", "\x07", "\u202e"} & set(printed)


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ask", ""], 2),
        (["ask", " \n\t?! "], 2),
        (["ask", "long " * 20_000], 2),
        (["ask", "What?", "--paper", "9999.99999"], 3),
        (["ask", "What?", "--history", "nowhere.jsonl"], 2),
        (["ask", "What?", "--llm", "nonsense"], 2),
        (["papers", "show", "9999.99999"], 3),
        (["papers", "remove", "9999.99999"], 3),
        (["search"], 2),
        (["search", "x", "--trec", "run.trec"], 2),
        (["search", "x", "-k", "0"], 2),
        (["no-such-command"], 2),
        (["ingest"], 2),
    ],
)
def test_a_mistake_ends_in_one_line_and_its_exit_code(stocked, capsys, arguments, code):
    assert run(arguments) == code
    assert complaint(capsys).startswith("error: ")


def test_an_empty_library_says_what_to_do(empty, capsys):
    assert run(["ask", "What does DAPO reach?"]) == 3
    assert "assistant ingest" in complaint(capsys)


def test_a_corrupted_catalog_is_reported_and_repaired(stocked, capsys):
    (stocked / "catalog.db").write_bytes(b"garbage " * 1000)
    assert run(["ask", "What does DAPO reach on AIME 2024?"]) == 5
    assert "doctor --repair" in complaint(capsys)
    assert run(["doctor", "--repair"]) == 0
    capsys.readouterr()
    assert "50 points" in ask(capsys, "What does DAPO reach on AIME 2024?").answer


@pytest.mark.parametrize("part", ["chroma", "lexical", "models"])
def test_a_deleted_folder_loses_nothing(stocked, capsys, part):
    shutil.rmtree(stocked / part)
    assert run(["doctor", "--repair"]) == 0
    assert run(["doctor"]) == 0
    capsys.readouterr()
    assert "50 points" in ask(capsys, "What does DAPO reach on AIME 2024?").answer


def test_an_index_of_another_embedder_is_refused(stocked, monkeypatch, capsys):
    monkeypatch.setenv("ASSISTANT_EMBEDDINGS", "openai:text-embedding-3-small")
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    with EmbeddingServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert run(["ask", "What does DAPO reach on AIME 2024?"]) == 2
    assert "ASSISTANT_EMBEDDINGS=minilm" in complaint(capsys)


def test_an_unreachable_chroma_server_is_a_backend_that_is_unavailable(
    stocked, monkeypatch, capsys
):
    monkeypatch.setenv("ASSISTANT_CHROMA", "http://127.0.0.1:9")
    assert run(["ask", "What does DAPO reach on AIME 2024?"]) == 5
    assert "127.0.0.1:9" in complaint(capsys)


def test_a_home_that_is_a_file_is_a_backend_that_is_unavailable(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ASSISTANT_HOME", str(tmp_path / "file"))
    assert run(["papers", "list"]) == 5
    assert "home" in complaint(capsys)


@contextmanager
def small_disk(folder, size):
    """Mount a file system of its own, where that is allowed."""
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("needs to mount a small file system")
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("cannot mount a small file system here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def run_on(disk, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "assistant", *arguments],
        env={**os.environ, "ASSISTANT_HOME": str(disk / "home")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path):
    with small_disk(tmp_path / "disk", "600k") as disk:
        done = run_on(disk, "ingest", str(DIGEST))
    assert done.returncode == 5
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_disk_that_is_full_by_now_asks_for_space_not_for_repair(tmp_path):
    with small_disk(tmp_path / "disk", "40m") as disk:
        assert run_on(disk, "ingest", str(DIGEST)).returncode == 0
        with suppress(OSError), (disk / "fill").open("wb", buffering=0) as fill:
            while fill.write(bytes(4096)) == 4096:
                pass
        listed, checked = run_on(disk, "papers", "list"), run_on(disk, "doctor")
        (disk / "fill").unlink()
        after = run_on(disk, "papers", "list")
    assert (listed.returncode, checked.returncode, after.returncode) == (5, 5, 0)
    assert listed.stderr.startswith(f"error: no space left for {disk / 'home'}: free some")
    assert len(listed.stderr.splitlines()) == 1
    assert "no space left" in checked.stderr
    assert "--repair" not in checked.stderr
    assert len(after.stdout.splitlines()) >= 50


# The command line itself


def test_every_command_has_help_with_an_example(capsys):
    commands = ["ingest", "search", "ask", "chat", "doctor", "demo", "config"]
    for command in commands:
        assert run([command, "--help"]) == 0
        assert f"assistant {command}" in capsys.readouterr().out.split("Example:")[1]


def test_every_command_is_in_the_readme(capsys):
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    run(["--help"])
    listed = capsys.readouterr().out.split("Commands")[1].split("\n\n")[0]
    commands = [line.split()[0] for line in listed.splitlines() if line.startswith("  ")]
    assert commands
    for command in commands:
        assert f"assistant {command}" in readme


def test_config_shows_every_setting_and_no_password(empty, monkeypatch, capsys):
    monkeypatch.setenv("ASSISTANT_DATABASE", "postgresql://me:secret@host/papers")
    assert run(["config"]) == 0
    shown = capsys.readouterr().out
    assert "secret" not in shown
    assert "ASSISTANT_CHROMA = local" in shown


def test_debug_shows_the_traceback(stocked, capsys):
    assert run(["papers", "show", "9999.99999"], debug=True) == 3
    assert "Traceback" in capsys.readouterr().err


def test_no_key_is_shown_in_a_traceback(stocked, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")
    assert run(["papers", "show", "sk-very-secret-key"], debug=True) == 3
    assert "very-secret" not in capsys.readouterr().err.partition("error:")[0]


@pytest.mark.parametrize("file_format", ["bibtex", "csv", "json"])
def test_papers_are_exported(stocked, capsys, file_format):
    assert run(["papers", "export", "--format", file_format]) == 0
    assert capsys.readouterr().out.count("2503.14476") >= 1


def test_a_reader_who_has_read_enough_is_no_error(stocked_home):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "assistant", "papers", "list"],
            stdout=gone,
            stderr=subprocess.PIPE,
            env={**os.environ, "ASSISTANT_HOME": str(stocked_home)},
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interrupt_while_the_program_loads_is_one_line():
    command = [sys.executable, "-X", "importtime", "-m", "assistant", "papers", "list"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:  # each tells of a module that has loaded
            if line.rstrip().endswith("assistant.text"):
                process.send_signal(signal.SIGINT)
                break
        said = [line for line in process.stderr if not line.startswith("import time:")]
    assert said == ["interrupted; run the same command again to go on\n"]
    assert process.returncode == 130


@pytest.mark.parametrize("arguments", [["--paper", "2503.99999"], []])
def test_a_mistake_that_shows_while_models_load_has_its_exit_code(
    stocked_home, tmp_path, arguments
):
    home = stocked_home if arguments else tmp_path / "empty"
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-m", "assistant", "ask", "What does DAPO reach?", *arguments],
            check=False,
            env={**os.environ, "ASSISTANT_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 3
        assert len(done.stderr.splitlines()) == 1


def test_a_question_on_something_else_is_no_follow_up(stocked, capsys, tmp_path):
    history = tmp_path / "turns.jsonl"
    answer = ask(capsys, QUESTION)
    turns = [("user", QUESTION), ("assistant", answer.answer)]
    history.write_text(
        "".join(json.dumps({"role": role, "content": said}) + "\n" for role, said in turns)
    )
    for question in ("How do I bake bread?", "What is photosynthesis?"):
        refused = ask(capsys, question, "--history", str(history))
        assert (refused.refused, refused.standalone_question) == (True, question)
    follow_up = ask(capsys, "Which base model?", "--history", str(history))
    assert not follow_up.refused
    assert "DAPO" in follow_up.standalone_question
