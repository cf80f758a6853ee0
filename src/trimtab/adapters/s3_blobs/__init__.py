"""Blobs in a bucket that speaks S3."""

from trimtab.adapters.s3_blobs.blobs import S3Blobs, open_s3_blobs
from trimtab.adapters.s3_blobs.place import shown

__all__ = ["S3Blobs", "open_s3_blobs", "shown"]
