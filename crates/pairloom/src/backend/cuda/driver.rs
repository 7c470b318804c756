//! GPUs of NVIDIA, by the driver and by the compiler of kernels that are found when the program runs: nothing of CUDA is
//! needed to build it, and none has to be there.

use super::device::{Device, LATER, READS};
use super::found::{capability, compiler, devices, failed, start};
use super::kernels::{Args, Kernel, Shape, THREADS};
use crate::{Error, Result, memory};
use cudarc::driver::result::{self, DriverError, ctx, device, event, module, primary_ctx, stream};
use cudarc::driver::sys::{self, CUdevice_attribute_enum as Attribute, CUresult};
use cudarc::nvrtc;
use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// A GPU with its kernels.
pub(super) struct Cuda {
    context: sys::CUcontext,
    device: sys::CUdevice,
    stream: sys::CUstream,
    module: sys::CUmodule,
    functions: Vec<sys::CUfunction>,
    blocks: u32,
    /// The last point that others wait for.
    mark: sys::CUevent,
    /// Memory of the host that is copied to without waiting, and when that is done.
    later: *mut u8,
    reads: [Read; READS],
    /// Memory of the host that is copied from, piece by piece, and when each is done; how many pieces there were.
    sent: *mut u8,
    pieces: [sys::CUevent; PIECES],
    written: AtomicUsize,
}

/// What is copied to a GPU goes by memory of the host that it reads by itself, so that the caller need not wait: a few
/// pieces in turn.
const PIECES: usize = 4;
const PIECE_BYTES: usize = 1 << 20;

/// What is read without waiting.
struct Read {
    done: sys::CUevent,
    is_under_way: AtomicBool,
}

impl Default for Read {
    fn default() -> Self {
        Read { done: std::ptr::null_mut(), is_under_way: AtomicBool::new(false) }
    }
}

// SAFETY: the driver may be called from any thread; each call makes the context the thread's own.
unsafe impl Send for Cuda {}
// SAFETY: as above; work goes to one stream, in the order of the calls. Of `later` each place is written by one read at a
// time, and of `sent` by one write: a device has one user at a time, as that of a copier is who has locked
// `Ahead`.
unsafe impl Sync for Cuda {}

/// All GPUs that share the work, with the kernels for a shape.
///
/// # Errors
/// As for [`Cuda::open`].
pub(super) fn open(shape: Shape) -> Result<Vec<Arc<dyn Device>>> {
    let (found, _) = devices()?;
    let ranks = found.iter().filter(|gpu| gpu.used).map(|gpu| gpu.number);
    open_these(&ranks.collect::<Vec<_>>(), shape)
}

/// The GPUs of these numbers, which see each other's memory. One may be several of them.
///
/// # Errors
/// As for [`Cuda::open`].
pub(super) fn open_these(numbers: &[usize], shape: Shape) -> Result<Vec<Arc<dyn Device>>> {
    let shape = Shape { ranks: numbers.len(), ..shape };
    let open = |&number: &usize| Cuda::open(number, shape);
    let all = numbers.iter().map(open).collect::<Result<Vec<_>>>()?;
    for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
        one.see(other)?;
    }
    Ok(all.into_iter().map(|cuda| cuda as Arc<dyn Device>).collect())
}

impl Cuda {
    /// The GPU of this number with the kernels for a shape.
    ///
    /// # Errors
    /// [`Error::Device`] if there is none, if it fails, or if there is no compiler of kernels.
    fn open(number: usize, shape: Shape) -> Result<Arc<Cuda>> {
        start()?;
        let device = device::get(number as i32).map_err(|e| failed("the GPU cannot be had", e))?;
        let code = compiled(shape, capability(device)?)?;
        Cuda::with(device, Some(&code))
    }

    /// A GPU with an order of work of its own, and with these kernels.
    fn with(device: sys::CUdevice, code: Option<&[u8]>) -> Result<Arc<Cuda>> {
        let fails = |e| failed("the GPU cannot be used", e);
        // SAFETY: `device` is one that the driver gave. The context is given back when this is dropped.
        let context = unsafe { primary_ctx::retain(device) }.map_err(fails)?;
        let mut cuda = Cuda {
            context,
            device,
            stream: std::ptr::null_mut(),
            module: std::ptr::null_mut(),
            functions: Vec::new(),
            blocks: 0,
            mark: std::ptr::null_mut(),
            later: std::ptr::null_mut(),
            reads: Default::default(),
            sent: std::ptr::null_mut(),
            pieces: [std::ptr::null_mut(); PIECES],
            written: AtomicUsize::new(0),
        };
        let _entered = cuda.enter()?;
        let event = || event::create(sys::CUevent_flags::CU_EVENT_DISABLE_TIMING).map_err(fails);
        cuda.mark = event()?;
        for read in &mut cuda.reads {
            read.done = event()?;
        }
        for piece in &mut cuda.pieces {
            *piece = event()?;
        }
        // SAFETY: both are given back when this is dropped.
        unsafe {
            cuda.later = result::malloc_host(READS * LATER, 0).map_err(fails)?.cast();
            cuda.sent = result::malloc_host(PIECES * PIECE_BYTES, 0).map_err(fails)?.cast();
        }
        cuda.stream = stream::create(stream::StreamKind::NonBlocking).map_err(fails)?;
        if let Some(code) = code {
            // SAFETY: it is what the compiler made, whole.
            cuda.module = unsafe { module::load_data(code.as_ptr().cast()) }.map_err(fails)?;
            for kernel in Kernel::ALL {
                let name = CString::new(kernel.name()).unwrap_or_default();
                // SAFETY: the module was just loaded.
                let function = unsafe { module::get_function(cuda.module, name) }.map_err(fails)?;
                cuda.functions.push(function);
            }
        }
        let processors = Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
        // SAFETY: `device` is one that the driver gave.
        let processors = unsafe { device::get_attribute(device, processors) }.map_err(fails)?;
        /// Blocks of 256 threads that a processor holds at once.
        const EACH: u32 = 8;
        cuda.blocks = EACH * processors as u32;
        Ok(Arc::new(cuda))
    }

    /// Lets kernels on this GPU read and write the memory of another.
    fn see(&self, other: &Cuda) -> Result<()> {
        if self.device == other.device {
            return Ok(());
        }
        let _entered = self.enter()?;
        // SAFETY: both contexts are there as long as these are.
        match unsafe { sys::cuCtxEnablePeerAccess(other.context, 0) } {
            CUresult::CUDA_SUCCESS | CUresult::CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED => Ok(()),
            error => Err(failed("a GPU does not see the memory of another", DriverError(error))),
        }
    }

    /// Makes the context that of the calling thread, until what is returned is dropped.
    fn enter(&self) -> Result<Entered> {
        let lost = |e| failed("the GPU is lost", e);
        let before = ctx::get_current().map_err(lost)?.unwrap_or(std::ptr::null_mut());
        // SAFETY: the context is there as long as this is.
        unsafe { ctx::set_current(self.context) }.map_err(lost)?;
        Ok(Entered(before))
    }
}

/// The context that a thread had before.
struct Entered(sys::CUcontext);

impl Drop for Entered {
    fn drop(&mut self) {
        // SAFETY: it was the thread's own, which may be none. What fails here the next call will say.
        let _ = unsafe { ctx::set_current(self.0) };
    }
}

/// The same as [`compile`], which takes a second, but once for as many devices and models as there are.
fn compiled(shape: Shape, capability: [i32; 2]) -> Result<Arc<[u8]>> {
    type Known = HashMap<(&'static str, Vec<String>, [i32; 2]), Arc<[u8]>>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (shape.model.name(), shape.flags(), capability);
    if let Some(code) = known.get(&key) {
        return Ok(code.clone());
    }
    let code: Arc<[u8]> = compile(shape, capability)?.into();
    known.insert(key, code.clone());
    Ok(code)
}

/// Kernels for a shape, compiled for GPUs of this capability.
pub(super) fn compile(shape: Shape, [major, minor]: [i32; 2]) -> Result<Vec<u8>> {
    compiler()?;
    let broken = |e: nvrtc::result::NvrtcError| {
        Error::Device(format!("the compiler of GPU kernels fails: {:?}", e.0))
    };
    let text =
        CString::new(shape.text()).map_err(|_| Error::Device("kernels have a zero".into()))?;
    let program = nvrtc::result::create_program(&text, None).map_err(broken)?;
    let mut flags = shape.flags();
    // What is made for the GPU itself runs under any driver of the same major version: `compiler` asks for it.
    flags.push(format!("--gpu-architecture=sm_{major}{minor}"));
    // SAFETY: the program was just made, and is destroyed below.
    let compiled = match unsafe { nvrtc::result::compile_program(program, &flags) } {
        Ok(()) => machine_code(program).map_err(broken),
        Err(error) => {
            // SAFETY: it was tried to compile it.
            let log = unsafe { nvrtc::result::get_program_log(program) }.unwrap_or_default();
            let log: Vec<u8> = log.into_iter().map(|byte| byte as u8).collect();
            let log = String::from_utf8_lossy(&log).trim_end_matches('\0').to_string();
            Err(Error::Device(format!("GPU kernels cannot be compiled ({:?}): {log}", error.0)))
        }
    };
    // SAFETY: the program is not used after this.
    unsafe { nvrtc::result::destroy_program(program) }.map_err(broken)?;
    compiled
}

/// What a program was compiled to.
fn machine_code(program: nvrtc::sys::nvrtcProgram) -> Result<Vec<u8>, nvrtc::result::NvrtcError> {
    let mut size = 0;
    // SAFETY: the program was compiled; its size is written to where it is said.
    unsafe { nvrtc::sys::nvrtcGetCUBINSize(program, &mut size) }.result()?;
    let mut code = vec![0u8; size];
    // SAFETY: there is room for as many bytes as was just said.
    unsafe { nvrtc::sys::nvrtcGetCUBIN(program, code.as_mut_ptr().cast()) }.result()?;
    Ok(code)
}

impl Device for Cuda {
    fn allocate(&self, bytes: usize) -> Result<u64> {
        let _entered = self.enter()?;
        // SAFETY: what is there at first is not read before it is written.
        unsafe { result::malloc_sync(bytes) }.map_err(|error| {
            if error.0 != CUresult::CUDA_ERROR_OUT_OF_MEMORY {
                return failed("the GPU gives no memory", error);
            }
            let need = memory::gib(bytes as u128);
            let has = result::mem_get_info().map_or(String::new(), |(free, all)| {
                let [free, all] = [free, all].map(|bytes| memory::gib(bytes as u128));
                format!(" ({free} of its {all} are free)")
            });
            let remedy =
                "fewer factors, hash_bits, or a smaller batch_size take less; or use the CPU";
            Error::Memory(format!("the GPU has not got {need} more{has}: {remedy}"))
        })
    }

    unsafe fn free(&self, address: u64) {
        // Whoever gives memory back has no use for an error: the next call will have it too.
        let _entered = self.enter();
        // SAFETY: the stream is there as long as this is; the memory is ours, as the caller says.
        unsafe {
            let _ = stream::synchronize(self.stream);
            let _ = result::free_sync(address);
        }
    }

    unsafe fn write(&self, to: u64, bytes: &[u8]) -> Result<()> {
        let _entered = self.enter()?;
        for (at, part) in bytes.chunks(PIECE_BYTES).enumerate() {
            let to = to + (at * PIECE_BYTES) as u64;
            let piece = self.written.fetch_add(1, Ordering::Relaxed) % PIECES;
            let done = self.pieces[piece];
            // SAFETY: `sent` has these pieces, and lives as long as this; what was copied from this one before is
            // there, as is waited for. Of the rest as the caller says.
            unsafe {
                event::synchronize(done)
                    .and_then(|()| {
                        let sent = self.sent.add(piece * PIECE_BYTES);
                        std::ptr::copy_nonoverlapping(part.as_ptr(), sent, part.len());
                        let sent = std::slice::from_raw_parts(sent, part.len());
                        result::memcpy_htod_async(to, sent, self.stream)
                    })
                    .and_then(|()| event::record(done, self.stream))
            }
            .map_err(|e| failed("copying to the GPU fails", e))?;
        }
        Ok(())
    }

    unsafe fn read(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: as the caller says; it is waited for.
        unsafe {
            let copied = result::memcpy_dtoh_async(bytes, from, self.stream);
            copied.and_then(|()| stream::synchronize(self.stream))
        }
        .map_err(|e| failed("the GPU has failed", e))
    }

    unsafe fn zero(&self, at: u64, bytes: usize) -> Result<()> {
        let _entered = self.enter()?;
        // SAFETY: as the caller says.
        unsafe { result::memset_d8_async(at, 0, bytes, self.stream) }
            .map_err(|e| failed("writing to the GPU fails", e))
    }

    unsafe fn launch(&self, kernel: Kernel, blocks: u32, args: &Args) -> Result<()> {
        let _entered = self.enter()?;
        let mut args = *args;
        let mut pointers = [(&raw mut args).cast::<c_void>()];
        let (function, grid, block) =
            (self.functions[kernel as usize], (blocks, 1, 1), (THREADS, 1, 1));
        // SAFETY: the function takes one `Args`, which the driver copies; what it does is as the caller says.
        unsafe { result::launch_kernel(function, grid, block, 0, self.stream, &mut pointers) }
            .map_err(|e| failed(&format!("the GPU does not run {}", kernel.name()), e))
    }

    unsafe fn begin_read(&self, from: u64, bytes: usize) -> Result<usize> {
        let _entered = self.enter()?;
        assert!(bytes <= LATER, "more than is read at a time");
        let is_free = |read: &Read| !read.is_under_way.swap(true, Ordering::AcqRel);
        let at = self.reads.iter().position(is_free);
        let at = at.ok_or_else(|| Error::Device("too much is read at once".into()))?;
        // SAFETY: nobody else has this place of `later`, which lives as long as this; of the rest as the caller says.
        unsafe {
            let to = std::slice::from_raw_parts_mut(self.later.add(at * LATER), bytes);
            let copied = result::memcpy_dtoh_async(to, from, self.stream);
            copied.and_then(|()| event::record(self.reads[at].done, self.stream))
        }
        .map_err(|e| failed("the GPU has failed", e))?;
        Ok(at)
    }

    fn end_read(&self, read: usize, bytes: &mut [u8]) -> Result<()> {
        let _entered = self.enter()?;
        let Read { done, is_under_way } = &self.reads[read];
        assert!(is_under_way.load(Ordering::Acquire) && bytes.len() <= LATER, "nothing was begun");
        // SAFETY: the event is there as long as this.
        unsafe { event::synchronize(*done) }.map_err(|e| failed("the GPU has failed", e))?;
        // SAFETY: what was copied there is there, as was just waited for.
        let from = unsafe { std::slice::from_raw_parts(self.later.add(read * LATER), bytes.len()) };
        bytes.copy_from_slice(from);
        is_under_way.store(false, Ordering::Release);
        Ok(())
    }

    fn mark(&self) -> Result<u64> {
        let _entered = self.enter()?;
        // SAFETY: event and stream are there as long as this.
        unsafe { event::record(self.mark, self.stream) }
            .map_err(|e| failed("the GPU has failed", e))?;
        Ok(self.mark as u64)
    }

    unsafe fn wait(&self, mark: u64) -> Result<()> {
        let _entered = self.enter()?;
        let flags = sys::CUevent_wait_flags::CU_EVENT_WAIT_DEFAULT;
        // SAFETY: the mark is an event of another device that is there, as the caller says.
        unsafe { stream::wait_event(self.stream, mark as sys::CUevent, flags) }
            .map_err(|e| failed("the GPU has failed", e))
    }

    fn copier(&self) -> Result<Arc<dyn Device>> {
        Ok(Cuda::with(self.device, None)?)
    }

    fn blocks(&self) -> u32 {
        self.blocks
    }

    fn free_bytes(&self) -> Result<u64> {
        let _entered = self.enter()?;
        let (free, _) = result::mem_get_info().map_err(|e| failed("the GPU is lost", e))?;
        Ok(free as u64)
    }
}

impl Drop for Cuda {
    fn drop(&mut self) {
        let _entered = self.enter();
        // SAFETY: all of these are ours, and nobody has them any more. What fails here nobody needs.
        unsafe {
            if !self.stream.is_null() {
                let _ = stream::synchronize(self.stream);
                let _ = stream::destroy(self.stream);
            }
            let reads = self.reads.iter().map(|read| read.done);
            let events = reads.chain(self.pieces).chain([self.mark]);
            events.filter(|event| !event.is_null()).for_each(|event| {
                let _ = event::destroy(event);
            });
            for memory in [self.later, self.sent].into_iter().filter(|of| !of.is_null()) {
                let _ = result::free_host(memory.cast());
            }
            if !self.module.is_null() {
                let _ = module::unload(self.module);
            }
            let _ = primary_ctx::release(self.device);
        }
    }
}
