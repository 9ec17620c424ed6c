"""Settings as users write them: literal values, precedence, and secrets that are shown nowhere."""
import pytest

from harness import ask, env_text

ACCESS_KEY = "AKINTEGRATION7"
SECRETS = [
    "dollar$HOME${PATH}$$end",
    "hash#in#the#middle",
    "blanks and # a hash after one",
    "back\\slash\\n\\\\end\\",
    "equals==and=more=",
    'double"quote"s',
    "single'quote's",
    "both\"quotes'here",
    " $ # \\ = ' everything ",
]


def every_text(result):
    """All that the run printed or wrote, by where it stands."""
    yield "stdout", result.stdout
    yield "stderr", result.stderr
    files = [path for path in result.log_directory.rglob("*") if path.is_file()]
    assert len(files) >= 6
    for path in files:
        yield str(path), path.read_bytes().decode(errors="replace")


@pytest.mark.parametrize("secret", SECRETS)
def test_any_secret_works_and_is_shown_nowhere(serve_with, loadtest, secret):
    storage = serve_with(credentials=(ACCESS_KEY, secret))
    result = loadtest(storage, "run", "baseload", "--size", "1KB", "--operations", "50", "--log-level", "DEBUG",
                      "--json")

    assert result.status == 0, result.stderr
    assert result.total("errors") == 0
    for where, text in every_text(result):
        assert secret not in text, where
        assert secret.strip() not in text, where


@pytest.mark.parametrize("secret", SECRETS)
def test_the_env_that_serve_writes_is_read_back(serve_with, loadtest, tmp_path, secret):
    storage = serve_with(credentials=(ACCESS_KEY, secret))
    written = tmp_path / "serve-0/env"
    result = loadtest(None, "run", "baseload", "--env", str(written), "--size", "1KB", "--operations", "20", "--json")

    assert result.status == 0, result.stderr
    assert result.summary["run"]["endpoints"] == [storage.endpoint]
    assert written.stat().st_mode & 0o777 == 0o600


def test_a_secret_is_not_shown_when_it_is_refused_either(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--log-level", "DEBUG",
                      settings={"AWS_SECRET_ACCESS_KEY": "notthatone$#12345"})

    assert result.status == 3
    assert "notthatone" not in result.stdout + result.stderr


def test_the_file_that_was_used_is_shown(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "10")

    assert result.status == 0, result.stderr
    assert "settings from .env" in result.stderr


def test_before_the_load_a_line_says_what_will_be_written_where(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "10", "--concurrency", "3")

    assert result.status == 0, result.stderr
    line = next(line for line in result.stderr.splitlines() if serve.endpoint in line)
    assert serve.bucket in line and "loadtest/" in line
    assert "3 clients" in line


def test_the_environment_wins_over_the_file(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "10", "--json",
                      settings={"S3_ENDPOINTS": "http://127.0.0.1:1"}, environment={"S3_ENDPOINTS": serve.endpoint})

    assert result.status == 0, result.stderr
    assert result.summary["run"]["endpoints"] == [serve.endpoint]


def test_a_flag_wins_over_both(serve, loadtest):
    result = loadtest(serve, "run", "--endpoint", serve.endpoint, "baseload", "--size", "1KB", "--operations", "10",
                      "--json", environment={"S3_ENDPOINTS": "http://127.0.0.1:1"})

    assert result.status == 0, result.stderr
    assert result.summary["run"]["endpoints"] == [serve.endpoint]


def test_the_file_at_home_is_found_where_there_is_none_here(serve, loadtest):
    home = loadtest.folder / "home"
    (home / ".s3loadtest").mkdir(parents=True)
    (home / ".s3loadtest/.env").write_text(env_text(serve.settings()))
    result = loadtest(None, "run", "baseload", "--size", "1KB", "--operations", "10", environment={"HOME": str(home)})

    assert result.status == 0, result.stderr
    assert str(home / ".s3loadtest/.env") in result.stderr


def test_a_misspelt_setting_gets_a_warning(serve, loadtest):
    result = loadtest(serve, "run", "baseload", "--size", "1KB", "--operations", "10",
                      settings={"S3_VERIFY_SLL": "true"})

    assert result.status == 0, result.stderr
    warnings = [line for line in result.stderr.splitlines() if "WARNING" in line]
    assert len(warnings) == 1
    assert "S3_VERIFY_SLL" in warnings[0] and "S3_VERIFY_SSL" in warnings[0]


def test_several_endpoints_are_used_in_turn(serve_with, loadtest):
    first, second = (serve_with(credentials=(ACCESS_KEY, "samesecret")) for _ in range(2))
    result = loadtest(first, "run", "baseload", "--size", "1KB", "--operations", "5000", "--json",
                      settings={"S3_ENDPOINTS": f"{first.endpoint},{second.endpoint}"})

    # Two stores that know nothing of each other: reads miss, but the requests are shared out evenly from the
    # moment on at which both have answered for the first time.
    requests = [sum(n for classes in ask(server, "/-/stats")["operations"].values() for n in classes.values())
                for server in (first, second)]
    assert result.summary["run"]["endpoints"] == [first.endpoint, second.endpoint]
    assert 0.9 < requests[0] / requests[1] < 1.1, requests
