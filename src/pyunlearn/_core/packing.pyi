import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

HEADER_BYTES: int
ENTRY_BYTES: int
SPARE_BYTES: int

def pack_rows(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    words: I32,
    number: I32,
    first: I32,
    target_start: I64,
    bytes_out: U8,
    sizes_out: I64,
    num_threads: int,
) -> None: ...
def entries_of_rows(data: U8, data_start: I64, entries_out: I64) -> None: ...
def unpack_rows(
    data: U8,
    data_start: I64,
    entries: I64,
    number: I32,
    first: I32,
    target_start: I64,
    indices_out: I32,
    values_out: I64,
    status_out: I32,
    num_threads: int,
) -> None: ...
