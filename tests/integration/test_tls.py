"""https: unverified with a warning, verified by a bundle, refused with a word about the certificate."""
import dataclasses

import pytest

import certificates
from harness import start_serve
import servers

RUN = ("run", "baseload", "--size", "1KB", "--size", "100KB", "--json")


def https_server(folder, name, *flags):
    made = certificates.make(folder, name)
    storage = start_serve(folder, "--tls-cert", made.certificate, "--tls-key", made.key, *flags, scheme="https")
    return dataclasses.replace(storage, ca_bundle=str(made.certificate))


@pytest.fixture(scope="module")
def https(tmp_path_factory):
    storage = https_server(tmp_path_factory.mktemp("https"), "IP:127.0.0.1")
    yield storage
    assert servers.end(storage.process) == 0


def warnings(result):
    return [line for line in result.stderr.splitlines() if " WARNING " in line]


def test_without_verification_there_is_one_warning(https, loadtest):
    result = loadtest(https, *RUN, "--operations", "500", settings={"S3_VERIFY_SSL": "false"})

    assert result.status == 0, result.stderr
    assert result.total("errors") == 0
    assert result.summary["run"]["tls_verify"] is False
    assert len(warnings(result)) == 1
    assert "S3_VERIFY_SSL" in warnings(result)[0]


@pytest.mark.parametrize("settings", [{}, {"S3_VERIFY_SSL": "true"}])
@pytest.mark.parametrize("backend", ["boto3", "native"])
def test_a_bundle_verifies(https, loadtest, settings, backend):
    result = loadtest(https, *RUN, "--duration", "3s", "--backend", backend,
                      settings={"AWS_CA_BUNDLE": https.ca_bundle, **settings})

    assert result.status == 0, result.stderr
    assert result.total("errors") == 0
    assert result.total("count") > 100
    assert result.summary["run"]["tls_verify"] is True
    assert warnings(result) == []


def test_all_sizes_over_https(https, loadtest):
    result = loadtest(https, "run", "baseload", "--duration", "5s", "--json",
                      settings={"AWS_CA_BUNDLE": https.ca_bundle})

    assert result.status == 0, result.stderr
    assert result.total("errors") == 0
    assert len(result.operation("PUT")["sizes"]) == 6


def test_boto3_reads_over_https_what_a_run_wrote(https, loadtest):
    storage = dataclasses.replace(https, bucket="witness")
    result = loadtest(storage, *RUN, "--operations", "100", "--create-bucket",
                      settings={"AWS_CA_BUNDLE": https.ca_bundle})
    assert result.status == 0, result.stderr

    keys = storage.keys("loadtest/")

    assert len(keys) == result.pattern()["keys"]["alive"]
    key = next(iter(keys))
    assert len(storage.boto3().get_object(Bucket="witness", Key=key)["Body"].read()) == keys[key]


def test_an_unknown_certificate_is_status_3_and_named(https, loadtest):
    result = loadtest(https, *RUN, "--duration", "3s", settings={"S3_VERIFY_SSL": "true"})

    assert result.status == 3, result.stderr
    assert "certificate" in result.stderr.splitlines()[-1]
    assert "AWS_CA_BUNDLE" in result.stderr.splitlines()[-1]


def test_a_certificate_for_another_name_is_refused(tmp_path, loadtest):
    storage = https_server(tmp_path, "DNS:elsewhere.example")
    try:
        result = loadtest(storage, *RUN, "--duration", "3s", settings={"AWS_CA_BUNDLE": storage.ca_bundle})
    finally:
        servers.end(storage.process)

    assert result.status == 3, result.stderr
    assert "certificate" in result.stderr.splitlines()[-1]


def test_a_bundle_that_is_not_there_is_named(https, loadtest):
    result = loadtest(https, *RUN, settings={"AWS_CA_BUNDLE": "/nowhere/ca.pem"})

    assert result.status == 2, result.stderr
    assert "/nowhere/ca.pem" in result.stderr


def test_https_spoken_to_an_http_server_ends_in_a_sentence(serve, loadtest):
    result = loadtest(serve, *RUN, settings={"S3_ENDPOINTS": serve.endpoint.replace("http", "https")}, seconds=20)

    assert result.status == 3, result.stderr
    assert "https" in result.stderr.splitlines()[-1]


def test_http_spoken_to_an_https_server_ends_in_a_sentence(https, loadtest):
    result = loadtest(https, *RUN, settings={"S3_ENDPOINTS": https.endpoint.replace("https", "http")}, seconds=20)

    assert result.status == 3, result.stderr


@pytest.mark.parametrize("backend", ["boto3", "minio", "native"])
def test_every_backend_writes_and_reads_over_https(https, loadtest, backend):
    """boto3 sends its checksum behind the body there, minio an MD5: the server checks both."""
    result = loadtest(https, *RUN, "--size", "1MB", "--operations", "600", "--verify", "all", "--backend", backend,
                      settings={"S3_VERIFY_SSL": "false"})
    assert result.status == 0, result.stderr
    assert result.total("errors") == 0
    put = result.operation("PUT")
    assert put["bytes"] == put["bytes_moved"] == sum(
        figures["count"] * size for figures, size in
        ((put["sizes"]["1KB"], 1 << 10), (put["sizes"]["100KB"], 100 << 10), (put["sizes"]["1MB"], 1 << 20)))
    verified = result.pattern()["verified"]
    assert verified["checked"] == result.operation("GET")["outcomes"]["ok"] > 0 and verified["corrupt"] == 0


@pytest.mark.parametrize("backend, resumes", [("native", True), ("boto3", False)])
def test_handshakes_are_counted_and_resumed_as_the_client_would(tmp_path, loadtest, backend, resumes):
    storage = https_server(tmp_path, "IP:127.0.0.1", "--fault", "*:close")
    try:
        result = loadtest(storage, "run", "baseload", "--size", "1KB", "--concurrency", "4", "--operations", "60",
                          "--backend", backend, "--json", settings={"AWS_CA_BUNDLE": storage.ca_bundle})
    finally:
        servers.end(storage.process)

    assert result.status == 0, result.stderr
    client = result.summary["client"]
    tls = client["tls"]
    assert tls["handshakes"] == client["connections"] >= 60
    assert tls["resumed"] == (tls["handshakes"] - 4 if resumes else 0)
    assert 0 < tls["handshake_us"]["min"] <= tls["handshake_us"]["p50"] <= tls["handshake_us"]["max"]
