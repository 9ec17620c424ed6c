"""Answers that take 40 ms or 200 ms longer than most: named with their usual cause, and not without them."""
import pytest

pytestmark = pytest.mark.alone


def load(loadtest, storage, *flags, seconds=2):
    pattern = loadtest.folder / "reads.toml"
    pattern.write_text('name = "reads"\nmix = {GET = 100}\nsizes = ["1KB"]\n')
    result = loadtest(storage, "run", str(pattern), "--backend", "native", "--prefill", "16", "--concurrency", "8",
                      "--duration", f"{seconds}s", *flags)
    assert result.status == 0, result.stderr
    return result


@pytest.mark.parametrize("delay, low, cause", [("40ms", 40, "a delayed ACK meeting Nagle's algorithm"),
                                               ("200ms", 200, "a retransmission timeout: lost packets")])
def test_a_small_share_of_late_answers_is_named_with_its_cause(loadtest, serve_with, delay, low, cause):
    storage = serve_with("--fault", f"GET:delay={delay}:p=0.01")
    result = load(loadtest, storage, "--json")
    note, = result.summary["notes"]
    assert note.startswith("GET 1 KiB: ") and f" of the answers took {low}" in note and cause in note
    share = float(note.split(": ")[1].split("%")[0])
    assert 0.5 < share < 2


def test_the_text_says_it_too(loadtest, serve_with):
    result = load(loadtest, serve_with("--fault", "GET:delay=40ms:every=100"))
    text = " ".join(result.stdout.split())
    assert "note: GET 1 KiB: " in text and "Nagle" in text


@pytest.mark.parametrize("fault", [None, "GET:delay=40ms", "GET:delay=1ms,to=120ms", "GET:delay=200ms"])
def test_a_storage_that_is_quick_slow_or_uneven_has_no_second_mode(loadtest, serve_with, fault):
    result = load(loadtest, serve_with(*(("--fault", fault) if fault else ())), "--json")
    assert result.summary["notes"] == []
