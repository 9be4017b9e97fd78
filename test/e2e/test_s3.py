"""S3 through boto3, the AWS CLI and plain HTTP."""
import hashlib
import io
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib

import boto3
import botocore.config
import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

MIB = 1 << 20


@pytest.fixture
def s3(client):
    return client("s3")


@pytest.fixture
def bucket(s3, request):
    name = "t-" + hashlib.md5(request.node.nodeid.encode() + os.urandom(8)).hexdigest()
    s3.create_bucket(Bucket=name)
    return name


def refused(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    r = e.value.response
    return r["Error"]["Code"], r["ResponseMetadata"]["HTTPStatusCode"], r["Error"]


def keys(answer):
    return [o["Key"] for o in answer.get("Contents", [])]


def prefixes(answer):
    return [o["Prefix"] for o in answer.get("CommonPrefixes", [])]


# ---- buckets ----

def test_bucket_is_created_listed_and_deleted(s3, bucket):
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert [b["Name"] for b in s3.list_buckets(Prefix=bucket)["Buckets"]] == [bucket]
    head = s3.head_bucket(Bucket=bucket)
    assert head["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    s3.create_bucket(Bucket=bucket)  # us-east-1: again is fine
    s3.delete_bucket(Bucket=bucket)
    assert refused(s3.head_bucket, Bucket=bucket)[:2] == ("404", 404)
    assert refused(s3.delete_bucket, Bucket=bucket)[:2] == ("NoSuchBucket", 404)


def test_buckets_are_listed_in_pages(s3, bucket):
    names = [bucket + "-%d" % i for i in range(5)]
    for n in names:
        s3.create_bucket(Bucket=n)
    pages = list(s3.get_paginator("list_buckets").paginate(
        Prefix=bucket + "-", PaginationConfig={"PageSize": 2}))
    assert [[b["Name"] for b in p["Buckets"]] for p in pages] == [names[:2], names[2:4], names[4:]]


@pytest.mark.parametrize("name", ["Upper", "ab", "a..b", "192.168.1.1", "xn--abc", "abc-s3alias",
                                  "-abc", "abc-", "a_b_c"])
def test_bucket_names_have_rules(client, name):
    config = botocore.config.Config(s3={"addressing_style": "path"})
    s3 = client("s3", config=config)
    s3.meta.events.unregister("before-parameter-build.s3", None)
    assert refused(s3.create_bucket, Bucket=name)[:2] == ("InvalidBucketName", 400)


def test_bucket_of_another_account_or_region(client, s3, bucket):
    other = client("s3", key="111122223333")
    assert refused(other.create_bucket, Bucket=bucket)[:2] == ("BucketAlreadyExists", 409)
    assert bucket not in [b["Name"] for b in other.list_buckets()["Buckets"]]
    west = client("s3", region="eu-west-1")
    name = bucket + "-west"
    assert refused(west.create_bucket, Bucket=name)[0] == "IllegalLocationConstraintException"
    west.create_bucket(Bucket=name,
                       CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert west.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
    assert refused(west.create_bucket, Bucket=name, CreateBucketConfiguration={
        "LocationConstraint": "eu-west-1"})[:2] == ("BucketAlreadyOwnedByYou", 409)
    assert refused(s3.create_bucket, Bucket=bucket + "-x", CreateBucketConfiguration={
        "LocationConstraint": "moon-1"})[0] == "InvalidLocationConstraint"


def test_bucket_with_objects_stays(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert refused(s3.delete_bucket, Bucket=bucket)[:2] == ("BucketNotEmpty", 409)


def test_expected_owner(s3, bucket):
    assert refused(s3.list_objects_v2, Bucket=bucket,
                   ExpectedBucketOwner="999999999999")[:2] == ("AccessDenied", 403)


# ---- objects ----

@pytest.mark.parametrize("size", [0, 1, 16384, 16385, 1 * MIB + 17])
def test_object_comes_back(s3, bucket, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body)
    assert put["ETag"] == '"%s"' % hashlib.md5(body).hexdigest()
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body
    assert got["ContentType"] == "binary/octet-stream"
    assert got["ServerSideEncryption"] == "AES256"
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["ContentLength"] == size and head["ETag"] == put["ETag"]


def test_object_keeps_its_headers(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/html", CacheControl="no-cache",
                  ContentDisposition="attachment", ContentEncoding="gzip", ContentLanguage="de",
                  Expires=1893456000, Metadata={"Some-Key": "some value"},
                  WebsiteRedirectLocation="/other", StorageClass="STANDARD_IA")
    h = s3.head_object(Bucket=bucket, Key="k")
    assert (h["ContentType"], h["CacheControl"], h["ContentDisposition"], h["ContentEncoding"],
            h["ContentLanguage"], h["WebsiteRedirectLocation"], h["StorageClass"]) == (
        "text/html", "no-cache", "attachment", "gzip", "de", "/other", "STANDARD_IA")
    assert h["Metadata"] == {"some-key": "some value"}
    assert h["ResponseMetadata"]["HTTPHeaders"]["expires"] == "Tue, 01 Jan 2030 00:00:00 GMT"
    g = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="text/plain",
                      ResponseCacheControl="max-age=1")
    assert g["ContentType"] == "text/plain" and g["CacheControl"] == "max-age=1"


def test_missing_object(s3, bucket):
    code, status, error = refused(s3.get_object, Bucket=bucket, Key="none")
    assert (code, status, error["Key"]) == ("NoSuchKey", 404, "none")
    assert refused(s3.head_object, Bucket=bucket, Key="none")[:2] == ("404", 404)
    assert refused(s3.get_object, Bucket=bucket + "x", Key="none")[0] == "NoSuchBucket"
    s3.delete_object(Bucket=bucket, Key="none")


def test_limits_of_keys_and_metadata(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k" * 1024, Body=b"x")
    assert refused(s3.put_object, Bucket=bucket, Key="k" * 1025)[0] == "KeyTooLongError"
    assert refused(s3.put_object, Bucket=bucket, Key="m",
                   Metadata={"a": "x" * 2048})[0] == "MetadataTooLarge"
    s3.put_object(Bucket=bucket, Key="m", Metadata={"a": "x" * 2047})


@pytest.mark.parametrize("key", ["a b", "a+b", "a%2Fb", "ü/ñ/漢字/🙂", "//", "/lead", "trail/", "a//b",
                                 "?q=1&x", "#", "..", "../up", "a\\b", "'\"<>&", "\x01control",
                                 "new\nline", "~.-_!*()", "a;b:c@d,e$f=g"])
def test_any_key(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert keys(s3.list_objects_v2(Bucket=bucket)) == [key]
    assert keys(s3.list_objects_v2(Bucket=bucket, Prefix=key[:1])) == [key]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    if min(key) < "\n":  # what XML cannot hold is deleted alone
        s3.delete_object(Bucket=bucket, Key=key)
    assert not s3.delete_objects(Bucket=bucket, Delete={
        "Objects": [{"Key": key}, {"Key": "copy"}][min(key) < "\n":]}).get("Errors")
    assert keys(s3.list_objects_v2(Bucket=bucket)) == []


def test_ranges(s3, bucket):
    body = bytes(range(256)) * 200
    for key, data in (("big", body), ("small", body[:100])):
        s3.put_object(Bucket=bucket, Key=key, Body=data)
        for spec, want in (("0-0", data[:1]), ("5-9", data[5:10]), ("90-", data[90:]),
                           ("-7", data[-7:]), ("0-999999", data), ("-999999", data)):
            r = s3.get_object(Bucket=bucket, Key=key, Range="bytes=" + spec)
            assert r["Body"].read() == want
            assert r["ResponseMetadata"]["HTTPStatusCode"] == 206
            assert r["ContentRange"].endswith("/%d" % len(data))
        code, status, error = refused(s3.get_object, Bucket=bucket, Key=key,
                                      Range="bytes=%d-" % len(data))
        assert (code, status) == ("InvalidRange", 416)
        assert error["ActualObjectSize"] == str(len(data))
        assert s3.get_object(Bucket=bucket, Key=key, Range="lines=1-2")["Body"].read() == data


def test_conditions_of_reads(s3, bucket):
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    s3.get_object(Bucket=bucket, Key="k", IfMatch=tag)
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfMatch='"no"')[:2] == (
        "PreconditionFailed", 412)
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=tag)[:2] == ("304", 304)
    s3.get_object(Bucket=bucket, Key="k", IfNoneMatch='"no"')
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert refused(s3.get_object, Bucket=bucket, Key="k", IfModifiedSince=modified)[1] == 304
    s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=1)
    assert refused(s3.head_object, Bucket=bucket, Key="k", IfUnmodifiedSince=1)[1] == 412


def test_conditions_of_writes(s3, bucket):
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    code, status, error = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    assert (code, status, error["Condition"]) == ("PreconditionFailed", 412, "If-None-Match")
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfMatch='"no"')[1] == 412
    assert refused(s3.put_object, Bucket=bucket, Key="no", Body=b"2", IfMatch=tag)[1] == 404
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=tag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"
    assert refused(s3.delete_object, Bucket=bucket, Key="k", IfMatch='"no"')[1] == 412


def test_one_of_many_creators_wins(client, bucket):
    won = []

    def create(i):
        try:
            client("s3").put_object(Bucket=bucket, Key="lock", Body=b"%d" % i, IfNoneMatch="*")
            won.append(i)
        except ClientError as e:
            assert e.response["Error"]["Code"] == "PreconditionFailed"
    threads = [threading.Thread(target=create, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(won) == 1
    body = client("s3").get_object(Bucket=bucket, Key="lock")["Body"].read()
    assert body == b"%d" % won[0]


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_are_stored_and_told(s3, bucket, algorithm):
    member = "Checksum" + algorithm
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert put[member] == head[member] and head["ChecksumType"] == "FULL_OBJECT"
    assert member not in s3.head_object(Bucket=bucket, Key="k")
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["ChecksumAlgorithm"] == [algorithm]
    assert s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum"])[
        "Checksum"][member] == put[member]


def test_wrong_digests_store_nothing(s3, bucket):
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"hello",
                   ChecksumCRC32="AAAAAA==")[:2] == ("BadDigest", 400)
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"hello",
                   ChecksumCRC32="AAAA")[0] == "InvalidRequest"
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"hello",
                   ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")[:2] == ("BadDigest", 400)
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"hello",
                   ContentMD5="nonsense")[:2] == ("InvalidDigest", 400)
    assert keys(s3.list_objects_v2(Bucket=bucket)) == []


def test_checksum_of_its_own(client, bucket):
    config = botocore.config.Config(request_checksum_calculation="when_required")
    put = client("s3", config=config).put_object(Bucket=bucket, Key="k", Body=b"hello")
    assert put["ChecksumCRC64NVME"] == "M3eFcAZSQlc="
    assert put["ChecksumType"] == "FULL_OBJECT"


def test_streamed_upload_with_trailer(client, bucket):
    class Pipe(io.RawIOBase):
        """Not seekable: goes out in aws-chunked pieces with the checksum behind them."""
        left = 3 * MIB + 5

        def readable(self):
            return True

        def readinto(self, b):
            n = min(len(b), self.left)
            b[:n] = b"z" * n
            self.left -= n
            return n
    s3 = client("s3")
    s3.upload_fileobj(Pipe(), bucket, "k")
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"z" * (3 * MIB + 5)


# ---- listings ----

def test_listing_is_in_byte_order_and_paged(s3, bucket):
    names = ["a", "a-", "a.b", "a/b", "a0", "b", "B", "é", "z", "漢", "🙂", "\uffee"]
    for n in names:
        s3.put_object(Bucket=bucket, Key=n, Body=b"")
    want = sorted(names, key=lambda n: n.encode())
    assert keys(s3.list_objects_v2(Bucket=bucket)) == want
    assert keys(s3.list_objects(Bucket=bucket)) == want
    for size in (1, 5, 12):
        for op in ("list_objects_v2", "list_objects"):
            pages = s3.get_paginator(op).paginate(
                Bucket=bucket, PaginationConfig={"PageSize": size})
            assert [k for p in pages for k in keys(p)] == want
    assert keys(s3.list_objects_v2(Bucket=bucket, StartAfter="b")) == want[want.index("b") + 1:]
    none = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert none["KeyCount"] == 0 and not none["IsTruncated"]


def test_listing_rolls_up(s3, bucket):
    for n in ["a/1", "a/2", "a/b/1", "b/1", "c", "d/e/f"]:
        s3.put_object(Bucket=bucket, Key=n, Body=b"")
    top = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert (keys(top), prefixes(top), top["KeyCount"]) == (["c"], ["a/", "b/", "d/"], 4)
    inner = s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="a/")
    assert (keys(inner), prefixes(inner)) == (["a/1", "a/2"], ["a/b/"])
    assert prefixes(s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="d")) == ["d/"]
    for op in ("list_objects_v2", "list_objects"):
        seen = []
        for p in s3.get_paginator(op).paginate(Bucket=bucket, Delimiter="/",
                                               PaginationConfig={"PageSize": 1}):
            seen += keys(p) + prefixes(p)
        assert seen == ["a/", "b/", "c", "d/"]
    assert "Owner" not in top["Contents"][0]
    assert s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]["Owner"]["ID"]


def test_listing_refuses_foreign_tokens(s3, bucket):
    assert refused(s3.list_objects_v2, Bucket=bucket, ContinuationToken="x")[0] == "InvalidArgument"


def test_delete_many(s3, bucket):
    names = ["k%03d" % i for i in range(250)]
    for n in names:
        s3.put_object(Bucket=bucket, Key=n, Body=b"")
    done = s3.delete_objects(Bucket=bucket, Delete={
        "Objects": [{"Key": n} for n in names + ["none"]]})
    assert [d["Key"] for d in done["Deleted"]] == names + ["none"]
    assert keys(s3.list_objects_v2(Bucket=bucket)) == []
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "x"}], "Quiet": True})
    assert "Deleted" not in quiet


# ---- copies ----

def test_copy(s3, bucket):
    body = os.urandom(MIB)
    s3.put_object(Bucket=bucket, Key="a", Body=body, ContentType="text/a", Metadata={"m": "1"},
                  Tagging="t=1")
    r = s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    assert r["CopyObjectResult"]["ETag"] == '"%s"' % hashlib.md5(body).hexdigest()
    s3.delete_object(Bucket=bucket, Key="a")
    g = s3.get_object(Bucket=bucket, Key="b")
    assert g["Body"].read() == body
    assert (g["ContentType"], g["Metadata"], g["TagCount"]) == ("text/a", {"m": "1"}, 1)
    s3.copy_object(Bucket=bucket, Key="b", CopySource=bucket + "/b", MetadataDirective="REPLACE",
                   Metadata={"m": "2"}, ContentType="text/b")
    h = s3.head_object(Bucket=bucket, Key="b")
    assert (h["ContentType"], h["Metadata"]) == ("text/b", {"m": "2"})
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == body
    code, _, error = refused(s3.copy_object, Bucket=bucket, Key="b", CopySource=bucket + "/b")
    assert code == "InvalidRequest" and "to itself" in error["Message"]
    assert refused(s3.copy_object, Bucket=bucket, Key="c", CopySource=bucket + "/b",
                   CopySourceIfMatch='"no"')[0] == "PreconditionFailed"
    assert refused(s3.copy_object, Bucket=bucket, Key="c",
                   CopySource=bucket + "/none")[0] == "NoSuchKey"


# ---- multipart uploads ----

def upload(s3, bucket, key, parts, **kw):
    u = s3.create_multipart_upload(Bucket=bucket, Key=key, **kw)["UploadId"]
    kw = {k: v for k, v in kw.items() if k == "ChecksumAlgorithm"}
    done = []
    for i, body in enumerate(parts, 1):
        r = s3.upload_part(Bucket=bucket, Key=key, UploadId=u, PartNumber=i, Body=body, **kw)
        done.append({"PartNumber": i, "ETag": r["ETag"]})
    return u, done


def test_multipart(s3, bucket):
    parts = [os.urandom(5 * MIB), os.urandom(5 * MIB), b"end"]
    u, done = upload(s3, bucket, "k", parts, ContentType="text/x", Metadata={"a": "b"})
    listed = s3.list_parts(Bucket=bucket, Key="k", UploadId=u)["Parts"]
    assert [(p["PartNumber"], p["Size"]) for p in listed] == [
        (1, 5 * MIB), (2, 5 * MIB), (3, 3)]
    pages = s3.get_paginator("list_parts").paginate(Bucket=bucket, Key="k", UploadId=u,
                                                    PaginationConfig={"PageSize": 1})
    assert [p["PartNumber"] for page in pages for p in page.get("Parts", [])] == [1, 2, 3]
    assert [x["UploadId"] for x in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [u]
    assert refused(s3.get_object, Bucket=bucket, Key="k")[0] == "NoSuchKey"
    r = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=u,
                                     MultipartUpload={"Parts": done})
    tag = hashlib.md5(b"".join(hashlib.md5(p).digest() for p in parts)).hexdigest()
    assert r["ETag"] == '"%s-3"' % tag
    again = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=u,
                                         MultipartUpload={"Parts": done})
    assert again["ETag"] == r["ETag"]
    whole = b"".join(parts)
    g = s3.get_object(Bucket=bucket, Key="k")
    assert g["Body"].read() == whole and g["ContentType"] == "text/x"
    r = s3.get_object(Bucket=bucket, Key="k", Range="bytes=%d-%d" % (5 * MIB - 2, 10 * MIB + 1))
    assert r["Body"].read() == whole[5 * MIB - 2:10 * MIB + 2]
    r = s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    assert r["Body"].read() == parts[1] and r["PartsCount"] == 3
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    copy = s3.copy_object(Bucket=bucket, Key="c", CopySource=bucket + "/k")
    assert copy["CopyObjectResult"]["ETag"] == '"%s"' % hashlib.md5(whole).hexdigest()


def test_multipart_errors(s3, bucket):
    u, done = upload(s3, bucket, "k", [b"small", b"small too"])
    complete = s3.complete_multipart_upload
    code, _, error = refused(complete, Bucket=bucket, Key="k", UploadId=u,
                             MultipartUpload={"Parts": done})
    assert (code, error["MinSizeAllowed"]) == ("EntityTooSmall", "5242880")
    assert refused(complete, Bucket=bucket, Key="k", UploadId=u,
                   MultipartUpload={"Parts": done[::-1]})[0] == "InvalidPartOrder"
    assert refused(complete, Bucket=bucket, Key="k", UploadId=u, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": done[1]["ETag"]}]})[0] == "InvalidPart"
    assert refused(complete, Bucket=bucket, Key="k", UploadId=u,
                   MultipartUpload={"Parts": []})[0] == "MalformedXML"
    assert refused(s3.upload_part, Bucket=bucket, Key="k", UploadId=u, PartNumber=10001,
                   Body=b"")[0] == "InvalidArgument"
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=u)
    for call in (s3.abort_multipart_upload, s3.list_parts):
        assert refused(call, Bucket=bucket, Key="k", UploadId=u)[:2] == ("NoSuchUpload", 404)


def test_multipart_checksums(client, s3, bucket):
    parts = [os.urandom(5 * MIB), os.urandom(5 * MIB), b"end"]
    whole = b"".join(parts)
    u, done = upload(s3, bucket, "k", parts, ChecksumAlgorithm="CRC32",
                     ChecksumType="FULL_OBJECT")
    want = zlib.crc32(whole).to_bytes(4, "big")
    r = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=u,
                                     MultipartUpload={"Parts": done})
    import base64
    assert base64.b64decode(r["ChecksumCRC32"]) == want
    plain = client("s3", config=botocore.config.Config(
        request_checksum_calculation="when_required"))
    u, done = upload(plain, bucket, "n", parts)
    r = plain.complete_multipart_upload(Bucket=bucket, Key="n", UploadId=u,
                                        MultipartUpload={"Parts": done})
    put = plain.put_object(Bucket=bucket, Key="w", Body=whole)
    assert r["ChecksumCRC64NVME"] == put["ChecksumCRC64NVME"]
    u, done = upload(s3, bucket, "s", parts, ChecksumAlgorithm="SHA256")
    r = s3.complete_multipart_upload(Bucket=bucket, Key="s", UploadId=u,
                                     MultipartUpload={"Parts": done})
    sha = hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in parts)).digest()
    assert r["ChecksumSHA256"] == base64.b64encode(sha).decode() + "-3"
    assert refused(s3.create_multipart_upload, Bucket=bucket, Key="x", ChecksumAlgorithm="SHA256",
                   ChecksumType="FULL_OBJECT")[0] == "InvalidRequest"


def test_part_copies(s3, bucket):
    body = os.urandom(6 * MIB)
    s3.put_object(Bucket=bucket, Key="a", Body=body)
    u = s3.create_multipart_upload(Bucket=bucket, Key="b")["UploadId"]
    done = []
    for i, span in enumerate(("0-5242879", "5242880-6291455"), 1):
        r = s3.upload_part_copy(Bucket=bucket, Key="b", UploadId=u, PartNumber=i,
                                CopySource=bucket + "/a", CopySourceRange="bytes=" + span)
        done.append({"PartNumber": i, "ETag": r["CopyPartResult"]["ETag"]})
    s3.complete_multipart_upload(Bucket=bucket, Key="b", UploadId=u,
                                 MultipartUpload={"Parts": done})
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == body
    assert refused(s3.upload_part_copy, Bucket=bucket, Key="b", UploadId="x", PartNumber=1,
                   CopySource=bucket + "/a")[0] == "NoSuchUpload"


def test_transfer_manager(s3, bucket, tmp_path):
    body = os.urandom(20 * MIB + 3)
    s3.upload_fileobj(io.BytesIO(body), bucket, "k")
    s3.download_file(bucket, "k", str(tmp_path / "k"))
    assert (tmp_path / "k").read_bytes() == body
    s3.copy({"Bucket": bucket, "Key": "k"}, bucket, "k2")
    assert s3.get_object(Bucket=bucket, Key="k2")["Body"].read() == body


# ---- versions ----

def versions(s3, bucket, **kw):
    r = s3.list_object_versions(Bucket=bucket, **kw)
    rows = [(v["Key"], v["VersionId"], v["IsLatest"], "data") for v in r.get("Versions", [])]
    rows += [(v["Key"], v["VersionId"], v["IsLatest"], "marker")
             for v in r.get("DeleteMarkers", [])]
    return rows


def test_versions(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"first")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    two = s3.put_object(Bucket=bucket, Key="k", Body=b"second")["VersionId"]
    three = s3.put_object(Bucket=bucket, Key="k", Body=b"third")["VersionId"]
    gone = s3.delete_object(Bucket=bucket, Key="k")
    assert gone["DeleteMarker"] is True
    assert [v[1] for v in versions(s3, bucket) if v[3] == "data"] == [three, two, "null"]
    assert [v[1:3] for v in versions(s3, bucket) if v[3] == "marker"] == [(gone["VersionId"], True)]
    code, status, _ = refused(s3.get_object, Bucket=bucket, Key="k")
    assert (code, status) == ("NoSuchKey", 404)
    assert keys(s3.list_objects_v2(Bucket=bucket)) == []
    for v, body in (("null", b"first"), (two, b"second"), (three, b"third")):
        assert s3.get_object(Bucket=bucket, Key="k", VersionId=v)["Body"].read() == body
    assert refused(s3.get_object, Bucket=bucket, Key="k", VersionId=gone["VersionId"])[:2] == (
        "MethodNotAllowed", 405)
    s3.delete_object(Bucket=bucket, Key="k", VersionId=gone["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"third"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=three)
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == two
    s3.delete_object(Bucket=bucket, Key="k", VersionId="null")
    assert [v[1:3] for v in versions(s3, bucket)] == [(two, True)]
    assert refused(s3.get_object, Bucket=bucket, Key="k", VersionId="null")[0] == "NoSuchVersion"
    assert refused(s3.get_object, Bucket=bucket, Key="k", VersionId="x")[0] == "InvalidArgument"
    assert refused(s3.delete_bucket, Bucket=bucket)[0] == "BucketNotEmpty"


def test_suspended_versions(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    one = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    for body in (b"2", b"3"):
        assert s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] == "null"
    assert [v[1] for v in versions(s3, bucket)] == ["null", one]
    assert s3.delete_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    assert sorted(v[1:] for v in versions(s3, bucket)) == sorted(
        [("null", True, "marker"), (one, False, "data")])
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"4")
    assert len(versions(s3, bucket)) == 3


def test_versions_are_listed_in_pages(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    want = []
    for key in ("a", "b/1", "b/2", "c"):
        ids = [s3.put_object(Bucket=bucket, Key=key, Body=b"")["VersionId"] for _ in range(3)]
        want += [(key, v) for v in ids[::-1]]
    for size in (1, 2, 5, 100):
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": size})
        got = [(v["Key"], v["VersionId"], v["IsLatest"])
               for p in pages for v in p.get("Versions", [])]
        assert [g[:2] for g in got] == want
        assert [g[2] for g in got] == [True, False, False] * 4
    rolled = s3.list_object_versions(Bucket=bucket, Delimiter="/")
    assert prefixes(rolled) == ["b/"]
    assert {v["Key"] for v in rolled["Versions"]} == {"a", "c"}
    left = boto3.resource("s3", endpoint_url=s3.meta.endpoint_url, region_name="us-east-1",
                          aws_access_key_id="test", aws_secret_access_key="test").Bucket(bucket)
    left.object_versions.delete()
    s3.delete_bucket(Bucket=bucket)


# ---- tags and settings ----

def test_object_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="a=1&b=x%20y")
    got = s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert got == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "x y"}]
    assert s3.head_object(Bucket=bucket, Key="k")["TagCount"] == 2
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "c", "Value": ""}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "c", "Value": ""}]
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    many = [{"Key": "k%d" % i, "Value": ""} for i in range(11)]
    assert refused(s3.put_object_tagging, Bucket=bucket, Key="k",
                   Tagging={"TagSet": many})[0] == "BadRequest"
    for bad in ([{"Key": "aws:x", "Value": ""}], [{"Key": "a", "Value": "x" * 257}],
                [{"Key": "a", "Value": ""}] * 2):
        assert refused(s3.put_object_tagging, Bucket=bucket, Key="k",
                       Tagging={"TagSet": bad})[0] == "InvalidTag"


def test_bucket_settings(s3, bucket):
    assert refused(s3.get_bucket_tagging, Bucket=bucket)[:2] == ("NoSuchTagSet", 404)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "b"}]
    s3.delete_bucket_tagging(Bucket=bucket)
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(block.values()) and len(block) == 4
    s3.delete_public_access_block(Bucket=bucket)
    assert refused(s3.get_public_access_block, Bucket=bucket)[
        0] == "NoSuchPublicAccessBlockConfiguration"
    owner = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owner == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert s3.get_bucket_acl(Bucket=bucket)["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert refused(s3.put_object, Bucket=bucket, Key="k",
                   ACL="public-read")[0] == "AccessControlListNotSupported"


def test_what_tools_ask_of_every_bucket(s3, bucket):
    for call, code in ((s3.get_bucket_website, "NoSuchWebsiteConfiguration"),
                       (s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
                       (s3.get_bucket_replication, "ReplicationConfigurationNotFoundError"),
                       (s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"),
                       (s3.get_bucket_policy, "NoSuchBucketPolicy"),
                       (s3.get_bucket_cors, "NoSuchCORSConfiguration")):
        assert refused(call, Bucket=bucket)[:2] == (code, 404)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    for call in (s3.get_bucket_accelerate_configuration, s3.get_bucket_logging,
                 s3.get_bucket_notification_configuration):
        call(Bucket=bucket)
    assert refused(s3.put_bucket_website, Bucket=bucket, WebsiteConfiguration={
        "IndexDocument": {"Suffix": "index.html"}})[:2] == ("NotImplemented", 501)


# ---- who may ----

def policy(bucket, action="s3:GetObject", principal="*", **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [dict(
        Effect="Allow", Principal=principal, Action=action,
        Resource="arn:aws:s3:::%s/*" % bucket, **more)]})


def test_nobody_reads_but_by_policy(client, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"public")
    nobody = client("s3", config=botocore.config.Config(signature_version=UNSIGNED))
    assert refused(nobody.get_object, Bucket=bucket, Key="k")[:2] == ("AccessDenied", 403)
    assert refused(s3.put_bucket_policy, Bucket=bucket, Policy=policy(bucket))[0] == "AccessDenied"
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket))
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy(bucket))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    assert nobody.get_object(Bucket=bucket, Key="k")["Body"].read() == b"public"
    assert refused(nobody.put_object, Bucket=bucket, Key="k")[0] == "AccessDenied"
    assert refused(nobody.get_object, Bucket=bucket, Key="none")[0] == "AccessDenied"
    assert refused(nobody.list_objects_v2, Bucket=bucket)[0] == "AccessDenied"
    errors = nobody.delete_objects
    assert errors(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})["Errors"][0][
        "Code"] == "AccessDenied"
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={
        "RestrictPublicBuckets": True})
    assert refused(nobody.get_object, Bucket=bucket, Key="k")[0] == "AccessDenied"
    s3.delete_bucket_policy(Bucket=bucket)


def test_policies_are_checked(s3, bucket):
    for text, why in (("nonsense", "valid JSON"), ("{}", "Statement"),
                      (policy("other-bucket"), "invalid resource"),
                      (policy(bucket, action="sqs:*"), "invalid action")):
        code, status, error = refused(s3.put_bucket_policy, Bucket=bucket, Policy=text)
        assert (code, status) == ("MalformedPolicy", 400) and why in error["Message"]


def fetch(url, method="GET", body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as r:
            return r.status, r.read(), r.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read(), e.headers


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned(client, bucket, version):
    s3 = client("s3", config=botocore.config.Config(signature_version=version))
    url = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a b"})
    assert fetch(url, "PUT", b"by url", {"Content-Type": ""})[0] == 200
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b"})
    assert fetch(url)[1] == b"by url"
    status, body, _ = fetch(url.replace("a%20b", "other"))
    assert status in (403, 404)
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b"}, ExpiresIn=1)
    time.sleep(2.5)
    status, body, _ = fetch(url)
    assert status == 403 and b"Request has expired" in body


def test_host_names(wolke, s3, bucket):
    s3.put_object(Bucket=bucket, Key="dir/k", Body=b"x")
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket))
    for host in ("%s.s3.localhost", "%s.s3.us-east-1.localhost", "%s.s3.amazonaws.com",
                 "%s.s3.localhost:4566"):
        status, body, _ = fetch(wolke.endpoint + "/dir/k", headers={"Host": host % bucket})
        assert (status, body) == (200, b"x")
    virtual = boto3.client("s3", endpoint_url="http://s3.localhost:%d" % wolke.port,
                           region_name="us-east-1", aws_access_key_id="000000000000",
                           aws_secret_access_key=wolke.secret,
                           config=botocore.config.Config(s3={"addressing_style": "virtual"},
                                                         retries={"max_attempts": 0}))
    try:
        assert keys(virtual.list_objects_v2(Bucket=bucket)) == ["dir/k"]
    except botocore.exceptions.EndpointConnectionError:
        pytest.skip("names below localhost do not resolve here")


def test_cors(wolke, s3, bucket):
    url = "%s/%s/k" % (wolke.endpoint, bucket)
    ask = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT",
           "Access-Control-Request-Headers": "x-amz-meta-a"}
    assert fetch(url, "OPTIONS", headers=ask)[0] == 403
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [{
        "AllowedOrigins": ["https://*.example.com"], "AllowedMethods": ["PUT", "GET"],
        "AllowedHeaders": ["x-amz-*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}]})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"][0]["MaxAgeSeconds"] == 60
    status, _, headers = fetch(url, "OPTIONS", headers=ask)
    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert headers["Access-Control-Allow-Headers"] == "x-amz-meta-a"
    assert headers["Access-Control-Max-Age"] == "60"
    assert fetch(url, "OPTIONS", headers=dict(ask, Origin="https://evil.org"))[0] == 403
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
    _, _, headers = fetch(url, headers={"Origin": "https://app.example.com"})
    assert headers["Access-Control-Expose-Headers"] == "ETag"


# ---- tools ----

def aws(wolke, *args, **kw):
    r = subprocess.run(["aws", *args], env=wolke.env(), capture_output=True, text=True, **kw)
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


def tree(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_command_line(wolke, tmp_path):
    name = "cli-" + os.urandom(6).hex()
    there = "s3://" + name
    aws(wolke, "s3", "mb", there)
    assert name in aws(wolke, "s3", "ls")
    source = tmp_path / "source"
    for path in ("plain.txt", "with space/a+b.txt", "ümläut/日本.txt", "deep/er/and/deeper/x",
                 "per%20cent", "quote'\"&<>.txt", "empty"):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(b"" if path == "empty" else path.encode())
    (source / "large").write_bytes(os.urandom(9 * MIB))
    aws(wolke, "s3", "sync", str(source), there)
    assert "plain.txt" in aws(wolke, "s3", "ls", there) and "deep/" in aws(wolke, "s3", "ls", there)
    assert aws(wolke, "s3", "sync", str(source), there) == ""
    back = tmp_path / "back"
    aws(wolke, "s3", "sync", there, str(back))
    assert tree(back) == tree(source)
    (source / "plain.txt").unlink()
    assert "delete:" in aws(wolke, "s3", "sync", "--delete", str(source), there)
    aws(wolke, "s3", "cp", there + "/large", there + "/copy")
    aws(wolke, "s3", "mv", there + "/copy", there + "/moved")
    url = aws(wolke, "s3", "presign", there + "/moved").strip()
    got = subprocess.run(["curl", "-sf", url], capture_output=True, check=True).stdout
    assert got == (source / "large").read_bytes()
    assert aws(wolke, "s3", "cp", there + "/with space/a+b.txt", "-") == "with space/a+b.txt"
    aws(wolke, "s3", "rm", "--recursive", there)
    aws(wolke, "s3", "rb", there)


def test_large_upload_by_command_line(wolke, tmp_path):
    name = "large-" + os.urandom(6).hex()
    big = tmp_path / "big"
    big.write_bytes(os.urandom(MIB) * 100)
    aws(wolke, "s3", "mb", "s3://" + name)
    aws(wolke, "s3", "cp", "--only-show-errors", str(big), "s3://%s/big" % name)
    aws(wolke, "s3", "cp", "--only-show-errors", "s3://%s/big" % name, str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    aws(wolke, "s3", "rb", "--force", "s3://" + name)


# ---- crashes ----

def test_acknowledged_objects_survive_a_kill(wolke_server):
    server = wolke_server()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="survivors")
    acknowledged = {}
    stop = threading.Event()

    def write(n):
        mine = server.client("s3")
        i = 0
        while not stop.is_set():
            key, body = "w%d/%d" % (n, i % 40), os.urandom(100 if i % 3 else 70000)
            try:
                acknowledged[key] = (acknowledged.get(key, (None,))[-1], body)
                mine.put_object(Bucket="survivors", Key=key, Body=body)
                acknowledged[key] = (body,)
            except Exception:  # the kill: this one may or may not be there
                return
            i += 1
    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    time.sleep(2)
    server.kill()
    stop.set()
    for t in threads:
        t.join()
    server.start()
    s3 = server.client("s3")
    assert acknowledged
    for key, may_be in acknowledged.items():
        try:
            got = s3.get_object(Bucket="survivors", Key=key)["Body"].read()
        except ClientError:
            got = None
        assert got in may_be, key


def test_aborted_upload_leaves_nothing(wolke_server):
    import socket
    server = wolke_server()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="aborted")
    url = urllib.parse.urlsplit(s3.generate_presigned_url(
        "put_object", {"Bucket": "aborted", "Key": "k"}))
    with socket.create_connection(("127.0.0.1", server.port)) as c:
        c.sendall(("PUT %s?%s HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000000\r\n\r\n" % (
            url.path, url.query, url.netloc)).encode() + b"x" * 500000)
    blobs = os.path.join(server.data_dir, "store", "blobs")

    def files():
        return [f for _, _, fs in os.walk(blobs) for f in fs]
    end = time.monotonic() + 20
    while files() and time.monotonic() < end:
        time.sleep(0.1)
    assert files() == []
    assert keys(s3.list_objects_v2(Bucket="aborted")) == []
    s3.put_object(Bucket="aborted", Key="k", Body=os.urandom(100000))
    s3.put_object(Bucket="aborted", Key="k", Body=os.urandom(100000))
    s3.delete_object(Bucket="aborted", Key="k")
    end = time.monotonic() + 20
    while files() and time.monotonic() < end:
        time.sleep(0.1)
    assert files() == []
