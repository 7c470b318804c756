// Bringing the entries of a batch from the order of its rows into that of their features.

// ---- Sums up to a place ----------------------------------------------------------------------------------------

// The sum of what the threads before this one have; `all` becomes that of all threads of the block.
__device__ u32 before_in_block(u32 mine, u32 *all) {
    __shared__ u32 warps[WARPS];
    const u32 lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    u32 sum = mine;
    for (u32 distance = 1; distance < 32; distance *= 2) {
        const u32 other = __shfl_up_sync(ALL, sum, distance);
        if (lane >= distance) sum += other;
    }
    __syncthreads();
    if (lane == 31) warps[warp] = sum;
    __syncthreads();
    u32 before = 0, total = 0;
    for (u32 at = 0; at < WARPS; at++) {
        if (at < warp) before += warps[at];
        total += warps[at];
    }
    *all = total;
    return before + sum - mine;
}

// Each number of a tile becomes the sum of those before it in the tile; the tile's sum goes to `totals`.
__device__ void sum_tile(u32 *numbers, u32 *totals, u32 length) {
    const u32 each = TILE / THREADS, first = blockIdx.x * TILE + threadIdx.x * each;
    u32 own[TILE / THREADS], mine = 0, all;
    for (u32 at = 0; at < each; at++) {
        own[at] = first + at < length ? numbers[first + at] : 0;
        mine += own[at];
    }
    u32 before = before_in_block(mine, &all);
    for (u32 at = 0; at < each; at++) {
        if (first + at < length) numbers[first + at] = before;
        before += own[at];
    }
    if (threadIdx.x == 0) totals[blockIdx.x] = all;
}

// One block: the sums of tiles become sums of those before them.
__device__ void sum_totals(u32 *totals, u32 tiles) {
    u32 before = 0;
    for (u32 first = 0; first < tiles; first += THREADS) {
        const u32 at = first + threadIdx.x;
        const u32 mine = at < tiles ? totals[at] : 0;
        u32 all;
        const u32 within = before_in_block(mine, &all);
        if (at < tiles) totals[at] = before + within;
        before += all;
    }
}

__device__ void add_totals(u32 *numbers, const u32 *totals, u32 length) {
    for (u32 at = threadIdx.x; at < TILE; at += THREADS) {
        const u32 place = blockIdx.x * TILE + at;
        if (place < length) numbers[place] += totals[blockIdx.x];
    }
}

// ---- Bringing entries from rows to features: a stable radix sort ----------------------------------------------------

// By their keys features of the same rank lie side by side, in their order: of rank r they begin at r times this.
__device__ __forceinline__ u32 features_of_a_rank(const Args &a) { return (a.features + RANKS - 1) / RANKS; }

__device__ __forceinline__ u32 key_of(const Args &a, u32 feature) {
    return feature % RANKS * features_of_a_rank(a) + feature / RANKS;
}

__device__ __forceinline__ u32 feature_of(const Args &a, u32 key) {
    if (RANKS == 1) return key;
    const u32 share = features_of_a_rank(a);
    return key % share * RANKS + key / share;
}

// How often each digit is in each tile.
KERNEL digits(const __grid_constant__ Args a) {
    __shared__ u32 found[DIGITS];
    const u32 entries = a.offsets[a.rows];
    for (u32 digit = threadIdx.x; digit < DIGITS; digit += THREADS) found[digit] = 0;
    __syncthreads();
    for (u32 at = threadIdx.x; at < TILE; at += THREADS) {
        const u32 place = blockIdx.x * TILE + at;
        if (place < entries) atomicAdd(&found[a.keys[a.side][place] >> a.shift & (DIGITS - 1)], 1);
    }
    __syncthreads();
    for (u32 digit = threadIdx.x; digit < DIGITS; digit += THREADS) {
        a.counts[(u64)digit * a.tiles + blockIdx.x] = found[digit];
    }
}

KERNEL digits_in_tiles(const __grid_constant__ Args a) { sum_tile(a.counts, a.totals, a.length); }
KERNEL digits_of_tiles(const __grid_constant__ Args a) { sum_totals(a.totals, (a.length + TILE - 1) / TILE); }
KERNEL digits_before(const __grid_constant__ Args a) { add_totals(a.counts, a.totals, a.length); }

// Each entry goes to its place: after all of lesser digits, and after those of its own that come before it.
KERNEL scatter(const __grid_constant__ Args a) {
    __shared__ u32 next[DIGITS];
    __shared__ u32 warps[WARPS][DIGITS];
    const u32 entries = a.offsets[a.rows], lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (u32 digit = threadIdx.x; digit < DIGITS; digit += THREADS) {
        next[digit] = a.counts[(u64)digit * a.tiles + blockIdx.x];
    }
    for (u32 first = 0; first < TILE; first += THREADS) {
        const u32 place = blockIdx.x * TILE + first + threadIdx.x;
        const bool is_there = place < entries;
        const u32 key = is_there ? a.keys[a.side][place] : 0;
        const u32 digit = key >> a.shift & (DIGITS - 1);
        for (u32 other = lane; other < DIGITS; other += 32) warps[warp][other] = 0;
        __syncwarp();
        // Lanes that are not there are alike among each other, and unlike all others.
        const u32 same = __match_any_sync(ALL, is_there ? digit : DIGITS);
        const u32 before = __popc(same & ((1u << lane) - 1));
        if (is_there && before == 0) warps[warp][digit] = __popc(same);
        __syncthreads();
        u32 to = next[digit] + before;
        for (u32 other = 0; other < warp; other++) to += warps[other][digit];
        if (is_there) {
            a.keys[1 - a.side][to] = key;
            a.places[1 - a.side][to] = a.places[a.side][place];
        }
        __syncthreads();
        for (u32 each = threadIdx.x; each < DIGITS; each += THREADS) {
            for (u32 other = 0; other < WARPS; other++) next[each] += warps[other][each];
        }
        __syncthreads();
    }
}
