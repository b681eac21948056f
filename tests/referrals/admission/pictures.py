"""Small pictures, made piece by piece."""

import struct
import zlib

EXIF = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHHHIII", 8, 2, 0x0112, 3, 1, 6, 0, 0x8825, 4, 1, 38, 0) + b"GPS 39.9N"


def jpeg(*, more=b"", after=b"", height=16, width=16, scan=b"\x12\xff\x00\x34", end=b"\xff\xd9") -> bytes:
    """With a table, a frame and a scan; not one that shows anything."""
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    pieces = [segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"), more, segment(0xDB, b"\0" + b"\1" * 64)]
    pieces += [segment(0xC0, frame), segment(0xC4, b"\0" + b"\0" * 16), segment(0xDA, b"\x01\x01\0\0\x3f\0"), scan]
    return b"\xff\xd8" + b"".join(pieces) + end + after


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def png(*, more=b"", after=b"", size=(4, 4)) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0" * 5 * 4))
    return b"\x89PNG\r\n\x1a\n" + head + more + body + chunk(b"IEND", b"") + after


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
