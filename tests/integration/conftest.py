"""Fixtures: the binary under test, its embedded server, and the servers of others."""
import os

import pytest

import servers
from harness import Loadtest, start_serve


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures time, so that no other test may run beside it")


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_this_machine():
    """boto3 and the binary see the settings of the tests, and nothing of who runs them."""
    kept = {name: value for name, value in os.environ.items()
            if not name.upper().startswith(("AWS_", "S3", "LOADTEST_")) and "PROXY" not in name.upper()}
    os.environ.clear()
    os.environ.update(kept, AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null",
                      AWS_EC2_METADATA_DISABLED="true")


def _server(tmp_path_factory, make):
    running = make(tmp_path_factory.mktemp(make.__name__))
    try:
        storage = next(running)
    except servers.Missing as missing:
        # Whoever runs the tests at home may do without; continuous integration may not.
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    yield storage
    running.close()


@pytest.fixture(scope="session")
def rgw(tmp_path_factory):
    yield from _server(tmp_path_factory, servers.rgw)


@pytest.fixture(scope="session")
def versitygw(tmp_path_factory):
    yield from _server(tmp_path_factory, servers.versitygw)


@pytest.fixture(scope="session")
def shared_serve(tmp_path_factory):
    """An embedded server for tests that keep to buckets of their own."""
    storage = start_serve(tmp_path_factory.mktemp("serve"), "--capacity", "3GiB")
    yield storage
    assert servers.end(storage.process) == 0


@pytest.fixture(scope="module", params=["serve", "rgw", "versitygw"])
def any_server(request):
    """(name, storage) of each server in turn."""
    return request.param, request.getfixturevalue("shared_serve" if request.param == "serve" else request.param)


@pytest.fixture
def serve_with(tmp_path):
    """serve_with(*flags, credentials=…, …) starts an embedded server; all end with the test."""
    running = []

    def start(*flags, **options):
        folder = tmp_path / f"serve-{len(running)}"
        folder.mkdir()
        storage = start_serve(folder, *flags, **options)
        running.append(storage.process)
        return storage

    yield start
    statuses = [servers.end(process) for process in running]
    assert all(status == 0 for status in statuses), f"serve ended with {statuses}"


@pytest.fixture
def serve(serve_with):
    return serve_with()


@pytest.fixture(scope="session")
def minute_on_six_nodes(tmp_path_factory):
    """(nodes, run): a run on six nodes, the first of them slow, that goes on for more than a minute beside other tests; a
    few operations a second disturb none. test_details.py asks for it first, so that nobody waits for the minute."""
    keys = ("minutekey", "minutesecret12345678")
    storages = [start_serve(tmp_path_factory.mktemp("serve"), *["--listen=127.0.0.1:0"] * nodes, "--fault",
                            f"*:delay={delay}", credentials=keys) for nodes, delay in ((1, "8ms"), (5, "2ms"))]
    nodes = [endpoint for storage in storages for endpoint in storage.endpoints]
    tool = Loadtest(tmp_path_factory.mktemp("minute"))
    (tool.folder / "writes.toml").write_text('name = "writes"\nmix = {PUT = 100}\nsizes = ["1KB"]\n')
    yield nodes, tool.start(storages[0], "run", "./writes.toml", "--backend", "native", "--concurrency", "32", "--threads",
                            "1", "--rate", "60/s", "--duration", "10m", settings={"S3_ENDPOINTS": ",".join(nodes)})
    tool.end_all()
    for storage in storages:
        servers.end(storage.process)


def _loadtest(folder):
    folder.mkdir()
    tool = Loadtest(folder)
    yield tool
    tool.end_all()


@pytest.fixture
def loadtest(tmp_path):
    """loadtest(storage, *arguments) runs the binary to its end, loadtest.start(…) does not wait."""
    yield from _loadtest(tmp_path / "user")


@pytest.fixture
def another_loadtest(tmp_path):
    """Of another user, for a run at the same time."""
    yield from _loadtest(tmp_path / "another-user")
