// What is done with a whole table, between epochs: so that it stays where it is.

// Features of this rank.
__device__ __forceinline__ u32 own_features(const Args &a) { return (a.features - a.rank + RANKS - 1) / RANKS; }

#if STATES > 0
// What the rows know of weights, by crate::backend::strengths: a block has a part of the features of a field, for a class.
KERNEL known(const __grid_constant__ Args a) {
    const u32 *part = a.parts + 3 * (u64)blockIdx.x, place = part[0], start = part[1], count = part[2] - start;
    const Rank &own = a.ranks[a.rank];
    for (u32 which = 0; which < STRENGTHS; which++) {
        // Linear weights, or one of the vectors.
        const u32 each = which == 0 ? 1 : WIDTH > 0 ? PART : 0;
        const float l2 = a.passes * a.strengths[(u64)place * STRENGTHS + which];
        double squares = 0, known = 0;
        for (u32 at = threadIdx.x; at < count * each; at += THREADS) {
            const u64 row = (u64)(start + at / each) * CLASSES + place % CLASSES;
            const float *linear = own.linear + row * (1 + STATES);
            const Stored *vector = own.factors + row * (WIDTH * (1 + STATES)) + (which - 1) * PART + at % each;
            const float w = which == 0 ? linear[0] : load(vector[0]), h = which == 0 ? linear[1] : load(vector[WIDTH]);
            const float r = h > 0 ? h / (h + l2) : 0.0f;
            squares += r * w * w;
            known += r * r;
        }
        double *to = a.known + ((u64)blockIdx.x * STRENGTHS + which) * 2;
        squares = sum_of_block(squares);
        known = sum_of_block(known);
        if (threadIdx.x > 0) continue;
        to[0] = squares;
        to[1] = known;
    }
}
#else
KERNEL known(const __grid_constant__ Args) {}
#endif

__device__ __forceinline__ bool is_finite(float x) { return fabsf(x) < (float)infinity(); }

// Whether all weights and states of this rank are finite: if one is not, the outcome has it.
KERNEL are_finite(const __grid_constant__ Args a) {
    const u64 threads = (u64)gridDim.x * blockDim.x, rows = (u64)own_features(a) * CLASSES;
    const Rank &own = a.ranks[a.rank];
    bool is = true;
    for (u64 at = global_thread(); at < rows * (1 + STATES); at += threads) is &= is_finite(own.linear[at]);
    for (u64 at = global_thread(); at < rows * (WIDTH * (1 + STATES)); at += threads) is &= is_finite(load(own.factors[at]));
    for (u64 at = global_thread(); at < CLASSES * (1 + STATES); at += threads) is &= is_finite(a.bias[at]);
    for (u64 at = global_thread(); at < (u64)SHARED * CLASSES * (1 + STATES); at += threads) is &= is_finite(a.shared[at]);
    // All that write have the same to say.
    if (!is) a.outcome->is_not_finite = 1;
}

// Copies the weights of this rank without their states.
KERNEL snapshot(const __grid_constant__ Args a) {
    const u64 threads = (u64)gridDim.x * blockDim.x, rows = (u64)own_features(a) * CLASSES;
    const Rank &own = a.ranks[a.rank];
    for (u64 row = global_thread(); row < rows; row += threads) a.linear[row] = own.linear[row * (1 + STATES)];
    const u32 each = WIDTH > 0 ? WIDTH : 1;
    for (u64 at = global_thread(); at < rows * WIDTH; at += threads) {
        a.factors[at] = own.factors[at / each * (each * (1 + STATES)) + at % each];
    }
}
