// CUDA's language on a processor: enough of it for our kernels, one thread of a block after the other.
//
// The threads of a block are coroutines that go on in turn and stop where they wait for each other, so that a kernel
// that waits wrongly, as some lanes of a warp for others that are gone, is told and does not hang. Blocks run one after
// the other.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define __global__
#define __device__ static
#define __shared__ static
#define __grid_constant__
#define __forceinline__ inline

struct Dim {
    unsigned x;
};
static Dim threadIdx, blockIdx, blockDim, gridDim;

namespace emulator {

const unsigned MOST = 1024, STACK = 64 << 10;

// Threads that wait for each other: those of a warp or of the block.
struct Meeting {
    unsigned there, members, times;
};

struct Thread {
    ucontext_t context;
    char *stack;
    bool is_done;
};

static Thread threads[MOST];
static ucontext_t scheduler;
static Meeting block, warps[MOST / 32];
static unsigned long long values[MOST];
// Whether any thread went on since the last look.
static bool moved;

static void yield() { swapcontext(&threads[threadIdx.x].context, &scheduler); }

static void wait(Meeting &meeting) {
    const unsigned times = meeting.times;
    if (++meeting.there == meeting.members) {
        meeting.there = 0;
        meeting.times++;
    }
    while (meeting.times == times) yield();
    moved = true;
}

static void leave(Meeting &meeting) {
    meeting.members--;
    if (meeting.members > 0 && meeting.there == meeting.members) {
        meeting.there = 0;
        meeting.times++;
    }
}

// A kernel of any type, what it is given, and how it is called.
static void (*kernel)();
static const void *arguments;
static void (*call)();

static void run() {
    call();
    Thread &own = threads[threadIdx.x];
    own.is_done = moved = true;
    leave(block);
    leave(warps[threadIdx.x / 32]);
    yield();
}

// Runs a kernel; 1 if its threads wait for each other forever.
static int launch(unsigned blocks, unsigned size) {
    gridDim.x = blocks;
    blockDim.x = size;
    for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++) {
        block = {0, size, 0};
        for (unsigned warp = 0; warp < size / 32; warp++) warps[warp] = {0, 32, 0};
        for (unsigned at = 0; at < size; at++) {
            Thread &thread = threads[at];
            if (!thread.stack) thread.stack = (char *)malloc(STACK);
            thread.is_done = false;
            getcontext(&thread.context);
            thread.context.uc_stack.ss_sp = thread.stack;
            thread.context.uc_stack.ss_size = STACK;
            thread.context.uc_link = 0;
            makecontext(&thread.context, run, 0);
        }
        unsigned left = size;
        while (left > 0) {
            moved = false;
            left = 0;
            for (unsigned at = 0; at < size; at++) {
                if (threads[at].is_done) continue;
                threadIdx.x = at;
                swapcontext(&scheduler, &threads[at].context);
                left += !threads[at].is_done;
            }
            if (!moved) return 1;
        }
    }
    return 0;
}

// Gives a value to the lanes of the warp, and has those of all of them.
template <typename T> static T *share(T value) {
    static_assert(sizeof(T) <= sizeof values[0], "a value of a lane");
    T *all = (T *)(values + threadIdx.x / 32 * 32);
    wait(warps[threadIdx.x / 32]);
    all[threadIdx.x % 32] = value;
    wait(warps[threadIdx.x / 32]);
    return all;
}

}  // namespace emulator

static inline void __syncthreads() { emulator::wait(emulator::block); }
static inline void __syncwarp() { emulator::wait(emulator::warps[threadIdx.x / 32]); }

template <typename T> static T __shfl_xor_sync(unsigned, T value, int distance) {
    return emulator::share(value)[threadIdx.x % 32 ^ distance];
}

template <typename T> static T __shfl_sync(unsigned, T value, unsigned lane) { return emulator::share(value)[lane]; }

template <typename T> static T __shfl_up_sync(unsigned, T value, unsigned distance) {
    const unsigned lane = threadIdx.x % 32;
    return emulator::share(value)[lane < distance ? lane : lane - distance];
}

static inline unsigned __match_any_sync(unsigned, unsigned value) {
    const unsigned *all = emulator::share(value);
    unsigned same = 0;
    for (unsigned lane = 0; lane < 32; lane++) same |= (unsigned)(all[lane] == value) << lane;
    return same;
}

static inline unsigned __ballot_sync(unsigned, bool is) {
    const bool *all = emulator::share(is);
    unsigned bits = 0;
    for (unsigned lane = 0; lane < 32; lane++) bits |= (unsigned)all[lane] << lane;
    return bits;
}

static inline int __popc(unsigned bits) { return __builtin_popcount(bits); }

static inline unsigned atomicMin(unsigned *at, unsigned value) {
    const unsigned before = *at;
    if (value < before) *at = value;
    return before;
}

static inline unsigned atomicAdd(unsigned *at, unsigned value) {
    const unsigned before = *at;
    *at += value;
    return before;
}

static inline float __uint_as_float(unsigned bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static inline unsigned __float_as_uint(float number) {
    unsigned bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static inline double __longlong_as_double(long long bits) {
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}
