// The field-weighted machine: crate::interaction::fwfm. The sums are S_f, then P_f = sum_g r_fg S_g, then the squares
// sum_{i in f} |v_i x_i|^2.

#define DEEP 0

// Where the strength of a pair of fields is.
__device__ __forceinline__ u32 pair(u32 f, u32 g) { return f < g ? g * (g + 1) / 2 + f : f * (f + 1) / 2 + g; }

__device__ float absorb(const Args &a, const Row &row, u32 c, float *sums) {
    const u32 lane = threadIdx.x % 32;
    float *pulls = sums + FIELDS * WIDTH, *squares = pulls + FIELDS * WIDTH;
    const float *strengths = shared_of(a, c);
    for (u32 at = lane; at < FIELDS * WIDTH; at += 32) sums[at] = 0;
    for (u32 f = lane; f < FIELDS; f += 32) squares[f] = 0;
    for (u32 entry = 0; entry < row.count; entry++) {
        const u32 id = row.ids[entry], field = field_of(a, id);
        const Vector vector = vector_of(a, id, c);
        const float x = row.x(entry);
        float square = 0;
        __syncwarp();
        for (u32 f = lane; f < WIDTH; f += 32) {
            sums[field * WIDTH + f] += vector[f] * x;
            square += vector[f] * x * (vector[f] * x);
        }
        square = add_over(square, 1, 32);
        if (lane == 0) squares[field] += square;
    }
    __syncwarp();
    float twice = 0;
    for (u32 at = lane; at < FIELDS * WIDTH; at += 32) {
        const u32 field = at / WIDTH, f = at % WIDTH;
        float pull = 0;
        for (u32 other = 0; other < FIELDS; other++) pull += strengths[pair(field, other)] * sums[other * WIDTH + f];
        pulls[at] = pull;
        twice += sums[at] * pull;
    }
    for (u32 field = lane; field < FIELDS; field += 32) twice -= strengths[pair(field, field)] * squares[field];
    __syncwarp();
    return 0.5f * add_over(twice, 1, 32);
}

__device__ __forceinline__ float backward(const float *sums, Vector, u32 field, u32 f, float) {
    return sums[(FIELDS + field) * WIDTH + f];
}

__device__ __forceinline__ float own(const Args &a, u32 c, u32 field, u32) {
    return shared_of(a, c)[pair(field, field)];
}

// The fields of a strength.
struct Shared {
    u32 less, more;
};

__device__ Shared find_shared(u64 number) {
    u32 more = 0;
    while (pair(0, more + 1) <= number) more++;
    const Shared found = {(u32)number - pair(0, more), more};
    return found;
}

// <S_f, S_g>; of a field with itself half of what its pairs add up to twice.
__device__ float shared(const Args &, u32, const float *sums, Shared what) {
    const float *one = sums + what.less * WIDTH, *other = sums + what.more * WIDTH;
    float product = 0;
    for (u32 f = 0; f < WIDTH; f++) product += one[f] * other[f];
    return what.less == what.more ? 0.5f * (product - sums[2 * FIELDS * WIDTH + what.more]) : product;
}
