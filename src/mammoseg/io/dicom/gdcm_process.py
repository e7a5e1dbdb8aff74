"""Decodes one JPEG stream with GDCM, in a process of its own (see decode.py).

    python gdcm_process.py ROWS COLUMNS SAMPLES BITS SYNTAX  < stream  > pixels

SYNTAX is the UID of the transfer syntax. Pixels come as bytes, or words of the machine where BITS is above 8. GDCM can
bring down the process on damaged streams, and tells of damage in the stream only on the standard error output.
"""

import sys

import gdcm  # type: ignore[import-untyped]


def main() -> int:
    rows, columns, samples, bits = map(int, sys.argv[1:5])
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(sys.stdin.buffer.read())
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    photometric = gdcm.PhotometricInterpretation
    image.SetPhotometricInterpretation(photometric(photometric.RGB if samples == 3 else photometric.MONOCHROME2))
    image.SetPlanarConfiguration(0)
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(sys.argv[5])))
    allocated = 8 if bits <= 8 else 12 if bits <= 12 else 16  # the decoder that fits the stream, not the container
    image.SetPixelFormat(gdcm.PixelFormat(samples, allocated, bits, bits - 1, 0))
    pixels = image.GetBuffer()
    if pixels is None:
        return 1
    sys.stdout.buffer.write(pixels.encode("utf-8", "surrogateescape"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
