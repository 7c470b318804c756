// What tests call; it stands behind emulator.h and the kernels.

// Runs a kernel; 1 if its threads wait for each other forever.
extern "C" int launch(void (*kernel)(const Args), unsigned blocks, unsigned threads, const Args *args) {
    emulator::kernel = (void (*)())kernel;
    emulator::arguments = args;
    emulator::call = [] { ((void (*)(const Args))emulator::kernel)(*(const Args *)emulator::arguments); };
    return emulator::launch(blocks, threads);
}

extern "C" unsigned size_of_args() { return sizeof(Args); }
