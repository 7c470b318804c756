// The field-matrixed machine: crate::interaction::fmfm. The sums are S_f, then P_f = sum_g M_fg S_g, then for each
// field whether the row has it.

#define DEEP 0

// Which matrix two different fields have; it has a row for each factor of the later one.
__device__ __forceinline__ u32 place(u32 earlier, u32 later) { return later * (later - 1) / 2 + earlier; }

__device__ float absorb(const Args &a, const Row &row, u32 c, float *sums) {
    const u32 lane = threadIdx.x % 32;
    float *pulls = sums + FIELDS * WIDTH, *seen = pulls + FIELDS * WIDTH;
    for (u32 field = lane; field < FIELDS; field += 32) seen[field] = 0;
    sum_by_field(a, row, c, sums);
    for (u32 entry = lane; entry < row.count; entry += 32) seen[field_of(a, row.ids[entry])] = 1;
    __syncwarp();
    float twice = 0;
    for (u32 at = lane; at < FIELDS * WIDTH; at += 32) {
        const u32 field = at / WIDTH, f = at % WIDTH;
        if (seen[field] == 0) continue;
        float pull = 0;
        for (u32 other = 0; other < FIELDS; other++) {
            if (other == field || seen[other] == 0) continue;
            // M, or for an earlier field its transpose: what is added up is a row, or a column.
            const bool is_row = other < field;
            const u64 matrix = is_row ? place(other, field) : place(field, other);
            const float *m = shared_of(a, c) + matrix * (WIDTH * WIDTH) + (is_row ? f * WIDTH : f);
            const u32 next = is_row ? 1 : WIDTH;
            for (u32 g = 0; g < WIDTH; g++) pull += m[g * next] * sums[other * WIDTH + g];
        }
        pulls[at] = pull;
        twice += sums[at] * pull;
    }
    __syncwarp();
    return 0.5f * add_over(twice, 1, 32);
}

__device__ __forceinline__ float backward(const float *sums, Vector, u32 field, u32 f, float) {
    return sums[(FIELDS + field) * WIDTH + f];
}

// Pairs within a field do not count.
__device__ __forceinline__ float own(const Args &, u32, u32, u32) { return 0; }

// Where the two factors are that a number of a matrix brings together.
struct Shared {
    u32 of_later, of_earlier;
};

__device__ Shared find_shared(u64 number) {
    const u32 matrix = (u32)(number / (WIDTH * WIDTH)), at = (u32)(number % (WIDTH * WIDTH));
    u32 later = 1;
    while (place(0, later + 1) <= matrix) later++;
    const u32 earlier = matrix - place(0, later);
    const Shared found = {later * WIDTH + at / WIDTH, earlier * WIDTH + at % WIDTH};
    return found;
}

// S_f S_g^T.
__device__ __forceinline__ float shared(const Args &, u32, const float *sums, Shared what) {
    return sums[what.of_later] * sums[what.of_earlier];
}
