"""Files of runs and logged models, in MLflow's protocol: streamed both ways, in memory of a fixed size."""

import asyncio
import itertools
import mimetypes
import posixpath
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

import msgspec
from starlette.responses import Response, StreamingResponse

from trimtab.atoms.error import NotThere
from trimtab.atoms.run import LoggedFile
from trimtab.tracking.file import Upload
from trimtab.tracking.rule import require_path
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.mlflow.answer import Json, run_uri
from trimtab.web.mlflow.artifact_path import Places, folder_of, listing, tidied
from trimtab.web.mlflow.number import required
from trimtab.web.mlflow.registry_files import version_file, version_files
from trimtab.web.mlflow.twin import ARTIFACTS, twins
from trimtab.web.route import Call, Refused, Route

#: Bytes of one file.
FILE_BYTES = 1 << 40
#: Bytes that are handed from the network to a thread at once.
_HANDFUL = 1 << 20


class ListQuery(msgspec.Struct, frozen=True):
    """Query of `artifacts/list` and of `mlflow-artifacts/artifacts`."""

    run_id: str | None = None
    run_uuid: str | None = None
    path: str | None = None
    page_token: str | None = None


@dataclass(frozen=True, slots=True)
class _Artifacts:
    tracking: Tracking
    places: Places

    def of_run(self, call: Call) -> Json:
        asked: ListQuery = call.query
        run = self.tracking.runs.find(required(asked.run_id or asked.run_uuid, "run_id"))
        folder = folder_of(asked.path)
        files = listing(self.tracking.files.under(run.head.id, folder), folder)
        answer: Json = {"root_uri": run_uri(run.head.experiment, run.head.id)}
        return {**answer, "files": files} if files else answer

    def under(self, call: Call) -> Json:
        path = tidied(required(call.query.path, "path"))
        try:
            if (version := version_files(self.tracking, path)) is not None:
                kept = listing(version.files, version.below, names_only=True)
                return {"files": kept} if kept and version.files[0].path != version.below else {}
            place = self.places.of(path)
        except NotThere:
            return {}
        files = listing(self.tracking.files.under(place.owner, place.path), place.path, names_only=True)
        return {"files": files} if files else {}

    async def upload(self, call: Call) -> Json:
        path = call.path["path"]
        place = self.places.known(path)
        if place is None:
            place = await asyncio.to_thread(self.places.of, path)
        if not place.path or path.endswith("/"):
            raise Refused(400, "a file needs a name below the folder `artifacts`")
        upload: Upload | None = None
        handful: list[bytes] = []
        size = 0
        try:
            async for chunk in call.stream():
                handful.append(chunk)
                size += len(chunk)
                if size >= _HANDFUL:
                    upload = await asyncio.to_thread(self._write, upload, place, handful)
                    handful, size = [], 0
            await asyncio.to_thread(self._finish, upload, place, handful)
        except Exception:  # no cancelling: a thread may be at work on it then
            if upload is not None:
                upload.drop()
            raise
        return {}

    def _write(self, upload: Upload | None, place: tuple[str, str], chunks: Iterable[bytes]) -> Upload:
        upload = self.tracking.files.begin(*place) if upload is None else upload
        upload.write(b"".join(chunks))
        return upload

    def _finish(self, upload: Upload | None, place: tuple[str, str], chunks: list[bytes]) -> None:
        upload = self.tracking.files.begin(*place) if upload is None else upload
        for chunk in chunks:
            upload.write(chunk)
        upload.finish()

    def download(self, call: Call) -> Response:
        if (kept := version_file(self.tracking, call.path["path"])) is not None:
            return attachment(self.tracking, kept)
        place = self.places.of(call.path["path"])
        if not place.path:
            raise Refused(400, f"{call.path['path'][:100]!r} is a folder, not a file")
        return self._answer(place.owner, place.path)

    def download_of_run(self, call: Call) -> Response:
        asked: ListQuery = call.query
        run = self.tracking.runs.find(required(asked.run_id or asked.run_uuid, "run_id"))
        return self._answer(run.head.id, require_path(required(asked.path, "path")))

    def _answer(self, owner: str, path: str) -> Response:
        try:
            file = self.tracking.files.find(owner, path)
        except NotThere:
            if self.tracking.files.under(owner, path):
                raise Refused(400, f"{path[:100]!r} is a folder, not a file") from None
            raise
        return attachment(self.tracking, file)

    def delete(self, call: Call) -> Json:
        place = self.places.of(call.path["path"])
        if place.path:
            # What is not there is gone: a client that got no answer sends again.
            with suppress(NotThere):
                self.tracking.files.remove(place.owner, place.path)
            return {}
        for name in {file.path.partition("/")[0] for file in self.tracking.files.under(place.owner)}:
            self.tracking.files.remove(place.owner, name)
        return {}


def attachment(tracking: Tracking, file: LoggedFile) -> Response:
    """A file's content for download, never to be shown by a browser; its first piece is hashed before it begins.

    Raises:
        Damaged: The first piece is not what was put. A later one that is not ends the connection.
    """
    chunks = tracking.files.read(file)
    first = next(chunks, b"")
    name = posixpath.basename(file.path)
    plain = name.encode("ascii", "ignore").decode().replace('"', "").replace("\\", "") or "download"
    return StreamingResponse(
        itertools.chain((first,), chunks),
        media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        headers={
            "Content-Length": str(file.size_bytes),
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
            "X-Content-Type-Options": "nosniff",
        },
    )


def artifact_routes(tracking: Tracking) -> list[Route]:
    """Routes of files."""
    of, read, log = _Artifacts(tracking, Places(tracking)), Permission.READ, Permission.LOG
    path = "/artifacts/{path:path}"
    return [
        *twins("GET", "/artifacts/list", read, of.of_run, "Files of a run.", query=ListQuery),
        *twins(
            "GET", "/artifacts", read, of.under, "Files in a folder.", prefixes=ARTIFACTS, query=ListQuery
        ),
        *twins("GET", path, read, of.download, "A file's content.", prefixes=ARTIFACTS),
        *twins(
            "PUT",
            path,
            log,
            of.upload,
            "Keep a file.",
            prefixes=ARTIFACTS,
            raw_body=True,
            most_bytes=FILE_BYTES,
        ),
        *twins("DELETE", path, log, of.delete, "Take a file or a folder away.", prefixes=ARTIFACTS),
        *twins(
            "GET",
            "/get-artifact",
            read,
            of.download_of_run,
            "A file's content, by its run.",
            prefixes=("",),
            query=ListQuery,
        ),
    ]
