"""Files that pages need: read once, and found by name only."""

import hashlib
from pathlib import Path

from trimtab.atoms.error import NotThere
from trimtab.web.access.permission import Permission
from trimtab.web.route import Call, Response, Route

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def static_routes() -> list[Route]:
    """`/static/NAME`; for everybody: the page that asks for a token needs them too."""
    files = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
    marks = {name: f'"{hashlib.sha256(content).hexdigest()[:16]}"' for name, content in files.items()}

    async def static(call: Call) -> Response:
        name = call.path["name"]
        if name not in files:
            raise NotThere("there is no such file")
        headers = {"etag": marks[name], "cache-control": "no-cache"}
        if call.headers.get("if-none-match") == marks[name]:
            return Response(status_code=304, headers=headers)
        return Response(files[name], media_type=_TYPES[Path(name).suffix], headers=headers)

    summary = "A style sheet, a script or a drawing of the pages."
    return [Route("GET", "/static/{name}", Permission.OPEN, static, summary, documented=False)]
