//! The kernels on the processor: the same text, compiled as C++ by the system's compiler.

use super::super::device::{Device, READS};
use super::super::kernels::{Args, Kernel, Shape, THREADS};
use super::super::{driver, found};
use crate::{Error, Result};
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Weak};

/// A library of kernels of a shape.
struct Library {
    library: libloading::Library,
    /// Dropped after the library.
    _folder: tempfile::TempDir,
}

/// A kernel; it is called by the emulator alone.
type Call = unsafe extern "C" fn(Args);

type Launch = unsafe extern "C" fn(Call, u32, u32, *const Args) -> i32;

/// The system's C++ compiler, if there is one. Where `CI` says that nothing may be left out there must be.
pub(super) fn compiler() -> Option<String> {
    let name = std::env::var("CXX").unwrap_or("c++".into());
    let is_there =
        Command::new(&name).arg("--version").output().is_ok_and(|of| of.status.success());
    let is_wanted = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(is_there || !is_wanted, "tests of GPU kernels need a C++ compiler, as g++ or clang++");
    is_there.then_some(name)
}

/// What a device is given. Most do nothing before somebody waits for it, and some everything at once: who reads what
/// another device has not been waited for to write, reads what was there before, or what comes too late.
enum Work {
    Write(u64, Vec<u8>),
    Zero(u64, usize),
    Launch(Kernel, u32, Box<Args>),
    Read(usize, u64, usize),
    /// Until another has come so far.
    Wait(Weak<Emulated>, u64),
}

/// A device, and how far it was to come.
type Mark = (Weak<Emulated>, u64);

/// All marks, by their numbers.
static MARKS: Mutex<Vec<Mark>> = Mutex::new(Vec::new());

/// As of when it is read, and what it was.
struct Read {
    to: u64,
    bytes: Vec<u8>,
}

/// Memory of a device.
struct Memory {
    /// By its address.
    given: HashMap<u64, Vec<u64>>,
    /// Bytes that it gives at once at the most.
    largest: u64,
}

impl Default for Memory {
    fn default() -> Self {
        Memory { given: HashMap::new(), largest: u64::MAX }
    }
}

/// What is emulated.
pub(super) struct Emulated {
    library: Arc<Mutex<Library>>,
    memory: Arc<Mutex<Memory>>,
    /// What it was given and has not done; and how much it was given, and has done.
    queue: Mutex<VecDeque<Work>>,
    given: AtomicU64,
    done: AtomicU64,
    /// What is read without waiting.
    reads: Mutex<[Option<Read>; READS]>,
    own: Weak<Emulated>,
    is_eager: bool,
    /// Bytes of memory that there can be.
    most: u64,
    /// Kernels that it runs until it is lost.
    left: AtomicU64,
}

impl Emulated {
    /// A device for a shape.
    pub(super) fn open(shape: Shape) -> Result<Vec<Arc<dyn Device>>> {
        Self::with_memory(shape, 1 << 40)
    }

    /// Three of them, which share the work.
    pub(super) fn three(shape: Shape) -> Result<Vec<Arc<dyn Device>>> {
        Self::several_with(shape, 1 << 40)
    }

    /// The same with so many bytes of memory each.
    pub(super) fn several_with(shape: Shape, most: u64) -> Result<Vec<Arc<dyn Device>>> {
        let shape = Shape { ranks: 3, ..shape };
        let one = |at| Ok(Self::one(shape, most, at == 1)? as Arc<dyn Device>);
        (0..3).map(one).collect()
    }

    /// One with so many bytes of memory.
    pub(super) fn with_memory(shape: Shape, most: u64) -> Result<Vec<Arc<dyn Device>>> {
        Ok(vec![Self::one(shape, most, false)?])
    }

    fn one(shape: Shape, most: u64, is_eager: bool) -> Result<Arc<Emulated>> {
        type Libraries = Mutex<HashMap<String, Arc<Mutex<Library>>>>;
        static COMPILED: LazyLock<Libraries> = LazyLock::new(Libraries::default);
        let mut compiled = COMPILED.lock().unwrap();
        let name = format!("{:?} {:?}", shape.model, shape.flags());
        let library = compiled.entry(name).or_insert_with(|| Arc::new(Mutex::new(compile(shape))));
        let library = library.clone();
        Ok(Self::made(library, Arc::default(), most, is_eager))
    }

    /// One that has done nothing.
    fn made(
        library: Arc<Mutex<Library>>,
        memory: Arc<Mutex<Memory>>,
        most: u64,
        is_eager: bool,
    ) -> Arc<Emulated> {
        Arc::new_cyclic(|own| Emulated {
            library,
            memory,
            queue: Mutex::default(),
            given: AtomicU64::new(0),
            done: AtomicU64::new(0),
            reads: Mutex::default(),
            own: own.clone(),
            is_eager,
            most,
            left: AtomicU64::new(u64::MAX),
        })
    }

    /// A device, and a function that says what the largest piece of its memory is that is free.
    pub(super) fn in_pieces(shape: Shape) -> Result<(Arc<dyn Device>, impl Fn(u64))> {
        let device = Self::one(shape, 1 << 40, false)?;
        let own = device.clone();
        Ok((device, move |bytes| own.memory.lock().unwrap().largest = bytes))
    }

    /// A device that runs so many kernels, and then is lost.
    pub(super) fn that_is_lost(shape: Shape, after: u64) -> Result<Vec<Arc<dyn Device>>> {
        let device = Self::one(shape, 1 << 40, false)?;
        device.left.store(after, Ordering::Relaxed);
        Ok(vec![device])
    }

    /// What the driver says of a GPU that has fallen off the bus.
    fn is_there(&self) -> Result<()> {
        match self.left.load(Ordering::Relaxed) {
            0 => Err(Error::Device("the GPU has failed: it has fallen off the bus".into())),
            _ => Ok(()),
        }
    }

    fn give(&self, work: Work) {
        self.queue.lock().unwrap().push_back(work);
        let given = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        if self.is_eager {
            self.come_to(given);
        }
    }

    /// Does what it was given, up to so much of it.
    fn come_to(&self, to: u64) {
        while self.done.load(Ordering::Relaxed) < to {
            let work = self.queue.lock().unwrap().pop_front().unwrap();
            self.work(work);
            self.done.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn come_to_the_end(&self) {
        self.come_to(self.given.load(Ordering::Relaxed));
    }

    fn work(&self, work: Work) {
        match work {
            // SAFETY: it lay in memory of ours when it was given, and that is only freed at the end of all work.
            Work::Write(to, bytes) => unsafe {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), to as *mut u8, bytes.len());
            },
            // SAFETY: as above.
            Work::Zero(at, bytes) => unsafe { std::ptr::write_bytes(at as *mut u8, 0, bytes) },
            Work::Launch(kernel, blocks, args) => self.run(kernel, blocks, &args),
            Work::Read(read, from, bytes) => {
                // SAFETY: as above.
                let there = unsafe { std::slice::from_raw_parts(from as *const u8, bytes) };
                self.reads.lock().unwrap()[read].as_mut().unwrap().bytes = there.to_vec();
            }
            // One that is gone has done all that it was given.
            Work::Wait(other, to) => {
                if let Some(other) = other.upgrade() {
                    other.come_to(to);
                }
            }
        }
    }

    fn run(&self, kernel: Kernel, blocks: u32, args: &Args) {
        // The emulator has one set of threads.
        let library = self.library.lock().unwrap();
        let (name, library) = (kernel.name(), &library.library);
        // SAFETY: kernels have this type.
        let kernel = *unsafe { library.get::<Call>(name.as_bytes()) }.expect(name);
        // SAFETY: `launch` in `emulator.cpp` has this type.
        let launch = unsafe { library.get::<Launch>(b"launch") }.unwrap();
        // SAFETY: as who has given it says.
        let done = unsafe { launch(kernel, blocks, THREADS, args) };
        assert_eq!(done, 0, "{name}: its threads wait for each other forever");
    }

    /// Whether these bytes lie in memory that is there.
    fn check(&self, address: u64, bytes: usize) {
        let memory = self.memory.lock().unwrap();
        let is_in = |(&start, words): (&u64, &Vec<u64>)| {
            address >= start && address + bytes as u64 <= start + 8 * words.len() as u64
        };
        assert!(memory.given.iter().any(is_in), "{bytes} bytes at {address:x} are in no memory");
    }
}

fn compile(shape: Shape) -> Library {
    // The compiler of GPUs needs none. Where it is there, it is to take the same text.
    for capability in [[7, 5], [9, 0]].iter().filter(|_| found::compiler().is_ok()) {
        driver::compile(shape, *capability).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let [text, library] = ["kernels.cpp", "kernels.so"].map(|name| folder.path().join(name));
    let kernels = shape.text();
    let whole = [include_str!("emulator.h"), &kernels, include_str!("emulator.cpp")].concat();
    std::fs::write(&text, whole).unwrap();
    let flags = ["-std=c++17", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-Wall", "-Werror"];
    let mut compiler = Command::new(compiler().unwrap());
    compiler.args(flags).args(shape.flags()).arg(&text).arg("-o").arg(&library);
    let done = compiler.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    load(&library, folder)
}

fn load(path: &Path, folder: tempfile::TempDir) -> Library {
    // SAFETY: it was just made of our text, and does nothing when it is loaded.
    let library = unsafe { libloading::Library::new(path) }.unwrap();
    // SAFETY: `size_of_args` in `emulator.cpp` has this type.
    let size = unsafe { library.get::<unsafe extern "C" fn() -> u32>(b"size_of_args") }.unwrap();
    // SAFETY: it only returns a number.
    assert_eq!(unsafe { size() } as usize, size_of::<Args>(), "Args are not what the text says");
    Library { library, _folder: folder }
}

impl Device for Emulated {
    fn allocate(&self, bytes: usize) -> Result<u64> {
        assert!(bytes as u64 <= self.free_bytes()?, "what was said to be free was exceeded");
        if bytes as u64 > self.memory.lock().unwrap().largest {
            return Err(Error::Memory("it is in pieces".into()));
        }
        // What it holds at first must not matter.
        let words = vec![0xdead_beef_dead_beef; bytes.div_ceil(8)];
        let address = words.as_ptr() as u64;
        self.memory.lock().unwrap().given.insert(address, words);
        Ok(address)
    }

    unsafe fn free(&self, address: u64) {
        self.come_to_the_end();
        assert!(self.memory.lock().unwrap().given.remove(&address).is_some());
    }

    unsafe fn write(&self, to: u64, bytes: &[u8]) -> Result<()> {
        self.is_there()?;
        self.check(to, bytes.len());
        self.give(Work::Write(to, bytes.to_vec()));
        Ok(())
    }

    unsafe fn read(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        self.is_there()?;
        self.check(from, bytes.len());
        self.come_to_the_end();
        // SAFETY: it lies in memory of ours, as just checked.
        unsafe {
            std::ptr::copy_nonoverlapping(from as *const u8, bytes.as_mut_ptr(), bytes.len())
        };
        Ok(())
    }

    unsafe fn zero(&self, at: u64, bytes: usize) -> Result<()> {
        self.check(at, bytes);
        self.give(Work::Zero(at, bytes));
        Ok(())
    }

    unsafe fn launch(&self, kernel: Kernel, blocks: u32, args: &Args) -> Result<()> {
        self.is_there()?;
        self.left.fetch_sub(1, Ordering::Relaxed);
        self.give(Work::Launch(kernel, blocks, Box::new(*args)));
        Ok(())
    }

    unsafe fn begin_read(&self, from: u64, bytes: usize) -> Result<usize> {
        self.check(from, bytes);
        let free = self.reads.lock().unwrap().iter().position(Option::is_none);
        let read = free.expect("more reads than may be under way");
        let to = self.given.load(Ordering::Relaxed) + 1;
        self.reads.lock().unwrap()[read] = Some(Read { to, bytes: Vec::new() });
        self.give(Work::Read(read, from, bytes));
        Ok(read)
    }

    fn end_read(&self, read: usize, bytes: &mut [u8]) -> Result<()> {
        self.is_there()?;
        let to = self.reads.lock().unwrap()[read].as_ref().expect("nothing was begun").to;
        self.come_to(to);
        let there = self.reads.lock().unwrap()[read].take().unwrap().bytes;
        bytes.copy_from_slice(&there);
        Ok(())
    }

    fn mark(&self) -> Result<u64> {
        let mut marks = MARKS.lock().unwrap();
        marks.push((self.own.clone(), self.given.load(Ordering::Relaxed)));
        Ok(marks.len() as u64 - 1)
    }

    unsafe fn wait(&self, mark: u64) -> Result<()> {
        let (of, to) = MARKS.lock().unwrap()[mark as usize].clone();
        self.give(Work::Wait(of, to));
        Ok(())
    }

    fn copier(&self) -> Result<Arc<dyn Device>> {
        self.is_there()?;
        // It is early where the device is late.
        let (library, memory) = (self.library.clone(), self.memory.clone());
        Ok(Self::made(library, memory, self.most, !self.is_eager))
    }

    fn blocks(&self) -> u32 {
        3
    }

    fn free_bytes(&self) -> Result<u64> {
        let taken: usize =
            self.memory.lock().unwrap().given.values().map(|words| 8 * words.len()).sum();
        Ok(self.most - taken as u64)
    }
}
