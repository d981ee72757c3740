import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

def sort_by_word(
    document_start: I64,
    columns: I32,
    parts: I64,
    position: I64,
    entry_out: I64,
    document_out: I32,
    num_threads: int,
) -> None: ...
def count_pattern(
    context_start: I64,
    contexts: I32,
    context_counts: I32,
    own: I32,
    counts: I32,
    weights: I64,
    lengths: I64,
    word_start: I64,
    entry_of_word: I64,
    document_of_word: I32,
    mark: U8,
    lower_out: I32,
    upper_length_out: I64,
    mass_out: I64,
    status_out: I32,
    num_threads: int,
) -> None: ...
def count_upper(
    context_start: I64,
    contexts: I32,
    context_counts: I32,
    own: I32,
    counts: I32,
    weights: I64,
    word_start: I64,
    entry_of_word: I64,
    document_of_word: I32,
    upper_start: I64,
    upper_length: I64,
    accumulator: I64,
    indices_out: I32,
    values_out: I64,
    num_threads: int,
) -> None: ...
def mirror(
    row_start: I64,
    upper_start: I64,
    row_end: I64,
    filled: I64,
    indices_out: I32,
    values_out: I64,
    num_threads: int,
) -> None: ...
