"""The log's bytes (src/pawl/adapter/wal/wal_format.h), as a test changes them: with their checksums."""

import struct

BLOCK = 4096
HEADER = 128
FORMAT_AT = 4         # in a record's header
LENGTH_AT = 72
PAYLOAD_CRC_AT = 76
TYPE_AT = 6
GROUP = 2
HEADER_CRC_AT = HEADER - 4
SUPERBLOCK_FORMAT_AT = 8
SUPERBLOCK_CRC_AT = BLOCK - 4


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def seal(block, at):
    struct.pack_into("<I", block, at, crc32c(block[:at]))


class LogBytes:
    """One file of the log; what is changed is written back by save()."""

    def __init__(self, path):
        self.path = path
        self.bytes = bytearray(path.read_bytes())

    def save(self):
        self.path.write_bytes(bytes(self.bytes))

    def records(self):
        """Where each record begins."""
        at = 0
        while self.bytes[at:at + 4] == b"PWLR":
            yield at
            length = struct.unpack_from("<I", self.bytes, at + LENGTH_AT)[0]
            at += (HEADER + length + BLOCK - 1) // BLOCK * BLOCK

    def groups(self):
        return [at for at in self.records() if self.bytes[at + TYPE_AT] == GROUP]

    def set_format(self, at, version):
        struct.pack_into("<H", self.bytes, at + FORMAT_AT, version)
        self.seal_header(at)

    def seal_header(self, at):
        header = self.bytes[at:at + HEADER]
        seal(header, HEADER_CRC_AT)
        self.bytes[at:at + HEADER] = header

    def payload(self, at):
        length = struct.unpack_from("<I", self.bytes, at + LENGTH_AT)[0]
        return self.bytes[at + HEADER:at + HEADER + length]

    def set_payload(self, at, payload):
        """Of the same length."""
        self.bytes[at + HEADER:at + HEADER + len(payload)] = payload
        struct.pack_into("<I", self.bytes, at + PAYLOAD_CRC_AT, crc32c(payload))
        self.seal_header(at)

    def set_superblock(self, version, writer):
        for at in range(0, 4 * BLOCK, BLOCK):
            block = self.bytes[at:at + BLOCK]
            struct.pack_into("<I32s", block, SUPERBLOCK_FORMAT_AT, version, writer)
            seal(block, SUPERBLOCK_CRC_AT)
            self.bytes[at:at + BLOCK] = block
