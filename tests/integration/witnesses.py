"""S3 clients that others wrote, each behind the same few verbs. What a verb does is left to the client: its own
listing, its own parts, its own ways to delete. Settings go in by environment or configuration files; no secret
stands in an argument list.

Every verb raises when the client reports a failure.
"""
import dataclasses
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import boto3.s3.transfer
import minio
import minio.commonconfig
import minio.deleteobjects
import urllib3

import servers

MiB = 1 << 20
PART = 5 * MiB  # what every witness is told to cut its uploads into


@dataclasses.dataclass
class Head:
    size: int
    etag: str | None  # without quotes; None where the client does not show it


class Failed(Exception):
    """A command line client ended with another status than 0."""


class Boto3:
    name = "boto3"

    def __init__(self, storage, folder):
        self.bucket, self.client = storage.bucket, storage.boto3()
        self.transfer = boto3.s3.transfer.TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)

    def put(self, key, path):
        self.client.put_object(Bucket=self.bucket, Key=key, Body=path.read_bytes())

    def put_in_parts(self, key, path):
        self.client.upload_file(str(path), self.bucket, key, Config=self.transfer)

    def get(self, key, path):
        path.write_bytes(self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def get_range(self, key, first, last):
        return self.client.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={first}-{last}")["Body"].read()

    def head(self, key):
        head = self.client.head_object(Bucket=self.bucket, Key=key)
        return Head(head["ContentLength"], head["ETag"].strip('"'))

    def keys(self, prefix=""):
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, PaginationConfig={"PageSize": 100})
        return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}

    def level(self, prefix):
        pages = list(self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, Delimiter="/", PaginationConfig={"PageSize": 2}))
        return ({entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])},
                {entry["Key"] for page in pages for entry in page.get("Contents", [])})

    def delete(self, key):
        self.client.delete_object(Bucket=self.bucket, Key=key)

    def delete_many(self, prefix, keys):
        answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in keys]})
        assert "Errors" not in answer, answer

    def copy(self, source, key):
        self.client.copy({"Bucket": self.bucket, "Key": source}, self.bucket, key, Config=self.transfer)

    def abort_upload(self, key, upload):
        listed = self.client.list_multipart_uploads(Bucket=self.bucket, Prefix=key)["Uploads"]
        assert [(entry["Key"], entry["UploadId"]) for entry in listed] == [(key, upload)]
        parts = self.client.list_parts(Bucket=self.bucket, Key=key, UploadId=upload)["Parts"]
        assert [part["PartNumber"] for part in parts] == [1]
        self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)

    def presign_get(self, key):
        return self.client.generate_presigned_url("get_object", {"Bucket": self.bucket, "Key": key}, ExpiresIn=60)

    def presign_put(self, key):
        return self.client.generate_presigned_url("put_object", {"Bucket": self.bucket, "Key": key}, ExpiresIn=60)


class Minio:
    name = "minio-py"

    def __init__(self, storage, folder):
        self.bucket = storage.bucket
        # One try: a failure has to be seen.
        http = urllib3.PoolManager(timeout=60, retries=False)
        self.client = minio.Minio(storage.endpoint.split("//")[1], storage.access_key, storage.secret_key,
                                  secure=False, http_client=http)

    def put(self, key, path):
        self.client.fput_object(self.bucket, key, str(path), part_size=200 * MiB)

    def put_in_parts(self, key, path):
        self.client.fput_object(self.bucket, key, str(path), part_size=PART)

    def get(self, key, path):
        self.client.fget_object(self.bucket, key, str(path))

    def get_range(self, key, first, last):
        answer = self.client.get_object(self.bucket, key, offset=first, length=last - first + 1)
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()

    def head(self, key):
        found = self.client.stat_object(self.bucket, key)
        return Head(found.size, found.etag)

    def keys(self, prefix=""):
        listed = self.client.list_objects(self.bucket, prefix=prefix, recursive=True)
        return {entry.object_name: entry.size for entry in listed}

    def level(self, prefix):
        listed = list(self.client.list_objects(self.bucket, prefix=prefix))
        return ({entry.object_name for entry in listed if entry.is_dir},
                {entry.object_name for entry in listed if not entry.is_dir})

    def delete(self, key):
        self.client.remove_object(self.bucket, key)

    def delete_many(self, prefix, keys):
        errors = list(self.client.remove_objects(
            self.bucket, [minio.deleteobjects.DeleteObject(key) for key in keys]))
        assert not errors, errors

    def copy(self, source, key):
        self.client.copy_object(self.bucket, key, minio.commonconfig.CopySource(self.bucket, source))

    def fail_in_parts(self, key):
        """It aborts an upload by itself when the stream that it reads ends in an error."""
        class Torn(io.RawIOBase):
            left = 2 * PART

            def read(self, size=-1):
                if self.left <= 0:
                    raise OSError("the stream is torn")
                self.left -= size
                return bytes(size)

        try:
            self.client.put_object(self.bucket, key, Torn(), 4 * PART, part_size=PART)
        except OSError as problem:
            assert "torn" in str(problem), problem
        else:
            raise AssertionError("the torn stream was put")

    def presign_get(self, key):
        return self.client.presigned_get_object(self.bucket, key)

    def presign_put(self, key):
        return self.client.presigned_put_object(self.bucket, key)


class CommandLine:
    """A client that is a program: one process for each verb, in a home of its own."""

    def __init__(self, storage, folder):
        self.storage, self.bucket, self.folder = storage, storage.bucket, folder
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}

    def run(self, *arguments, text=True):
        done = subprocess.run([*self.command, *(str(argument) for argument in arguments)], timeout=300,
                              stdin=subprocess.DEVNULL, capture_output=True, env=self.environment, cwd=self.folder)
        if done.returncode:
            raise Failed(f"{self.name} {arguments[0]}: status {done.returncode}: {done.stderr.decode()[-2000:]}")
        return done.stdout.decode() if text else done.stdout


def _beside_python(program):
    return str(pathlib.Path(sys.executable).parent / program)


class AwsCli(CommandLine):
    name = "aws"

    def __init__(self, storage, folder):
        super().__init__(storage, folder)
        self.command = [_beside_python("aws")]
        config = folder / "config"
        # It presigns by version 2 of the signature unless it is told not to.
        config.write_text("[default]\ns3 =\n  addressing_style = path\n  multipart_threshold = 5MB\n"
                          "  multipart_chunksize = 5MB\n  signature_version = s3v4\n")
        self.environment |= {
            "AWS_ACCESS_KEY_ID": storage.access_key, "AWS_SECRET_ACCESS_KEY": storage.secret_key,
            "AWS_DEFAULT_REGION": servers.REGION, "AWS_ENDPOINT_URL": storage.endpoint, "AWS_MAX_ATTEMPTS": "1",
            "AWS_CONFIG_FILE": str(config), "AWS_EC2_METADATA_DISABLED": "true",
            **{f"AWS_{name.upper()}": value for name, value in storage.boto3_options.items()}}

    def url(self, key):
        return f"s3://{self.bucket}/{key}"

    def api(self, operation, **arguments):
        flags = [text for name, value in arguments.items() for text in (f"--{name.replace('_', '-')}", value)]
        out = self.run("s3api", operation, "--bucket", self.bucket, "--output", "json", *flags)
        return json.loads(out) if out.strip() else {}

    def put(self, key, path):
        self.api("put-object", key=key, body=path)

    def put_in_parts(self, key, path):
        self.run("s3", "cp", "--only-show-errors", path, self.url(key))

    def put_tree(self, folder, prefix):
        self.run("s3", "cp", "--only-show-errors", "--recursive", folder, self.url(prefix))

    def get_tree(self, prefix, folder):
        self.run("s3", "cp", "--only-show-errors", "--recursive", self.url(prefix), folder)

    def get(self, key, path):
        self.run("s3", "cp", "--only-show-errors", self.url(key), path)

    def get_range(self, key, first, last):
        path = self.folder / "part"
        self.run("s3api", "get-object", "--bucket", self.bucket, "--key", key, "--range",
                 f"bytes={first}-{last}", path)
        return path.read_bytes()

    def head(self, key):
        head = self.api("head-object", key=key)
        return Head(head["ContentLength"], head["ETag"].strip('"'))

    def keys(self, prefix=""):
        listed = self.api("list-objects-v2", prefix=prefix, page_size=100)
        return {entry["Key"]: entry["Size"] for entry in listed.get("Contents", [])}

    def level(self, prefix):
        listed = self.api("list-objects-v2", prefix=prefix, delimiter="/", page_size=2)
        return ({entry["Prefix"] for entry in listed.get("CommonPrefixes", [])},
                {entry["Key"] for entry in listed.get("Contents", [])})

    def delete(self, key):
        self.run("s3", "rm", "--only-show-errors", self.url(key))

    def delete_many(self, prefix, keys):
        request = self.folder / "delete.json"
        request.write_text(json.dumps({"Objects": [{"Key": key} for key in keys]}))
        assert "Errors" not in self.api("delete-objects", delete=f"file://{request}")

    def copy(self, source, key):
        self.run("s3", "cp", "--only-show-errors", self.url(source), self.url(key))

    def abort_upload(self, key, upload):
        listed = self.api("list-multipart-uploads")["Uploads"]
        assert [(entry["Key"], entry["UploadId"]) for entry in listed] == [(key, upload)]
        self.api("abort-multipart-upload", key=key, upload_id=upload)

    def presign_get(self, key):
        return self.run("s3", "presign", "--expires-in", "60", self.url(key)).strip()


class S3cmd(CommandLine):
    name = "s3cmd"

    def __init__(self, storage, folder):
        super().__init__(storage, folder)
        config, host = folder / "s3cfg", storage.endpoint.split("//")[1]
        config.touch(mode=0o600)
        config.write_text(
            f"[default]\naccess_key = {storage.access_key}\nsecret_key = {storage.secret_key}\n"
            f"host_base = {host}\nhost_bucket = {host}\nbucket_location = {servers.REGION}\nuse_https = False\n"
            f"multipart_chunk_size_mb = {PART // MiB}\nprogress_meter = False\nmax_retries = 1\n")
        self.command = [sys.executable, _beside_python("s3cmd"), "-c", str(config)]

    def url(self, key):
        return f"s3://{self.bucket}/{key}"

    def put(self, key, path):
        self.run("put", "--disable-multipart", path, self.url(key))

    def put_in_parts(self, key, path):
        self.run("put", path, self.url(key))

    def put_tree(self, folder, prefix):
        self.run("put", "--recursive", f"{folder}/", self.url(prefix))

    def get_tree(self, prefix, folder):
        self.run("get", "--recursive", self.url(prefix), f"{folder}/")

    def get(self, key, path):
        self.run("get", "--force", self.url(key), path)

    def get_from(self, key, first, before):
        """Its only ranges are downloads that go on where they had ended."""
        path = self.folder / "part"
        path.write_bytes(before)
        self.run("get", "--continue", self.url(key), path)
        return path.read_bytes()[first:]

    def head(self, key):
        text = self.run("info", self.url(key))
        etag = re.search(r"MD5 sum:\s+(\S+)", text)
        return Head(int(re.search(r"File size:\s+(\d+)", text)[1]), etag and etag[1])

    def keys(self, prefix=""):
        lines = self.run("ls", "--recursive", self.url(prefix)).splitlines()
        found = [re.fullmatch(rf"\S+ \S+ +(\d+)  s3://{self.bucket}/(.*)", line) for line in lines]
        assert all(found), lines
        return {match[2]: int(match[1]) for match in found}

    def level(self, prefix):
        lines = self.run("ls", self.url(prefix)).splitlines()
        cut = len(f"s3://{self.bucket}/")
        folders = {line.split("DIR", 1)[1].strip()[cut:] for line in lines if " DIR " in line}
        return folders, {re.split(r" +\d+  ", line, maxsplit=1)[1][cut:] for line in lines if " DIR " not in line}

    def delete(self, key):
        self.run("del", self.url(key))

    def delete_many(self, prefix, keys):
        self.run("del", "--recursive", "--force", self.url(prefix))

    def copy(self, source, key):
        self.run("cp", self.url(source), self.url(key))

    def presign_get(self, key):
        """By version 2 of the signature, which is all it has for addresses."""
        return self.run("signurl", self.url(key), "+60").strip()

    def abort_upload(self, key, upload):
        assert upload in self.run("multipart", f"s3://{self.bucket}")
        assert str(PART) in self.run("listmp", self.url(key), upload)
        self.run("abortmp", self.url(key), upload)


class Rclone(CommandLine):
    name = "rclone"

    def __init__(self, storage, folder):
        super().__init__(storage, folder)
        if not shutil.which("rclone"):
            raise servers.Missing("rclone is not installed (Debian: rclone)")
        self.command = ["rclone"]
        self.environment |= {
            "RCLONE_CONFIG": str(folder / "none.conf"), "RCLONE_RETRIES": "1", "RCLONE_LOW_LEVEL_RETRIES": "1",
            **{f"RCLONE_CONFIG_W_{name}": value for name, value in {
                "TYPE": "s3", "PROVIDER": "Other", "ACCESS_KEY_ID": storage.access_key,
                "SECRET_ACCESS_KEY": storage.secret_key, "ENDPOINT": storage.endpoint, "REGION": servers.REGION,
                "FORCE_PATH_STYLE": "true", "LIST_CHUNK": "100", "CHUNK_SIZE": "5Mi", "UPLOAD_CUTOFF": "5Mi",
                "COPY_CUTOFF": "5Mi"}.items()}}

    def url(self, key):
        return f"w:{self.bucket}/{key}"

    def put(self, key, path):
        self.run("copyto", "--s3-upload-cutoff", "200Mi", path, self.url(key))

    def put_in_parts(self, key, path):
        self.run("copyto", path, self.url(key))

    def put_tree(self, folder, prefix):
        self.run("copy", folder, self.url(prefix))

    def get_tree(self, prefix, folder):
        self.run("copy", self.url(prefix), folder)

    def get(self, key, path):
        self.run("copyto", "--ignore-times", self.url(key), path)

    def get_range(self, key, first, last):
        return self.run("cat", "--offset", first, "--count", last - first + 1, self.url(key), text=False)

    def _list(self, prefix, *flags):
        return json.loads(self.run("lsjson", "--no-modtime", "--no-mimetype", *flags, self.url(prefix)))

    def head(self, key):
        found = json.loads(self.run("lsjson", "--stat", "--hash", self.url(key)))
        return Head(found["Size"], found["Hashes"].get("md5") if "Hashes" in found else None)

    def keys(self, prefix=""):
        # It knows folders, not prefixes.
        assert not prefix or prefix.endswith("/")
        return {prefix + entry["Path"]: entry["Size"]
                for entry in self._list(prefix, "--recursive", "--files-only")}

    def level(self, prefix):
        listed = self._list(prefix)
        return ({f"{prefix}{entry['Path']}/" for entry in listed if entry["IsDir"]},
                {prefix + entry["Path"] for entry in listed if not entry["IsDir"]})

    def delete(self, key):
        self.run("deletefile", self.url(key))

    def delete_many(self, prefix, keys):
        self.run("delete", self.url(prefix))

    def copy(self, source, key):
        self.run("copyto", self.url(source), self.url(key))

    def abort_upload(self, key, upload):
        listed = json.loads(self.run("backend", "list-multipart-uploads", f"w:{self.bucket}"))
        assert [entry["UploadId"] for entry in listed[self.bucket]] == [upload]
        self.run("backend", "cleanup", "-o", "max-age=0s", f"w:{self.bucket}")

    def presign_get(self, key):
        return self.run("link", "--expire", "60s", self.url(key)).strip()


ALL = (Boto3, Minio, AwsCli, S3cmd, Rclone)
