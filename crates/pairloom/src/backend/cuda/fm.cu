// The two-way machine: crate::interaction::fm. The sums are S = sum_i v_i x_i.

#define DEEP 0

__device__ float absorb(const Args &a, const Row &row, u32 c, float *sums) {
    const u32 lane = threadIdx.x % 32, part = lane / LANES, own_lane = lane % LANES;
    float sum[CHUNKS] = {0}, squares[CHUNKS] = {0}, twice = 0;
    for (u32 entry = part; entry < row.count; entry += PARTS) {
        const Vector vector = vector_of(a, row.ids[entry], c);
        const float x = row.x(entry);
        for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
            const u32 f = own_lane + chunk * LANES;
            const float t = f < WIDTH ? vector[f] * x : 0.0f;
            sum[chunk] += t;
            squares[chunk] += t * t;
        }
    }
    for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
        sum[chunk] = add_over(sum[chunk], LANES, 32);
        squares[chunk] = add_over(squares[chunk], LANES, 32);
        twice += sum[chunk] * sum[chunk] - squares[chunk];
        const u32 f = own_lane + chunk * LANES;
        if (part == 0 && f < WIDTH) sums[f] = sum[chunk];
    }
    return 0.5f * add_over(twice, 1, LANES);
}

__device__ __forceinline__ float backward(const float *sums, Vector, u32, u32 f, float) { return sums[f]; }
__device__ __forceinline__ float own(const Args &, u32, u32, u32) { return 1; }
