// A training step on a GPU: the same step as that of backend/cpu, with the same meaning.
//
// The text is CUDA C++ for NVRTC, and with emulator.h before it, C++ for the processor: tests run the same arithmetic
// there. It is compiled for a model, whose text comes between this file and sort.cu, forward.cu, update.cu and epoch.cu, and for its sizes:
//
//   PART     floats of a vector, padding included; 1 where features have none
//   WIDTH    floats of all vectors of a feature; 0 where it has none
//   FIELDS   fields
//   ORDER    the order of the highest interaction
//   LOWER    whether there are those of lower orders
//   RANK     the rank of what is learned of pairs of fields
//   SHARED   numbers that belong to no feature, for a class
//   CLASSES  machines side by side, one a class; 1 where there is one score
//   STATES   floats of optimizer state for each parameter
//   BF16     whether the table of factors is kept in 16 bits
//   RANKS    devices that share the work
//   BLOCK_ROWS  rows that lie together on one of them
//   SUMS     floats of the running sums of a row, for a class
//   THREADS  threads of a block, wherever these work together
//   TILE     entries that a block sorts, and numbers that it adds up
//   DIGITS   values of the digit that a pass of sorting looks at
//   PIECE    sorted entries that a warp adds up: those of a feature that has more are added up piece by piece
//
// A model says
//
//   DEEP     whether scores have products of more than two factors
//   absorb   from a row's features to its sums and what they add to the score, by a warp
//   backward what an entry adds to the gradient of its feature's vectors, lane by lane
//   own      by what the pairs of a feature with itself are in the sums
//
// and where there are shared numbers
//
//   find_shared  which of them has a number
//   shared   what a row adds to the gradient of one
//
// Nothing is added up by atomics: every sum is taken in an order that rows and batch decide, so a run has the same bits
// again.

typedef unsigned int u32;
typedef unsigned long long u64;

// What is a part of a struct has no words before it where this is C++ for the processor.
#ifdef __CUDACC__
#define MEMBER __device__ __forceinline__
#else
#define MEMBER inline
#endif

#define KERNEL extern "C" __global__ void
#define ALL 0xffffffffu
#define NONE 0xffffffffu

// Lanes of a warp that hold a vector, how many floats each of them has, and how many vectors a warp holds. Where there
// are no vectors each lane has an entry, and one float that nobody uses, as there are no arrays without any.
#define LANES (WIDTH > 16 ? 32 : WIDTH > 8 ? 16 : WIDTH > 4 ? 8 : WIDTH > 0 ? 4 : 1)
#define CHUNKS (WIDTH > 0 ? (WIDTH + LANES - 1) / LANES : 1)
#define PARTS (32 / LANES)

#define WARPS (THREADS / 32)

// Floats that are kept of a piece: the gradient of the vectors, that of w, the sum of slope x^2, and how many entries.
#define KEPT (WIDTH + 3)

#define MOST_RANKS 8

// L2 strengths of a field, for a class: of its linear weights, and of each of its features' vectors. Where these have
// none there is one nevertheless.
#define STRENGTHS (1 + (WIDTH > 0 ? WIDTH / PART : 1))

// How a number of the table is kept: crate::precision. What is rounded by chance hangs on step, feature and place.
#if BF16
typedef unsigned short Stored;

__device__ __forceinline__ float load(Stored x) { return __uint_as_float((u32)x << 16); }

__device__ __forceinline__ u32 chance_of(u32 time, u32 feature) {
    u64 key = (u64)time << 32 ^ feature;
    key = (key ^ key >> 33) * 0xff51afd7ed558ccdULL;
    key = (key ^ key >> 33) * 0xc4ceb9fe1a85ec53ULL;
    return (u32)(key >> 32);
}

__device__ __forceinline__ Stored store(float x, u32 chance, u32 place) {
    const u32 key = chance + place * 0x9e3779b9u;
    return (Stored)((__float_as_uint(x) + ((key ^ key >> 15) * 0x2c1b3c6du >> 16)) >> 16);
}
#else
typedef float Stored;

__device__ __forceinline__ float load(Stored x) { return x; }
__device__ __forceinline__ u32 chance_of(u32, u32) { return 0; }
__device__ __forceinline__ Stored store(float x, u32, u32) { return x; }
#endif

enum Loss { LOGISTIC, SQUARED, POISSON, HUBER, QUANTILE, SOFTMAX, RANKED };
enum Optimizer { SGD, ADAGRAD, ADAM, ADAM_DENSE, FTRL };

// What a step leaves for the host, for the kernels after, and for the other ranks.
struct Outcome {
    double loss;
    double weight;
    // The place in the batch of the first row whose loss is not finite, or NONE.
    u32 bad;
    // Pieces that the entries of the batch are added up in.
    u32 pieces;
    u32 entries;
    // Rows of the batch, and parts of these that gradients of shared numbers are added up in: the host says.
    u32 rows;
    u32 parts;
    // Whether a weight or a state is not finite, once that was asked for.
    u32 is_not_finite;
};

// Rows, compressed: row r has the entries starts[r]..starts[r + 1]. There are no values, or no weights, if all are 1.
struct Rows {
    const u64 *starts;
    const u32 *ids;
    const float *values;
    const float *labels;
    const float *weights;
};

// The order that an epoch takes rows in, a permutation of their numbers: crate::store::Order.
struct Order {
    u64 keys[4][2];
    u32 rows;
    u32 bits;
    u32 highs;
    u32 is_shuffled;
};

// What lies on a rank and is read by all.
struct Rank {
    // Those that steps are taken over: block b of BLOCK_ROWS of them lies on rank b % RANKS, as block b / RANKS.
    Rows rows;
    // Weights and the optimizer's state of its features: of feature f rank f % RANKS has row f / RANKS.
    float *linear;
    Stored *factors;
    // Of a step: the features in their order, where pieces begin, their gradients, what rows and shared numbers add up
    // to, and the outcome.
    const u32 *keys;
    const u32 *pieces;
    const float *gradients;
    const float *shared_sums;
    const double *partial;
    const Outcome *outcome;
};

// What all kernels are given. Pointers lead to memory of the device.
struct Args {
    // The part of the batch that this rank has: numbers of rows that lie on all ranks, or none if it is these rows in their
    // order; where the entries of each begin, and its end.
    Rows own;
    u32 *batch;
    u32 *offsets;
    // Entries: features and places in the batch, before and after a pass of sorting; of places the row and the value.
    u32 *keys[2];
    u32 *places[2];
    u32 *entry_row;
    float *entry_x;
    // Of rows and classes.
    float *sums;
    float *slopes;
    double *losses;
    // Parts of the sums of losses, weights and slopes, [blocks, 2 + CLASSES].
    double *partial;
    // For sorting, [DIGITS, tiles], and for sums up to a place.
    u32 *counts;
    u32 *totals;
    // How many pieces begin before an entry, in its tile; and where pieces begin.
    u32 *flags;
    u32 *pieces;
    // Gradients of pieces that are not moved at once, [pieces, CLASSES, KEPT], and those of shared numbers from parts of
    // the rows: [parts, CLASSES, SHARED].
    float *gradients;
    float *shared_sums;
    // Weights and the optimizer's state of what belongs to no feature: the same on all ranks.
    float *bias;
    float *shared;
    // L2 strengths: [FIELDS, CLASSES, STRENGTHS], and where fields begin.
    const float *strengths;
    const u32 *fields;
    // Training rows that have each of the rank's features, and the step that last moved it (of optimizers that move all).
    const u32 *count;
    u32 *touched;
    // Parts of the features of a field, for a class: which strengths they have ([field, class]), and the rows of the
    // table; and what is known of each, [parts, STRENGTHS, 2].
    const u32 *parts;
    double *known;
    // Where a copy of the weights goes.
    float *linear;
    Stored *factors;
    // Of this step and of the one before.
    Outcome *outcome;
    const Outcome *before;
    Rank ranks[MOST_RANKS];
    // Features of the rows learned from before this step, each as often as it came.
    u64 learned;
    double mean;
    double scale;
    double number;
    // Adam's rate with its correction, and the other one.
    float rate;
    float corrected;
    float root;
    // What AdaGrad keeps of the gradients of earlier steps, where one comes in every step.
    float momentum;
    float l1_linear, l2_linear, l1_factors, l2_factors;
    // One over the features of all training rows, and passes over these up to now.
    float all;
    float passes;
    u32 rows;
    u32 features;
    u32 time;
    u32 loss;
    u32 optimizer;
    u32 learns_linear;
    u32 learns_bias;
    // Of the kernels that are called several times: how many numbers, which bits, which side of keys and places, and
    // how many tiles, or parts of the rows.
    u32 length;
    u32 shift;
    u32 side;
    u32 tiles;
    // Which rank this is.
    u32 rank;
    // Where the part of the batch begins in an order.
    u32 first;
    Order order;
};

__device__ __forceinline__ double infinity() { return __longlong_as_double(0x7ff0000000000000LL); }
__device__ __forceinline__ u64 global_thread() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }

__device__ __forceinline__ float add_over(float x, int from, int below) {
    for (int distance = from; distance < below; distance *= 2) x += __shfl_xor_sync(ALL, x, distance);
    return x;
}

__device__ u32 field_of(const Args &a, u32 feature) {
    u32 from = 0, to = FIELDS;
    while (to - from > 1) {
        const u32 middle = (from + to) / 2;
        if (a.fields[middle] <= feature) from = middle; else to = middle;
    }
    return from;
}

// The vectors of a feature in the table, as floats.
struct Vector {
    const Stored *numbers;
    MEMBER float operator[](u32 f) const { return load(numbers[f]); }
};

__device__ __forceinline__ Stored *factors_of(const Args &a, u32 id, u32 c) {
    return a.ranks[id % RANKS].factors + ((u64)(id / RANKS) * CLASSES + c) * (WIDTH * (1 + STATES));
}

__device__ __forceinline__ Vector vector_of(const Args &a, u32 id, u32 c) {
    const Vector vector = {factors_of(a, id, c)};
    return vector;
}

// The linear weight of a feature, and its state.
__device__ __forceinline__ float *linear_of(const Args &a, u32 id, u32 c) {
    return a.ranks[id % RANKS].linear + ((u64)(id / RANKS) * CLASSES + c) * (1 + STATES);
}

// A row: its features and their values.
struct Row {
    const u32 *ids;
    const float *values;
    u32 count;
    double label;
    double weight;
    MEMBER float x(u32 entry) const { return values ? values[entry] : 1.0f; }
};

__device__ __forceinline__ Row row_of(const Rows &rows, u64 number) {
    const u64 start = rows.starts[number];
    Row row;
    row.ids = rows.ids + start;
    row.values = rows.values ? rows.values + start : 0;
    row.count = (u32)(rows.starts[number + 1] - start);
    row.label = rows.labels[number];
    row.weight = rows.weights ? rows.weights[number] : 1.0;
    return row;
}

// A row of the batch, by its place there.
__device__ __forceinline__ Row row_at(const Args &a, u32 at) {
    if (!a.batch) return row_of(a.own, at);
    const u32 number = a.batch[at], block = number / BLOCK_ROWS;
    return row_of(a.ranks[block % RANKS].rows, (u64)(block / RANKS) * BLOCK_ROWS + number % BLOCK_ROWS);
}

// The numbers of a class that belong to no feature.
__device__ __forceinline__ const float *shared_of(const Args &a, u32 c) { return a.shared + (u64)c * SHARED; }

// S_f = sum_{i in f} v_i x_i of the fields of a row, by a warp.
__device__ __forceinline__ void sum_by_field(const Args &a, const Row &row, u32 c, float *sums) {
    const u32 lane = threadIdx.x % 32;
    for (u32 at = lane; at < FIELDS * WIDTH; at += 32) sums[at] = 0;
    __syncwarp();
    for (u32 entry = 0; entry < row.count; entry++) {
        const u32 id = row.ids[entry], field = field_of(a, id);
        const Vector vector = vector_of(a, id, c);
        const float x = row.x(entry);
        for (u32 f = lane; f < WIDTH; f += 32) sums[field * WIDTH + f] += vector[f] * x;
    }
    __syncwarp();
}

