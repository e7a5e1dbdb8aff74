"""The picture in a PNG file without anything beside it, or what is wrong with the file.

Decoders print what they find odd in texts, profiles and damaged data, without the name of the file and whatever the
program does. So they get a file in which there is nothing odd: the rows, whole and not compressed, so that they are inflated
once.

Source   PNG specification (W3C, third edition), 5.3 chunk layout, 8.1 interlacing.
"""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ESSENTIAL = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of the colour types
_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row, first column, step of rows, step of columns."""


def picture_of_png(data: bytes) -> bytes | None:
    """The file with its essential chunks alone; None if it is damaged or cut short. Its size was checked before."""
    kept: dict[bytes, bytes] = {}
    compressed, kind, position = [], b"", len(SIGNATURE)
    while kind != b"IEND":
        head = data[position : position + 8]
        if len(head) < 8:
            return None
        length, kind = struct.unpack(">I4s", head)
        chunk = data[position : position + 12 + length]
        position += len(chunk)
        if kind not in _ESSENTIAL:
            continue
        if len(chunk) < 12 + length or zlib.crc32(chunk[4:-4]).to_bytes(4) != chunk[-4:]:
            return None
        if kind == b"IDAT":
            compressed.append(chunk[8:-4])
        else:
            kept[kind] = chunk
    rows = _rows(kept[b"IHDR"], b"".join(compressed)) if b"IHDR" in kept else None
    if rows is None:
        return None
    content = b"IDAT" + zlib.compress(rows, 0)
    kept[b"IDAT"] = struct.pack(">I", len(content) - 4) + content + zlib.crc32(content).to_bytes(4)
    return SIGNATURE + b"".join(kept[kind] for kind in _ESSENTIAL if kind in kept)


def _rows(header: bytes, compressed: bytes) -> bytes | None:
    """The rows of the picture, if they are whole and as many as the header says."""
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header[8:21])
    expected = 0
    for row, column, rows, columns in _ADAM7 if interlaced else _WHOLE:
        lines, pixels = -(-(height - row) // rows), -(-(width - column) // columns)
        if lines > 0 and pixels > 0:
            expected += lines * (1 + -(-pixels * bits * _CHANNELS.get(colour, 0) // 8))
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(compressed, expected + 1)
    except zlib.error:
        return None
    return found if len(found) == expected and inflater.eof else None
