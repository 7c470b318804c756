// The first half of a step: rows to scores, losses and slopes, and what the batch has cost.

// ---- Laying a batch out ----------------------------------------------------------------------------------------

// 32 bits that depend on all bits of both.
__device__ __forceinline__ u32 mixed(u32 x, u64 key) {
    const u64 once = (x ^ key) * 0x9e3779b97f4a7c15ULL;
    return (u32)((once ^ once >> 32) * 0xd6e8feb86659fd93ULL >> 32);
}

// The number of the row at a place: crate::store::Order.
__device__ u32 number_at(const Order &order, u32 place) {
    if (!order.is_shuffled) return place;
    const u32 mask = (1u << order.bits) - 1;
    do {
        u32 high = place >> order.bits, low = place & mask;
        for (u32 round = 0; round < 4; round++) {
            const u32 step = (u32)((u64)order.highs * mixed(low, order.keys[round][0]) >> 32);
            high = high >= order.highs - step ? high - (order.highs - step) : high + step;
            low ^= mixed(high, order.keys[round][1]) & mask;
        }
        place = high << order.bits | low;
    } while (place >= order.rows);
    return place;
}

KERNEL numbers(const __grid_constant__ Args a) {
    const u32 at = (u32)global_thread();
    if (at < a.rows) a.batch[at] = number_at(a.order, a.first + at);
}

KERNEL lengths(const __grid_constant__ Args a) {
    const u32 at = (u32)global_thread();
    if (at < a.rows) a.offsets[at] = row_at(a, at).count;
    if (at == a.rows) a.offsets[at] = 0;
}

KERNEL offsets_in_tiles(const __grid_constant__ Args a) { sum_tile(a.offsets, a.totals, a.rows + 1); }
KERNEL offsets_of_tiles(const __grid_constant__ Args a) { sum_totals(a.totals, a.tiles); }
KERNEL offsets(const __grid_constant__ Args a) {
    add_totals(a.offsets, a.totals, a.rows + 1);
}

// ---- Scoring a row ----------------------------------------------------------------------------------------------

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
__device__ void score_row(const Args &a, u32 at, const Row &row, bool trains) {
    const u32 lane = threadIdx.x % 32;
    for (u32 entry = lane; trains && entry < row.count; entry += 32) {
        const u32 place = a.offsets[at] + entry;
        a.keys[0][place] = key_of(a, row.ids[entry]);
        a.places[0][place] = place;
        a.entry_row[place] = at;
        a.entry_x[place] = row.x(entry);
    }
    for (u32 c = 0; c < CLASSES; c++) {
        float weights = 0;
        for (u32 entry = lane; entry < row.count; entry += 32) {
            weights += *linear_of(a, row.ids[entry], c) * row.x(entry);
        }
        weights = add_over(weights, 1, 32);
        const u64 slot = (u64)at * CLASSES + c;
        const float pairs = absorb(a, row, c, a.sums + slot * SUMS);
        if (lane == 0) a.slopes[slot] = a.bias[c] + (weights + pairs);
    }
}

KERNEL forward(const __grid_constant__ Args a) {
    const u32 at = (u32)(global_thread() / 32);
    if (at >= a.rows) return;
    const Row row = row_at(a, at);
    score_row(a, at, row, true);
    if (threadIdx.x % 32 != 0 || a.loss == RANKED) return;
    // What were scores becomes slopes.
    float *scores = a.slopes + (u64)at * CLASSES;
    const double label = (row.label - a.mean) / a.scale, weight = row.weight;
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
KERNEL scores(const __grid_constant__ Args a) {
    const u32 at = (u32)(global_thread() / 32);
    if (at < a.rows) score_row(a, at, row_of(a.own, at), false);
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

// Sums of losses, weights and slopes of TILE rows each, and the first row whose loss is not finite.
KERNEL costs(const __grid_constant__ Args a) {
    double loss = 0, weight = 0;
    double *partial = a.partial + (u64)blockIdx.x * (2 + CLASSES);
    for (u32 at = threadIdx.x; at < TILE; at += THREADS) {
        const u32 row = blockIdx.x * TILE + at;
        if (row < a.rows) {
            const double own = a.losses[row];
            if (!(fabs(own) < infinity())) atomicMin(&a.outcome->bad, row);
            loss += own;
            weight += row_at(a, row).weight;
        }
    }
    loss = sum_of_block(loss);
    if (threadIdx.x == 0) partial[0] = loss;
    weight = sum_of_block(weight);
    if (threadIdx.x == 0) partial[1] = weight;
    for (u32 c = 0; c < CLASSES; c++) {
        double slopes = 0;
        for (u32 at = threadIdx.x; at < TILE; at += THREADS) {
            const u32 row = blockIdx.x * TILE + at;
            if (row < a.rows) slopes += a.slopes[(u64)row * CLASSES + c];
        }
        slopes = sum_of_block(slopes);
        if (threadIdx.x == 0) partial[2 + c] = slopes;
    }
}

// One thread: the loss of the batch, before anything is moved. After a step that was not taken no other is.
KERNEL cost(const __grid_constant__ Args a) {
    if (global_thread() != 0) return;
    double loss = 0, weight = 0;
    for (u32 tile = 0; tile < a.tiles; tile++) {
        loss += a.partial[(u64)tile * (2 + CLASSES)];
        weight += a.partial[(u64)tile * (2 + CLASSES) + 1];
    }
    a.outcome->loss = loss;
    a.outcome->weight = weight;
    a.outcome->entries = a.offsets[a.rows];
    if (a.before->bad != NONE) a.outcome->bad = a.before->bad;
}
