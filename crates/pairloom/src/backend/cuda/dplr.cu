// The low-rank field-weighted machine: crate::interaction::dplr. The sums are S_f, then
// P_f = sum_t e_t u_tf (T_t - u_tf S_f), then T_t = sum_f u_tf S_f, then |S_f|^2. The shared numbers are e, then U row
// after row.

#define DEEP 0

__device__ float absorb(const Args &a, const Row &row, u32 c, float *sums) {
    const u32 lane = threadIdx.x % 32;
    float *pulls = sums + FIELDS * WIDTH, *low = pulls + FIELDS * WIDTH, *squares = low + RANK * WIDTH;
    const float *e = shared_of(a, c), *u = e + RANK;
    sum_by_field(a, row, c, sums);
    for (u32 at = lane; at < RANK * WIDTH; at += 32) {
        const u32 t = at / WIDTH, f = at % WIDTH;
        float sum = 0;
        for (u32 field = 0; field < FIELDS; field++) sum += u[t * FIELDS + field] * sums[field * WIDTH + f];
        low[at] = sum;
    }
    for (u32 field = lane; field < FIELDS; field += 32) {
        const float *of_field = sums + field * WIDTH;
        float square = 0;
        for (u32 f = 0; f < WIDTH; f++) square += of_field[f] * of_field[f];
        squares[field] = square;
    }
    __syncwarp();
    float twice = 0;
    for (u32 at = lane; at < FIELDS * WIDTH; at += 32) {
        const u32 field = at / WIDTH, f = at % WIDTH;
        float pull = 0;
        for (u32 t = 0; t < RANK; t++) {
            const float u_tf = u[t * FIELDS + field];
            pull += e[t] * u_tf * (low[t * WIDTH + f] - u_tf * sums[at]);
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

// Pairs within a field do not count: P_f is without them.
__device__ __forceinline__ float own(const Args &, u32, u32, u32) { return 0; }

// The row of U, and the field; FIELDS of a number of e.
struct Shared {
    u32 t, field;
};

__device__ Shared find_shared(u64 number) {
    const u32 at = (u32)number - RANK;
    const Shared of_e = {(u32)number, FIELDS}, of_u = {at / FIELDS, at % FIELDS};
    return number < RANK ? of_e : of_u;
}

// (|T_t|^2 - sum_f u_tf^2 |S_f|^2) / 2 by e_t, and e_t (<T_t, S_f> - u_tf |S_f|^2) by u_tf.
__device__ float shared(const Args &a, u32 c, const float *sums, Shared what) {
    const float *e = shared_of(a, c), *u = e + RANK + what.t * FIELDS;
    const float *low = sums + (2 * FIELDS + what.t) * WIDTH, *squares = sums + (2 * FIELDS + RANK) * WIDTH;
    const bool is_e = what.field == FIELDS;
    const float *other = is_e ? low : sums + what.field * WIDTH;
    float product = 0;
    for (u32 f = 0; f < WIDTH; f++) product += low[f] * other[f];
    if (!is_e) return e[what.t] * (product - u[what.field] * squares[what.field]);
    for (u32 field = 0; field < FIELDS; field++) product -= u[field] * u[field] * squares[field];
    return 0.5f * product;
}
