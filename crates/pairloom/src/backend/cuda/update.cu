// The second half of a step: gradients summed per feature, one update each.

// Whether a row of the batch, on any rank, has a loss that is not finite.
__device__ __forceinline__ bool is_stopped(const Args &a) {
    bool is = false;
    for (u32 rank = 0; rank < RANKS; rank++) is |= a.ranks[rank].outcome->bad != NONE;
    return is;
}

// The entries of the batch on all ranks.
__device__ __forceinline__ u64 all_entries(const Args &a) {
    u64 entries = 0;
    for (u32 rank = 0; rank < RANKS; rank++) entries += a.ranks[rank].outcome->entries;
    return entries;
}

// Whether the entries of a feature begin at a place.
__device__ __forceinline__ bool is_head(const Args &a, u32 at) {
    return at == 0 || a.keys[a.side][at] != a.keys[a.side][at - 1];
}

KERNEL heads(const __grid_constant__ Args a) {
    const u32 at = (u32)global_thread(), entries = a.offsets[a.rows];
    if (at < a.length) a.flags[at] = at < entries && (at % PIECE == 0 || is_head(a, at));
}

KERNEL heads_in_tiles(const __grid_constant__ Args a) { sum_tile(a.flags, a.totals, a.length); }
KERNEL heads_of_tiles(const __grid_constant__ Args a) { sum_totals(a.totals, a.tiles); }
KERNEL pieces(const __grid_constant__ Args a) {
    const u32 at = (u32)global_thread(), entries = a.offsets[a.rows];
    if (at >= entries) return;
    const u32 piece = a.flags[at] + a.totals[at / TILE];
    const bool begins = at % PIECE == 0 || is_head(a, at);
    if (begins) a.pieces[piece] = at;
    if (at == entries - 1) {
        a.outcome->pieces = piece + begins;
        a.pieces[piece + begins] = entries;
    }
}

__device__ __forceinline__ float least(float z, float strength, float l1, float l2) {
    const float beyond = fabsf(z) - l1;
    return beyond > 0 ? -copysignf(beyond, z) / (strength + l2) : 0.0f;
}

// What all parameters of a step have: penalties, and a momentum.
struct Moment {
    float l1, l2, momentum;
};

// One step of one parameter, whose state lies `apart` from it: crate::optimizer.
__device__ __forceinline__ void step(const Args &a, float *p, u64 apart, float g, const Moment &now) {
    switch (a.optimizer) {
        case SGD:
            *p -= a.rate * g;
            return;
        case ADAGRAD: {
            const float sum = p[apart] + g * g;
            p[apart] = sum;
            if (STATES > 1 && now.momentum > 0) {
                const float own = (1.0f - now.momentum) * g, mean = now.momentum * p[2 * apart] + own;
                p[2 * apart] = mean;
                g = now.momentum * mean + own;
            }
            *p -= a.rate * g / sqrtf(1.0f + sum);
            return;
        }
        case ADAM:
        case ADAM_DENSE: {
            const float m = 0.9f * p[apart] + (1.0f - 0.9f) * g;
            const float s = 0.999f * p[2 * apart] + (1.0f - 0.999f) * g * g;
            p[apart] = m;
            p[2 * apart] = s;
            *p -= a.corrected * m / (sqrtf(s) * a.root + 1e-8f);
            return;
        }
        case FTRL: {
            const float n = p[2 * apart] + g * g, w = *p;
            const float strength = (1.0f + sqrtf(n)) / a.rate;
            const float z = p[apart] + g - strength * w;
            const float moved = least(z, strength, now.l1, now.l2);
            p[2 * apart] = n;
            *p = moved;
            p[apart] = z + strength * moved;
            return;
        }
    }
}

// A factor and its state, as floats.
struct Factor {
    float numbers[1 + STATES];
};

__device__ __forceinline__ Factor open(const Args &a, u32 feature, u32 c, u32 f) {
    Factor v;
    const Stored *numbers = factors_of(a, feature, c);
    for (u32 at = 0; at < 1 + STATES; at++) v.numbers[at] = load(numbers[at * WIDTH + f]);
    return v;
}

__device__ __forceinline__ void close(const Args &a, u32 feature, u32 c, u32 f, const Factor &v) {
    const u32 chance = chance_of(a.time, feature * CLASSES + c);
    for (u32 at = 0; at < 1 + STATES; at++) {
        const u32 place = at * WIDTH + f;
        factors_of(a, feature, c)[place] = store(v.numbers[at], chance, place);
    }
}

// What a warp has added up of a feature's entries, for a class: lane by lane, and w and squares in all lanes.
struct Gradient {
    float of_vector[CHUNKS];
    float w;
    float squares;
};

// Moves the weights of a feature of this rank that has so many of the batch's entries.
__device__ void move(const Args &a, u32 feature, u32 c, u32 count, const Gradient &g) {
    const u32 lane = threadIdx.x % 32, part = lane / LANES, own_lane = lane % LANES;
    const u32 field = field_of(a, feature);
    const float *strengths = a.strengths + ((u64)field * CLASSES + c) * STRENGTHS;
    const u32 carried = a.count[feature / RANKS];
    const bool takes = a.optimizer == FTRL;
    const float share = takes ? 0.0f : (float)count / (float)(carried > 0 ? carried : 1);
    const float passes = takes ? (float)(a.learned + all_entries(a)) * a.all : 0.0f, most = 1.0f / a.rate;
    // crate::optimizer::faded: in so many of the steps it has a gradient.
    const float steps = (float)(carried > 0 ? carried : 1) * ((float)all_entries(a) * a.all);
    const float momentum = a.momentum > 0 ? powf(a.momentum, 1.0f / fminf(steps, 1.0f)) : 0.0f;
    if (part == 0) {
        for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
            const u32 f = own_lane + chunk * LANES;
            if (f >= WIDTH) continue;
            Factor v = open(a, feature, c, f);
            const float l2 = fminf(share * strengths[1 + f / PART], most), itself = own(a, c, field, f) * g.squares;
            const float gradient = l2 * v.numbers[0] + g.of_vector[chunk] - itself * v.numbers[0];
            step(a, v.numbers, 1, gradient, {a.l1_factors * passes, a.l2_factors * passes, momentum});
            // Products of many such would be smaller than floats are.
            if (DEEP && fabsf(v.numbers[0]) < 1e-12f) v.numbers[0] = 0;
            close(a, feature, c, f, v);
        }
    }
    if (lane == 0 && a.learns_linear) {
        float *w = linear_of(a, feature, c);
        const float gradient = g.w + fminf(share * strengths[0], most) * *w;
        step(a, w, 1, gradient, {a.l1_linear * passes, a.l2_linear * passes, momentum});
    }
    if (lane == 0 && c == 0 && a.touched) a.touched[feature / RANKS] = a.time;
}

// Where the gradient of a piece is kept. Of one rank only those are whose feature has others: one that goes on from
// the block of entries before, or one that begins in its block.
__device__ __forceinline__ float *kept(const Args &a, u32 piece, u32 c) {
    const u32 start = a.pieces[piece];
    const u32 slot = RANKS > 1 ? piece : 2 * (start / PIECE) + is_head(a, start);
    return a.gradients + ((u64)slot * CLASSES + c) * KEPT;
}

// Keeps what was added up of so many entries.
__device__ __forceinline__ void keep(float *to, const Gradient &g, u32 count) {
    const u32 lane = threadIdx.x % 32, own_lane = lane % LANES;
    for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
        const u32 f = own_lane + chunk * LANES;
        if (lane < LANES && f < WIDTH) to[f] = g.of_vector[chunk];
    }
    if (lane > 0) return;
    to[WIDTH] = g.w;
    to[WIDTH + 1] = g.squares;
    to[WIDTH + 2] = __uint_as_float(count);
}

// Adds what was kept; returns of how many entries.
__device__ __forceinline__ u32 add_kept(const float *from, Gradient *g) {
    for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
        const u32 f = threadIdx.x % LANES + chunk * LANES;
        if (f < WIDTH) g->of_vector[chunk] += from[f];
    }
    g->w += from[WIDTH];
    g->squares += from[WIDTH + 1];
    return __float_as_uint(from[WIDTH + 2]);
}

// Adds up pieces; a feature that has only one is moved, if there are no other ranks.
KERNEL update(const __grid_constant__ Args a) {
    const u32 warps = gridDim.x * blockDim.x / 32;
    const u32 lane = threadIdx.x % 32, part = lane / LANES, own_lane = lane % LANES;
    if (a.outcome->bad != NONE) return;
    const u32 entries = a.offsets[a.rows];
    for (u32 piece = (u32)(global_thread() / 32); piece < a.outcome->pieces; piece += warps) {
        const u32 start = a.pieces[piece], end = a.pieces[piece + 1];
        const u32 feature = feature_of(a, a.keys[a.side][start]), field = field_of(a, feature);
        const bool alone = is_head(a, start) && (end == entries || is_head(a, end));
        for (u32 c = 0; c < CLASSES; c++) {
            const Vector vector = vector_of(a, feature, c);
            Gradient g = {{0}, 0, 0};
            for (u32 entry = start + part; entry < end; entry += PARTS) {
                const u32 place = a.places[a.side][entry];
                const u64 row = (u64)a.entry_row[place] * CLASSES + c;
                const float x = a.entry_x[place], slope = a.slopes[row], *sums = a.sums + row * SUMS;
                for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
                    const u32 f = own_lane + chunk * LANES;
                    if (f < WIDTH) g.of_vector[chunk] += slope * x * backward(sums, vector, field, f, x);
                }
                g.w += slope * x;
                g.squares += slope * x * x;
            }
            for (u32 chunk = 0; chunk < CHUNKS; chunk++) g.of_vector[chunk] = add_over(g.of_vector[chunk], LANES, 32);
            g.w = add_over(g.w, LANES, 32);
            g.squares = add_over(g.squares, LANES, 32);
            if (alone && RANKS == 1) move(a, feature, c, end - start, g);
            else keep(kept(a, piece, c), g, end - start);
        }
    }
}

// Adds up the features that have several pieces, one piece after the other, and moves them, if there are no other ranks.
KERNEL combine(const __grid_constant__ Args a) {
    const u32 warps = gridDim.x * blockDim.x / 32;
    if (a.outcome->bad != NONE) return;
    const u32 entries = a.offsets[a.rows];
    for (u32 piece = (u32)(global_thread() / 32); piece < a.outcome->pieces; piece += warps) {
        const u32 start = a.pieces[piece];
        u32 end = a.pieces[piece + 1];
        if (!is_head(a, start) || end == entries || is_head(a, end)) continue;
        u32 last = piece;
        while (end < entries && !is_head(a, end)) end = a.pieces[++last + 1];
        for (u32 c = 0; c < CLASSES; c++) {
            Gradient g = {{0}, 0, 0};
            for (u32 each = piece; each <= last; each++) add_kept(kept(a, each, c), &g);
            if (RANKS == 1) {
                move(a, a.keys[a.side][start], c, end - start, g);
                continue;
            }
            // All lanes have read what the first piece kept.
            __syncwarp();
            keep(kept(a, piece, c), g, end - start);
        }
    }
}

#if RANKS > 1
// The first piece of a rank whose key is not below this one, at or after `from`.
__device__ u32 first_piece(const Rank &rank, u32 from, u32 to, u32 key) {
    while (from < to) {
        const u32 middle = (from + to) / 2;
        if (rank.keys[rank.pieces[middle]] < key) from = middle + 1; else to = middle;
    }
    return from;
}

// Moves the features of this rank by what all ranks have added up of them, in the order of the ranks. A warp has a
// feature: where it is on each rank its first lanes look up side by side.
KERNEL merge(const __grid_constant__ Args a) {
    if (is_stopped(a)) return;
    const u32 warps = gridDim.x * blockDim.x / 32, lane = threadIdx.x % 32, share = features_of_a_rank(a);
    const Rank &own = a.ranks[lane < RANKS ? lane : 0];
    const u32 pieces = lane < RANKS ? own.outcome->pieces : 0;
    const u32 begin = first_piece(own, 0, pieces, a.rank * share);
    const u32 end = first_piece(own, begin, pieces, (a.rank + 1) * share);
    u32 all = 0;
    for (u32 rank = 0; rank < RANKS; rank++) all += __shfl_sync(ALL, end - begin, rank);
    for (u32 item = (u32)(global_thread() / 32); item < all; item += warps) {
        u32 of = 0, before = 0;
        for (u32 count; item >= before + (count = __shfl_sync(ALL, end - begin, of)); of++) before += count;
        const u32 start = a.ranks[of].pieces[__shfl_sync(ALL, begin, of) + item - before];
        const u32 key = a.ranks[of].keys[start];
        // What goes on from the piece before was added to that.
        if (start > 0 && a.ranks[of].keys[start - 1] == key) continue;
        const u32 at = first_piece(own, begin, end, key);
        const bool is_there = at < end && own.keys[own.pieces[at]] == key;
        const u32 found = __ballot_sync(ALL, is_there);
        // The first rank that has it is where it is looked at.
        if (found & ((1u << of) - 1)) continue;
        for (u32 c = 0; c < CLASSES; c++) {
            Gradient g = {{0}, 0, 0};
            u32 count = 0;
            for (u32 rank = of; rank < RANKS; rank++) {
                const u32 piece = __shfl_sync(ALL, at, rank);
                if (!(found >> rank & 1)) continue;
                count += add_kept(a.ranks[rank].gradients + ((u64)piece * CLASSES + c) * KEPT, &g);
            }
            move(a, feature_of(a, key), c, count, g);
        }
    }
}
#else
KERNEL merge(const __grid_constant__ Args) {}
#endif

// Moves the features that the batch has not, for optimizers that move all.
KERNEL untouched(const __grid_constant__ Args a) {
    if (is_stopped(a)) return;
    // Whoever has the first float of a feature moves its linear weight too.
    const u32 threads = gridDim.x * blockDim.x, each = WIDTH > 0 ? WIDTH : 1;
    for (u64 at = global_thread(); at < (u64)features_of_a_rank(a) * CLASSES * each; at += threads) {
        const u64 of_class = at / each;
        const u32 f = (u32)(at % each), c = (u32)(of_class % CLASSES);
        const u32 feature = (u32)(of_class / CLASSES) * RANKS + a.rank;
        if (feature >= a.features || a.touched[feature / RANKS] == a.time) continue;
        if (f < WIDTH) {
            Factor v = open(a, feature, c, f);
            step(a, v.numbers, 1, 0, {0, 0, 0});
            close(a, feature, c, f, v);
        }
        if (f == 0 && a.learns_linear) step(a, linear_of(a, feature, c), 1, 0, {0, 0, 0});
    }
}

#if SHARED > 0
// The gradients of what belongs to no feature, from each of some parts of the rows. A lane has a number and the next
// lane the next, so that a warp reads what lies side by side; the warps of a block share the rows of a part.
KERNEL shared_gradients(const __grid_constant__ Args a) {
    __shared__ float sums[WARPS][32];
    if (a.outcome->bad != NONE) return;
    const u32 lane = threadIdx.x % 32, warp = threadIdx.x / 32, part = blockIdx.x % a.tiles;
    const u64 number = (u64)(blockIdx.x / a.tiles) * 32 + lane, numbers = (u64)SHARED * CLASSES;
    const u32 each = (a.rows + a.tiles - 1) / a.tiles, start = part * each;
    const u32 end = start + each < a.rows ? start + each : a.rows;
    float gradient = 0;
    if (number < numbers) {
        const u32 c = (u32)(number / SHARED);
        const Shared what = find_shared(number % SHARED);
        for (u32 row = start + warp; row < end; row += WARPS) {
            const u64 slot = (u64)row * CLASSES + c;
            gradient += a.slopes[slot] * shared(a, c, a.sums + slot * SUMS, what);
        }
    }
    sums[warp][lane] = gradient;
    __syncthreads();
    if (warp > 0 || number >= numbers) return;
    for (u32 other = 1; other < WARPS; other++) gradient += sums[other][lane];
    a.shared_sums[part * numbers + number] = gradient;
}

// Moves what belongs to no feature.
KERNEL shared_numbers(const __grid_constant__ Args a) {
    const u64 number = global_thread(), numbers = (u64)SHARED * CLASSES;
    if (number >= numbers || is_stopped(a)) return;
    float gradient = 0;
    for (u32 rank = 0; rank < RANKS; rank++) {
        const Rank &from = a.ranks[rank];
        for (u32 part = 0; part < from.outcome->parts; part++) gradient += from.shared_sums[part * numbers + number];
    }
    step(a, a.shared + number, numbers, gradient, {0, 0, a.momentum});
}
#else
KERNEL shared_gradients(const __grid_constant__ Args) {}
KERNEL shared_numbers(const __grid_constant__ Args) {}
#endif

// The bias of each class.
KERNEL biases(const __grid_constant__ Args a) {
    const u32 c = (u32)global_thread();
    if (c >= CLASSES || is_stopped(a) || !a.learns_bias) return;
    double slopes = 0;
    for (u32 rank = 0; rank < RANKS; rank++) {
        const u32 tiles = (a.ranks[rank].outcome->rows + TILE - 1) / TILE;
        for (u32 tile = 0; tile < tiles; tile++) slopes += a.ranks[rank].partial[(u64)tile * (2 + CLASSES) + 2 + c];
    }
    step(a, a.bias + c, CLASSES, (float)slopes, {0, 0, a.momentum});
}
