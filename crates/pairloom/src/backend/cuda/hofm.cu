// The higher-order machine: crate::interaction::hofm. The sums are A^1 to A^t of the factors of each order t, one after
// the other.

#define LEAST (LOWER ? 2 : ORDER)
#define DEEP 1

// Where A^1 of the order of a float is.
__device__ __forceinline__ u32 place(u32 order, u32 f) {
    return (LOWER ? order * (order - 1) / 2 - 1 : 0) * PART + f % PART;
}

// Each lane has some factors and goes through all features.
__device__ float absorb(const Args &a, const Row &row, u32 c, float *sums) {
    float products = 0;
    for (u32 f = threadIdx.x % 32; f < WIDTH; f += 32) {
        const u32 order = LEAST + f / PART;
        float all[ORDER] = {0};
        for (u32 entry = 0; entry < row.count; entry++) {
            const float v = vector_of(a, row.ids[entry], c)[f] * row.x(entry);
            for (u32 t = ORDER - 1; t > 0; t--) {
                if (t < order) all[t] += v * all[t - 1];
            }
            all[0] += v;
        }
        for (u32 t = 0; t < ORDER; t++) {
            if (t < order) sums[place(order, f) + t * PART] = all[t];
            if (t == order - 1) products += all[t];
        }
    }
    return add_over(products, 1, 32);
}

// A^{t-1} of all other features.
__device__ float backward(const float *sums, Vector vector, u32, u32 f, float x) {
    const u32 order = LEAST + f / PART;
    float others = 1;
    for (u32 t = 0; t + 1 < order; t++) others = sums[place(order, f) + t * PART] - vector[f] * x * others;
    return others;
}

__device__ __forceinline__ float own(const Args &, u32, u32, u32) { return 0; }
