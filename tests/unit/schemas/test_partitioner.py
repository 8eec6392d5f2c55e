import zlib

import pytest

from schemas.partitioner import librdkafka_name, murmur2, partition_of


# The vectors of Apache Kafka's own UtilsTest.testMurmur2, as signed numbers.
@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_kafkas(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed % 2**32


def test_murmur2_partition_has_the_sign_bit_cleared() -> None:
    # -790332482 & 0x7fffffff = 1357151166 = 4 * 339287791 + 2
    assert partition_of("foobar", 4) == 2
    assert partition_of("foobar", 1) == 0


def test_crc32_is_the_checksum_of_zip_files() -> None:
    # The check value of CRC-32/ISO-HDLC in the catalogue of CRC algorithms.
    assert zlib.crc32(b"123456789") == 0xCBF43926
    assert partition_of("123456789", 1000, "crc32") == 0xCBF43926 % 1000 == 262


def test_a_key_is_the_texts_utf8() -> None:
    assert partition_of("é", 2**31) == murmur2(b"\xc3\xa9") & 0x7FFFFFFF


def test_librdkafkas_names() -> None:
    assert librdkafka_name("murmur2") == "murmur2_random"
    assert librdkafka_name("crc32") == "consistent_random"
