"""The exponential of the kernels, beside one of 40 digits.

Its twin is checked here; that the kernel has the bits of the twin is checked in test_simplex.py.
"""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from core import reference
from hypothesis import given
from hypothesis import strategies as st


def exactly(x):
    with localcontext() as context:
        context.prec = 40
        return Decimal(x).exp()


@given(st.floats(-708.0, 709.0))
def test_it_is_right_to_5e_16(x):
    found = Decimal(float(reference.exponential(x)))
    assert abs(found / exactly(x) - 1) < Decimal("5e-16")


@pytest.mark.parametrize("x", [0.0, -0.0, 5e-324, -1e-300])
def test_nothing_is_one(x):
    assert reference.exponential(x) == 1.0


@given(st.floats(max_value=-708.0, exclude_max=True))
def test_below_the_normal_numbers_it_is_0(x):
    assert reference.exponential(x) == 0.0


def test_where_the_power_of_two_changes_it_is_as_right_as_elsewhere():
    for k in range(-1000, 1000, 37):
        middle = (k + 0.5) * float(np.log(2.0))
        for x in (np.nextafter(middle, -np.inf), middle, np.nextafter(middle, np.inf)):
            found = Decimal(float(reference.exponential(x)))
            assert abs(found / exactly(float(x)) - 1) < Decimal("5e-16")
