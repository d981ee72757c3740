/* The plainest loops that do what a kernel's innermost loop does: its bound on this machine. */
#include <stdint.h>

/* Counting: add to the places that an index array names. */
void increment(const int32_t *columns, const int32_t *counts, int64_t n, int64_t *places) {
    for (int64_t i = 0; i < n; i++)
        places[columns[i]] += counts[i];
}

/* Rows of B: 16 sums in registers, weights from the first-level cache (256 rows of 16). */
double multiply_add(const double *weights, const double *values, int64_t n) {
    double sums[16] = {0.0}, total = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double *row = weights + (i & 255) * 16;
        double value = values[i & 255];
        for (int k = 0; k < 16; k++)
            sums[k] += row[k] * value;
    }
    for (int k = 0; k < 16; k++)
        total += sums[k];
    return total;
}
