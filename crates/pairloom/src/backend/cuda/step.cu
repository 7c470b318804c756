// ---- Laying a batch out ----------------------------------------------------------------------------------------

KERNEL lengths(const Args a) {
    const u32 at = (u32)global_thread();
    if (at < a.rows) a.offsets[at] = (u32)(a.starts[row_of(a, at) + 1] - a.starts[row_of(a, at)]);
    if (at == a.rows) a.offsets[at] = 0;
}

KERNEL offsets_in_tiles(const Args a) { sum_tile(a.offsets, a.totals, a.rows + 1); }
KERNEL offsets_of_tiles(const Args a) { sum_totals(a.totals, a.tiles); }
KERNEL offsets(const Args a) {
    add_totals(a.offsets, a.totals, a.rows + 1);
}

// ---- The first half: rows to scores, losses and slopes --------------------------------------------------------------

// The loss of a score beside a label, and its derivative: crate::loss.
__device__ double loss_of(const Args &a, double score, double label, double *slope) {
    const double error = score - label;
    switch (a.loss) {
        case LOGISTIC: {
            const double e = exp(-fabs(score));
            *slope = (score < 0 ? e : 1.0) / (1.0 + e) - label;
            return (score > 0 ? score : 0.0) + log1p(e) - label * score;
        }
        case SQUARED:
            *slope = error;
            return 0.5 * error * error;
        case POISSON: {
            const double mean = exp(score), log_ratio = label > 0 ? score - log(label) : 0.0;
            *slope = mean - label;
            return mean - label - label * log_ratio;
        }
        case HUBER:
            *slope = error > a.number ? a.number : error < -a.number ? -a.number : error;
            return *slope * (error - 0.5 * *slope);
        case QUANTILE:
            *slope = error < 0 ? -a.number : error > 0 ? 1.0 - a.number : 0.0;
            return *slope * error;
        default:
            *slope = 0;
            return 0;
    }
}

// The loss of a row whose class is number `label`; its scores become slopes: crate::loss::softmax.
__device__ double softmax(float *scores, double label, double weight) {
    double greatest = -infinity(), sum = 0;
    for (u32 at = 0; at < CLASSES; at++) greatest = scores[at] > greatest ? scores[at] : greatest;
    for (u32 at = 0; at < CLASSES; at++) sum += exp(scores[at] - greatest);
    const bool is_class = label >= 0 && label < CLASSES && label == floor(label);
    const double value = is_class ? log(sum) + (greatest - scores[(u32)(is_class ? label : 0)]) : infinity() - infinity();
    for (u32 at = 0; at < CLASSES; at++) {
        scores[at] = (float)(weight * (exp(scores[at] - greatest) / sum - (at == label)));
    }
    return weight * value;
}

// A warp for each row. In training it also writes down the row's entries, to be sorted.
__device__ void score_row(const Args &a, u32 at, u32 row, bool trains) {
    const u32 lane = threadIdx.x % 32;
    const u64 start = a.starts[row];
    const u32 count = (u32)(a.starts[row + 1] - start);
    for (u32 entry = lane; trains && entry < count; entry += 32) {
        const u32 place = a.offsets[at] + entry;
        a.keys[0][place] = a.ids[start + entry];
        a.places[0][place] = place;
        a.entry_row[place] = at;
        a.entry_x[place] = x_of(a, start + entry);
    }
    for (u32 c = 0; c < CLASSES; c++) {
        float weights = 0;
        for (u32 entry = lane; entry < count; entry += 32) {
            const u64 feature = (u64)a.ids[start + entry] * CLASSES + c;
            weights += a.linear[feature * (1 + STATES)] * x_of(a, start + entry);
        }
        weights = add_over(weights, 1, 32);
        const u64 slot = (u64)at * CLASSES + c;
        const float pairs = absorb(a, start, count, c, a.sums + slot * SUMS);
        if (lane == 0) a.slopes[slot] = a.bias[c] + (weights + pairs);
    }
}

KERNEL forward(const Args a) {
    const u32 at = (u32)(global_thread() / 32);
    if (at >= a.rows) return;
    const u32 row = row_of(a, at);
    score_row(a, at, row, true);
    if (threadIdx.x % 32 != 0 || a.loss == RANKED) return;
    // What were scores becomes slopes.
    float *scores = a.slopes + (u64)at * CLASSES;
    const double label = (a.labels[row] - a.mean) / a.scale, weight = a.weights ? a.weights[row] : 1.0;
    if (a.loss == SOFTMAX) {
        a.losses[at] = softmax(scores, label, weight);
        return;
    }
    double slope;
    const double loss = loss_of(a, scores[0], label, &slope);
    scores[0] = (float)(weight * slope);
    a.losses[at] = weight * loss;
}

// Scores of rows one after the other.
KERNEL scores(const Args a) {
    const u32 at = (u32)(global_thread() / 32);
    if (at < a.rows) score_row(a, at, at, false);
}

// ---- What a batch has cost --------------------------------------------------------------------------------------

// The sums of a thread's numbers become those of the block, in thread 0.
__device__ double sum_of_block(double mine) {
    __shared__ double sums[THREADS];
    __syncthreads();
    sums[threadIdx.x] = mine;
    __syncthreads();
    for (u32 half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }
    return sums[0];
}

// Sums of losses and slopes of TILE rows each, and the first row whose loss is not finite.
KERNEL costs(const Args a) {
    double loss = 0;
    for (u32 at = threadIdx.x; at < TILE; at += THREADS) {
        const u32 row = blockIdx.x * TILE + at;
        if (row < a.rows) {
            const double own = a.losses[row];
            if (!(fabs(own) < infinity())) atomicMin(&a.outcome->bad, row);
            loss += own;
        }
    }
    loss = sum_of_block(loss);
    if (threadIdx.x == 0) a.partial[(u64)blockIdx.x * (1 + CLASSES)] = loss;
    for (u32 c = 0; c < CLASSES; c++) {
        double slopes = 0;
        for (u32 at = threadIdx.x; at < TILE; at += THREADS) {
            const u32 row = blockIdx.x * TILE + at;
            if (row < a.rows) slopes += a.slopes[(u64)row * CLASSES + c];
        }
        slopes = sum_of_block(slopes);
        if (threadIdx.x == 0) a.partial[(u64)blockIdx.x * (1 + CLASSES) + 1 + c] = slopes;
    }
}

// One thread: the loss of the batch, before anything is moved.
KERNEL cost(const Args a) {
    if (global_thread() != 0) return;
    double loss = 0;
    for (u32 tile = 0; tile < a.tiles; tile++) loss += a.partial[(u64)tile * (1 + CLASSES)];
    a.outcome->loss = loss;
    if (a.outcome->bad == NONE) a.outcome->learned += a.offsets[a.rows];
}

// ---- The second half: gradients summed per feature, one update each -------------------------------------------------

// Whether the entries of a feature begin at a place.
__device__ __forceinline__ bool is_head(const Args &a, u32 at) {
    return at == 0 || a.keys[a.side][at] != a.keys[a.side][at - 1];
}

KERNEL heads(const Args a) {
    const u32 at = (u32)global_thread(), entries = a.offsets[a.rows];
    if (at < a.length) a.flags[at] = at < entries && (at % PIECE == 0 || is_head(a, at));
}

KERNEL heads_in_tiles(const Args a) { sum_tile(a.flags, a.totals, a.length); }
KERNEL heads_of_tiles(const Args a) { sum_totals(a.totals, a.tiles); }
KERNEL pieces(const Args a) {
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
    for (u32 at = 0; at < 1 + STATES; at++) v.numbers[at] = load(a.factors[place_of(feature, c) + at * WIDTH + f]);
    return v;
}

__device__ __forceinline__ void close(const Args &a, u32 feature, u32 c, u32 f, const Factor &v) {
    const u32 chance = chance_of(a.time, feature * CLASSES + c);
    for (u32 at = 0; at < 1 + STATES; at++) {
        const u32 place = at * WIDTH + f;
        a.factors[place_of(feature, c) + place] = store(v.numbers[at], chance, place);
    }
}

// What a warp has added up of a feature's entries, for a class: lane by lane, and w and squares in all lanes.
struct Gradient {
    float of_vector[CHUNKS];
    float w;
    float squares;
};

// Moves the weights of a feature that has so many of the batch's entries.
__device__ void move(const Args &a, u32 feature, u32 c, u32 count, const Gradient &g) {
    const u32 lane = threadIdx.x % 32, part = lane / LANES, own_lane = lane % LANES;
    const u64 of_class = (u64)feature * CLASSES + c;
    const u32 field = field_of(a, feature);
    const float *strengths = a.strengths + ((u64)field * CLASSES + c) * STRENGTHS;
    const u32 carried = a.count[feature];
    const bool takes = a.optimizer == FTRL;
    const float share = takes ? 0.0f : (float)count / (float)(carried > 0 ? carried : 1);
    const float passes = takes ? (float)a.outcome->learned * a.all : 0.0f, most = 1.0f / a.rate;
    // crate::optimizer::faded: in so many of the steps it has a gradient.
    const float steps = (float)(carried > 0 ? carried : 1) * ((float)a.offsets[a.rows] * a.all);
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
        float *w = a.linear + of_class * (1 + STATES);
        const float gradient = g.w + fminf(share * strengths[0], most) * *w;
        step(a, w, 1, gradient, {a.l1_linear * passes, a.l2_linear * passes, momentum});
    }
    if (lane == 0 && c == 0 && a.touched) a.touched[feature] = a.time;
}

// Where the gradient of a piece is kept whose feature has others: one that goes on from the block of entries before,
// or one that begins in its block.
__device__ __forceinline__ float *kept(const Args &a, u32 start, u32 c) {
    const u32 slot = 2 * (start / PIECE) + is_head(a, start);
    return a.gradients + ((u64)slot * CLASSES + c) * (WIDTH + 2);
}

// Adds up pieces; a feature that has only one is moved.
KERNEL update(const Args a) {
    const u32 warps = gridDim.x * blockDim.x / 32;
    const u32 lane = threadIdx.x % 32, part = lane / LANES, own_lane = lane % LANES;
    if (a.outcome->bad != NONE) return;
    const u32 entries = a.offsets[a.rows];
    for (u32 piece = (u32)(global_thread() / 32); piece < a.outcome->pieces; piece += warps) {
        const u32 start = a.pieces[piece], end = a.pieces[piece + 1];
        const u32 feature = a.keys[a.side][start], field = field_of(a, feature);
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
            if (alone) {
                move(a, feature, c, end - start, g);
                continue;
            }
            float *to = kept(a, start, c);
            for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
                const u32 f = own_lane + chunk * LANES;
                if (part == 0 && f < WIDTH) to[f] = g.of_vector[chunk];
            }
            if (lane == 0) {
                to[WIDTH] = g.w;
                to[WIDTH + 1] = g.squares;
            }
        }
    }
}

// Moves the features that have several pieces, one after the other.
KERNEL combine(const Args a) {
    const u32 warps = gridDim.x * blockDim.x / 32, own_lane = threadIdx.x % LANES;
    if (a.outcome->bad != NONE) return;
    const u32 entries = a.offsets[a.rows];
    for (u32 piece = (u32)(global_thread() / 32); piece < a.outcome->pieces; piece += warps) {
        const u32 start = a.pieces[piece];
        u32 end = a.pieces[piece + 1];
        if (!is_head(a, start) || end == entries || is_head(a, end)) continue;
        const u32 feature = a.keys[a.side][start];
        u32 last = piece;
        while (end < entries && !is_head(a, end)) end = a.pieces[++last + 1];
        for (u32 c = 0; c < CLASSES; c++) {
            Gradient g = {{0}, 0, 0};
            for (u32 each = piece; each <= last; each++) {
                const float *from = kept(a, a.pieces[each], c);
                for (u32 chunk = 0; chunk < CHUNKS; chunk++) {
                    const u32 f = own_lane + chunk * LANES;
                    if (f < WIDTH) g.of_vector[chunk] += from[f];
                }
                g.w += from[WIDTH];
                g.squares += from[WIDTH + 1];
            }
            move(a, feature, c, end - start, g);
        }
    }
}

// Moves the features that the batch has not, for optimizers that move all.
KERNEL untouched(const Args a) {
    if (a.outcome->bad != NONE) return;
    // Whoever has the first float of a feature moves its linear weight too.
    const u32 threads = gridDim.x * blockDim.x, each = WIDTH > 0 ? WIDTH : 1;
    for (u64 at = global_thread(); at < (u64)a.features * CLASSES * each; at += threads) {
        const u64 of_class = at / each;
        const u32 f = (u32)(at % each), feature = (u32)(of_class / CLASSES), c = (u32)(of_class % CLASSES);
        if (a.touched[feature] == a.time) continue;
        if (f < WIDTH) {
            Factor v = open(a, feature, c, f);
            step(a, v.numbers, 1, 0, {0, 0, 0});
            close(a, feature, c, f, v);
        }
        if (f == 0 && a.learns_linear) step(a, a.linear + of_class * (1 + STATES), 1, 0, {0, 0, 0});
    }
}

#if SHARED > 0
// The gradients of what belongs to no feature, from each of some parts of the rows. A lane has a number and the next
// lane the next, so that a warp reads what lies side by side; the warps of a block share the rows of a part.
KERNEL shared_gradients(const Args a) {
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
    a.gradients[part * numbers + number] = gradient;
}

// Moves what belongs to no feature.
KERNEL shared_numbers(const Args a) {
    const u64 number = global_thread(), numbers = (u64)SHARED * CLASSES;
    if (number >= numbers || a.outcome->bad != NONE) return;
    float gradient = 0;
    for (u32 part = 0; part < a.tiles; part++) gradient += a.gradients[part * numbers + number];
    step(a, a.shared + number, numbers, gradient, {0, 0, a.momentum});
}
#else
KERNEL shared_gradients(const Args) {}
KERNEL shared_numbers(const Args) {}
#endif

// The bias of each class.
KERNEL biases(const Args a) {
    const u32 c = (u32)global_thread();
    if (c >= CLASSES || a.outcome->bad != NONE || !a.learns_bias) return;
    double slopes = 0;
    for (u32 tile = 0; tile < a.tiles; tile++) slopes += a.partial[(u64)tile * (1 + CLASSES) + 1 + c];
    step(a, a.bias + c, CLASSES, (float)slopes, {0, 0, a.momentum});
}
