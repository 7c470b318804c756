// The field-aware machine: crate::interaction::ffm. The sums are C_gf, what field g says to field f, at
// (f * FIELDS + g) * PART.

#define DEEP 0

__device__ float absorb(const Args &a, const Row &row, u32 c, float *sums) {
    const u32 lane = threadIdx.x % 32;
    for (u32 at = lane; at < SUMS; at += 32) sums[at] = 0;
    float pairs = 0;
    for (u32 entry = 0; entry < row.count; entry++) {
        const u32 id = row.ids[entry], field = field_of(a, id);
        const Vector vectors = vector_of(a, id, c);
        const float x = row.x(entry);
        // What was said to its field, and then what it says to others.
        __syncwarp();
        for (u32 f = lane; f < WIDTH; f += 32) pairs += vectors[f] * x * sums[field * WIDTH + f];
        __syncwarp();
        for (u32 f = lane; f < WIDTH; f += 32) sums[f / PART * WIDTH + field * PART + f % PART] += vectors[f] * x;
    }
    __syncwarp();
    return add_over(pairs, 1, 32);
}

__device__ __forceinline__ float backward(const float *sums, Vector, u32 field, u32 f, float) {
    return sums[field * WIDTH + f];
}

__device__ __forceinline__ float own(const Args &, u32, u32 field, u32 f) { return f / PART == field; }
