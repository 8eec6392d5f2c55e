import re
import sys

from schemas.inputs.producer_types import NOT_BLANK


def test_blank_is_what_python_calls_space() -> None:
    not_blank = re.compile(NOT_BLANK)
    for code in range(sys.maxunicode + 1):
        assert (not_blank.search(chr(code)) is None) == chr(code).isspace(), hex(code)
