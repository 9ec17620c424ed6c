"""Certificates for tests, made by `openssl`: each a file of its own in a folder, with its key."""
import dataclasses
import os
import pathlib
import subprocess


@dataclasses.dataclass
class Certificate:
    certificate: pathlib.Path
    key: pathlib.Path


def _openssl(*arguments, environment=None):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                   env={**os.environ, **(environment or {})})


def make(folder, name="IP:127.0.0.1", days=2, issuer=None, environment=None, title="s3loadtest test"):
    """Of the issuer, or self-signed. With a shifted clock in `environment` its days lie elsewhere."""
    number = len(list(folder.glob("certificate*.pem"))) or ""
    made = Certificate(folder / f"certificate{number}.pem", folder / f"key{number}.pem")
    names = ["-addext", f"subjectAltName={name}"] if name else []
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", made.key, "-subj", f"/CN={title}"]
    if not issuer:
        _openssl("req", "-x509", *new, "-out", made.certificate, "-days", days, *names, environment=environment)
        return made
    request = folder / "request.pem"
    _openssl("req", *new, "-out", request, *names)
    _openssl("x509", "-req", "-in", request, "-CA", issuer.certificate, "-CAkey", issuer.key, "-CAcreateserial",
             "-copy_extensions", "copy", "-days", days, "-out", made.certificate, environment=environment)
    return made
