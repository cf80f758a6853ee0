"""The open store: the ports that a step needs, in one hand."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.content import Content, Part
from trimtab.atoms.error import StoreError
from trimtab.ports.blobs import Blobs
from trimtab.ports.clock import Clock
from trimtab.ports.ledger import Ledger
from trimtab.ports.online_features import OnlineFeatures
from trimtab.ports.streams import Streams

SomeContent = TypeVar("SomeContent", bound=Content)


@dataclass(frozen=True, slots=True)
class Store:
    """Ledger, blobs, streams and online features of one project, with the clock they are read by."""

    ledger: Ledger
    blobs: Blobs
    streams: Streams
    online: OnlineFeatures
    clock: Clock
    #: Who this process is, for leases: `host:pid:start`.
    holder: str

    def now(self) -> datetime:
        """The present moment."""
        return self.clock.now()

    def artifact(self, artifact_id: str) -> Artifact:
        """The artifact with this id; StoreError where there is none."""
        record = self.ledger.find(artifact_id)
        if not isinstance(record, Artifact):
            raise StoreError(f"the ledger has no artifact {artifact_id[:12]}")
        return record

    def read(self, artifact_id: str, content: type[SomeContent]) -> SomeContent:
        """The content of an artifact, as the record it is."""
        artifact = self.artifact(artifact_id)
        if artifact.kind != content.kind:
            raise StoreError(f"artifact {artifact_id[:12]} is a {artifact.kind}, not a {content.kind}")
        return content.parse(self._blob(artifact.content))

    def part(self, part: Part) -> bytes:
        """The bytes of a part; StoreError where they are not in the store."""
        return self._blob(part.blob)

    def _blob(self, key: str) -> bytes:
        try:
            return self.blobs.get(key)
        except KeyError as error:
            raise StoreError(
                f"blob {key[:12]} is not in the store: `trimtab fsck` says whether it was forgotten or is missing"
            ) from error

    def close(self) -> None:
        """Close every port."""
        self.streams.close()
        self.online.close()
        self.ledger.close()
