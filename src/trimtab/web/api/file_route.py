"""Routes of a run's files: content goes in and out in pieces, and is never shown by a browser as a page."""

import asyncio
import hashlib
from itertools import chain
from typing import Any
from urllib.parse import quote

from starlette.responses import StreamingResponse

from trimtab.atoms.run import LoggedFile
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.api.answer import FileList, Removed
from trimtab.web.api.question import FilesQuery
from trimtab.web.api.repeat import Repeats
from trimtab.web.route import Call, Response, Route

#: Bytes of one file.
MOST_BYTES = 1 << 40
_BYTES = "application/octet-stream"
#: Bytes that are handed to a thread at once.
_GATHERED = 1 << 20


def file_routes(tracking: Tracking, repeats: Repeats) -> list[Route]:
    """Reading and writing files."""
    files = _Files(tracking, repeats)
    at = "/api/v1/runs/{run}/files"
    one = f"{at}/{{path:path}}"
    return [
        Route(
            "GET",
            at,
            Permission.READ,
            files.under,
            "Files of a run, or those in one of its folders and below it.",
            query=FilesQuery,
            answer=FileList,
        ),
        Route("GET", one, Permission.READ, files.read, "The content of a file."),
        Route(
            "PUT",
            one,
            Permission.LOG,
            files.put,
            "Keep a file, over the one that was there; durable once it is answered.",
            answer=LoggedFile,
            raw_body=True,
            most_bytes=MOST_BYTES,
        ),
        Route(
            "DELETE",
            one,
            Permission.LOG,
            files.remove,
            "Take a file, or a folder with all in it, away.",
            answer=Removed,
        ),
    ]


class _Files:
    def __init__(self, tracking: Tracking, repeats: Repeats) -> None:
        self._tracking, self._repeats = tracking, repeats

    def under(self, call: Call) -> FileList:
        asked: FilesQuery = call.query
        run = self._tracking.runs.find(call.path["run"]).head.id
        return FileList(files=self._tracking.files.under(run, asked.under))

    def read(self, call: Call) -> Response:
        file = self._tracking.files.find(call.path["run"], call.path["path"])
        name = quote(file.path.rpartition("/")[2], safe="")
        headers = {
            "content-length": str(file.size_bytes),
            "content-disposition": f"attachment; filename*=UTF-8''{name}",
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
        }
        if call.method == "HEAD":
            return Response(media_type=_BYTES, headers=headers)
        pieces = self._tracking.files.read(file)
        first = next(pieces, b"")  # what is damaged at its beginning is refused, not broken off
        return StreamingResponse(chain((first,), pieces), media_type=_BYTES, headers=headers)

    async def put(self, call: Call) -> Any:
        files = self._tracking.files
        upload = await asyncio.to_thread(files.begin, call.path["run"], call.path["path"])
        gathered, told = bytearray(), hashlib.sha256()

        def written() -> None:
            upload.write(bytes(gathered))
            if call.idempotency_key is not None:
                told.update(gathered)

        try:
            async for chunk in call.stream():
                gathered += chunk
                if len(gathered) >= _GATHERED:
                    await asyncio.to_thread(written)
                    gathered.clear()
            if gathered:
                await asyncio.to_thread(written)
            said = told.hexdigest()
            replayed = self._repeats.known(call, "put file", said=said)
            if replayed is not None:
                upload.drop()
                return replayed
            file = await asyncio.to_thread(upload.finish)
        except Exception:  # no cancelling: a thread may be at work on it then
            upload.drop()
            raise
        self._repeats.note(call, "put file", file, said=said)
        return file

    def remove(self, call: Call) -> Any:
        def removed(seed: str) -> Removed:
            self._tracking.files.remove(call.path["run"], call.path["path"])
            return Removed(removed=call.path["path"])

        return self._repeats.answer(call, "remove file", removed)
