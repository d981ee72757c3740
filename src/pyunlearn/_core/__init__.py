"""Compiled kernels. They fill arrays that Python has checked and allocated; nothing here raises."""
