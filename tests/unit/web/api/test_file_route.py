"""Files over the API: what goes in comes out, as bytes to be kept and never as a page."""

import pytest

from parts.api import Api
from trimtab.tracking.file import PIECE_BYTES

#: Names that would leave a folder, or mean another one, if anybody took them for places on a disk.
BAD_PATHS = [
    "x/..",
    "../up",
    "a/../../b",
    "a//b",
    "./a",
    "a/.",
    "%2e%2e/up",
    "a%2f..%2fb",
    "/etc/passwd",
    "a\\..\\b",
]


@pytest.fixture
def at(api: Api) -> str:
    run = api.client.post("/api/v1/runs", json={}).json()["id"]
    return f"/api/v1/runs/{run}/files"


@pytest.mark.parametrize("size", [0, 1, 300_000, PIECE_BYTES + 5])
def test_what_is_put_is_read(api: Api, at: str, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    put = api.client.put(f"{at}/deep/model.bin", content=content)
    assert put.status_code == 200, put.text
    assert put.json()["size_bytes"] == size
    got = api.client.get(f"{at}/deep/model.bin")
    assert got.content == content
    assert got.headers["content-length"] == str(size)


def test_a_browser_keeps_a_file_and_shows_it_not(api: Api, at: str) -> None:
    api.client.put(f"{at}/r%C3%A9sum%C3%A9%22.html", content=b"<script>alert(1)</script>")
    got = api.client.get(f"{at}/r%C3%A9sum%C3%A9%22.html")
    assert got.status_code == 200
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''r%C3%A9sum%C3%A9%22.html"
    assert got.headers["x-content-type-options"] == "nosniff"


def test_files_are_listed_by_folder_and_taken_away(api: Api, at: str) -> None:
    for path in ("a/one", "a/b/two", "c"):
        api.client.put(f"{at}/{path}", content=b"x")
    assert [file["path"] for file in api.client.get(at).json()["files"]] == ["a/b/two", "a/one", "c"]
    assert [file["path"] for file in api.client.get(f"{at}?under=a/b").json()["files"]] == ["a/b/two"]
    assert api.client.delete(f"{at}/a").json() == {"removed": "a"}
    assert [file["path"] for file in api.client.get(at).json()["files"]] == ["c"]
    assert api.client.get(f"{at}/a/one").status_code == 404
    assert api.client.delete(f"{at}/a").status_code == 404


@pytest.mark.parametrize("path", BAD_PATHS)
def test_no_path_leads_out(api: Api, at: str, path: str) -> None:
    answer = api.client.put(f"{at}/{path.replace('/', '%2F')}", content=b"x")
    assert answer.status_code in (400, 404), answer.text
    assert api.client.get(at).json()["files"] == []


def test_a_damaged_file_is_refused_before_its_first_byte(api: Api, at: str) -> None:
    blob = api.client.put(f"{at}/model.bin", content=b"content").json()["blobs"][0]
    api.store.blobs.discard(blob, 0.0)
    answer = api.client.get(f"{at}/model.bin")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


def test_who_asks_for_the_head_alone_gets_the_size_and_nothing_is_read(api: Api, at: str) -> None:
    blob = api.client.put(f"{at}/model.bin", content=b"content").json()["blobs"][0]
    api.store.blobs.discard(blob, 0.0)
    answer = api.client.head(f"{at}/model.bin")
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "7", b"")
