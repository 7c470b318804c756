// Matrix factorization: crate::interaction::mf. The sums are those of the two fields.

#define DEEP 0

__device__ float absorb(const Args &a, const Row &row, u32 c, float *sums) {
    const u32 lane = threadIdx.x % 32, part = lane / LANES, own_lane = lane % LANES;
    float sum[2][CHUNKS] = {{0}}, product = 0;
    for (u32 entry = part; entry < row.count; entry += PARTS) {
        const u32 id = row.ids[entry], field = field_of(a, id) % 2;
        const Vector vector = vector_of(a, id, c);
        const float x = row.x(entry);
        for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
            const u32 f = own_lane + chunk * LANES;
            const float t = f < WIDTH ? vector[f] * x : 0.0f;
            sum[0][chunk] += field == 0 ? t : 0.0f;
            sum[1][chunk] += field == 1 ? t : 0.0f;
        }
    }
    for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
        const u32 f = own_lane + chunk * LANES;
        for (u32 field = 0; field < 2; field++) {
            sum[field][chunk] = add_over(sum[field][chunk], LANES, 32);
            if (part == 0 && f < WIDTH) sums[field * WIDTH + f] = sum[field][chunk];
        }
        product += sum[0][chunk] * sum[1][chunk];
    }
    return add_over(product, 1, LANES);
}

__device__ __forceinline__ float backward(const float *sums, Vector, u32 field, u32 f, float) {
    return sums[(1 - field % 2) * WIDTH + f];
}

__device__ __forceinline__ float own(const Args &, u32, u32, u32) { return 0; }
