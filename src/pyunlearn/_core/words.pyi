import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]

def count_words(
    text: U32,
    text_start: I64,
    is_of_word: U8,
    multiplier: int,
    slots: I32,
    position: I64,
    word_start_out: I64,
    word_end_out: I64,
    entry_start_out: I64,
    words_out: I32,
    counts_out: I32,
) -> int: ...
