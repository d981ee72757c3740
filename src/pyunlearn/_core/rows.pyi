import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

def check_rows(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    n_columns: int,
    mass_out: I64,
    status_out: I32,
    num_threads: int,
) -> None: ...
def check_pairs(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    position: I64,
    status_out: I32,
    num_threads: int,
) -> None: ...
def count_missing(
    start: I64,
    length: I64,
    indices: I32,
    words: I32,
    places: I32,
    delta_start: I64,
    delta_indices: I32,
    missing_out: I64,
    num_threads: int,
) -> None: ...
def check_subtraction(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    words: I32,
    places: I32,
    delta_start: I64,
    delta_indices: I32,
    delta_values: I64,
    status_out: I32,
    num_threads: int,
) -> None: ...
def subtract_delta(
    start: I64,
    length_out: I64,
    indices_out: I32,
    values_out: I64,
    mass_out: I64,
    frequency_out: I64,
    totals_out: I64,
    words: I32,
    places: I32,
    delta_start: I64,
    delta_indices: I32,
    delta_values: I64,
    delta_mass: I64,
    delta_frequency: I64,
    totals: I64,
    num_threads: int,
) -> None: ...
def merge_rows(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    words: I32,
    places: I32,
    delta_start: I64,
    delta_indices: I32,
    delta_values: I64,
    target_start: I64,
    target_length: I64,
    indices_out: I32,
    values_out: I64,
    num_threads: int,
) -> None: ...
def copy_rows(
    start: I64,
    length: I64,
    indices: I32,
    values: I64,
    words: I32,
    target_start: I64,
    indices_out: I32,
    values_out: I64,
    num_threads: int,
) -> None: ...
def add_delta(
    start_out: I64,
    length_out: I64,
    capacity_out: I64,
    indices_out: I32,
    values_out: I64,
    mass_out: I64,
    frequency_out: I64,
    totals_out: I64,
    words: I32,
    places: I32,
    delta_start: I64,
    delta_indices: I32,
    delta_values: I64,
    delta_mass: I64,
    delta_frequency: I64,
    target_start: I64,
    target_length: I64,
    target_capacity: I64,
    totals: I64,
    num_threads: int,
) -> None: ...
def renumber_columns(
    start: I64,
    length_out: I64,
    indices_out: I32,
    values_out: I64,
    number: I32,
    num_threads: int,
) -> None: ...
