//! What a GPU is to the backend: memory, and kernels that run one after the other.

use super::kernels::{Args, Kernel};
use crate::{Result, memory};
use bytemuck::Pod;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A device with its kernels, compiled for the sizes of a model. Work that it is given is done in this order.
///
/// # Safety
/// What is said of addresses holds for all methods: they lie in memory that [`Device::allocate`] gave and
/// [`Device::free`] did not take, for as many bytes as are touched.
pub(super) trait Device: Send + Sync {
    /// Memory of so many bytes, at least one, for numbers of 8 bytes; its content is anything.
    fn allocate(&self, bytes: usize) -> Result<u64>;

    /// Takes memory back, once all work is done that was given before.
    unsafe fn free(&self, address: u64);

    /// Copies to the device. The bytes may be changed after it.
    unsafe fn write(&self, to: u64, bytes: &[u8]) -> Result<()>;

    /// Waits for all work and copies from the device.
    unsafe fn read(&self, from: u64, bytes: &mut [u8]) -> Result<()>;

    /// Makes bytes 0.
    unsafe fn zero(&self, at: u64, bytes: usize) -> Result<()>;

    /// Runs a kernel in so many blocks of [`super::kernels::THREADS`] threads. All that it touches by `args` lies in
    /// memory that is there until the work is done.
    unsafe fn launch(&self, kernel: Kernel, blocks: u32, args: &Args) -> Result<()>;

    /// Copies up to [`LATER`] bytes from the device once all work is done that was given before, without waiting for it.
    /// Returns what [`Device::end_read`] is asked with; at most [`READS`] are under way.
    unsafe fn begin_read(&self, from: u64, bytes: usize) -> Result<usize>;

    /// Waits for what was begun.
    fn end_read(&self, read: usize, bytes: &mut [u8]) -> Result<()>;

    /// A point in the work, after all that was given up to now, that [`Device::wait`] of others is asked with.
    fn mark(&self) -> Result<u64>;

    /// What is given after it begins when another device, whose last mark it is, has come there.
    unsafe fn wait(&self, mark: u64) -> Result<()>;

    /// The same device with an order of work of its own, for copying; it runs no kernels.
    fn copier(&self) -> Result<Arc<dyn Device>>;

    /// Blocks that keep all of it busy.
    fn blocks(&self) -> u32;

    /// Bytes of memory that are free.
    fn free_bytes(&self) -> Result<u64>;
}

/// Bytes that are read at a time without waiting, and how often at once.
pub(super) const LATER: usize = 64;
pub(super) const READS: usize = 4;

/// Work that is given to any of these devices after it begins when all have done what they were given before.
pub(super) fn meet(devices: &[&dyn Device]) -> Result<()> {
    if devices.len() < 2 {
        return Ok(());
    }
    let marks = devices.iter().map(|device| device.mark()).collect::<Result<Vec<_>>>()?;
    for (at, device) in devices.iter().enumerate() {
        for (_, &mark) in marks.iter().enumerate().filter(|(other, _)| *other != at) {
            // SAFETY: it was just made by a device that is there.
            unsafe { device.wait(mark)? };
        }
    }
    Ok(())
}

/// A device that only adds up what it is asked for.
#[derive(Debug, Default)]
pub(super) struct Adding(AtomicU64);

impl Adding {
    /// Bytes that were asked for.
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Device for Adding {
    fn allocate(&self, bytes: usize) -> Result<u64> {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(1)
    }

    unsafe fn free(&self, _address: u64) {}

    unsafe fn write(&self, _to: u64, _bytes: &[u8]) -> Result<()> {
        Ok(())
    }

    unsafe fn read(&self, _from: u64, _bytes: &mut [u8]) -> Result<()> {
        Ok(())
    }

    unsafe fn zero(&self, _at: u64, _bytes: usize) -> Result<()> {
        Ok(())
    }

    unsafe fn launch(&self, _kernel: Kernel, _blocks: u32, _args: &Args) -> Result<()> {
        Ok(())
    }

    unsafe fn begin_read(&self, _from: u64, _bytes: usize) -> Result<usize> {
        Ok(0)
    }

    fn end_read(&self, _read: usize, _bytes: &mut [u8]) -> Result<()> {
        Ok(())
    }

    fn mark(&self) -> Result<u64> {
        Ok(0)
    }

    unsafe fn wait(&self, _mark: u64) -> Result<()> {
        Ok(())
    }

    fn copier(&self) -> Result<Arc<dyn Device>> {
        Ok(Arc::new(Adding::default()))
    }

    fn blocks(&self) -> u32 {
        1
    }

    fn free_bytes(&self) -> Result<u64> {
        Ok(u64::MAX)
    }
}

/// Numbers in the memory of a device.
pub(super) struct Buffer<T> {
    device: Arc<dyn Device>,
    address: u64,
    /// Numbers that there is room for.
    room: usize,
    kind: PhantomData<T>,
}

impl<T: Pod> Buffer<T> {
    /// No numbers.
    pub(super) fn new(device: &Arc<dyn Device>) -> Self {
        Buffer { device: device.clone(), address: 0, room: 0, kind: PhantomData }
    }

    /// Makes all numbers 0.
    pub(super) fn clear(&mut self) -> Result<()> {
        if self.room == 0 {
            return Ok(());
        }
        // SAFETY: it is the room of the buffer.
        unsafe { self.device.zero(self.address, self.room * size_of::<T>()) }
    }

    /// Makes room for so many numbers; if it is more than there was, those that were there are lost.
    pub(super) fn reserve(&mut self, len: usize) -> Result<()> {
        if len <= self.room {
            return Ok(());
        }
        self.give_back();
        let bytes = len.checked_mul(size_of::<T>());
        let bytes = bytes.ok_or_else(|| memory::refused("a buffer", memory::FEWER_ROWS))?;
        self.address = self.device.allocate(bytes)?;
        self.room = len;
        Ok(())
    }

    /// Numbers that there is room for.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// Writes numbers from a place on; there is room for them.
    pub(super) fn write(&mut self, at: usize, numbers: &[T]) -> Result<()> {
        assert!(at + numbers.len() <= self.room, "beyond the end of a buffer");
        if numbers.is_empty() {
            return Ok(());
        }
        let to = self.at(at);
        // SAFETY: the numbers lie within the room of the buffer, as just asserted.
        unsafe { self.device.write(to, bytemuck::cast_slice(numbers)) }
    }

    /// Reads the first numbers, once all work is done.
    pub(super) fn read(&self, numbers: &mut [T]) -> Result<()> {
        assert!(numbers.len() <= self.room, "beyond the end of a buffer");
        if numbers.is_empty() {
            return Ok(());
        }
        // SAFETY: the numbers lie within the room of the buffer, as just asserted.
        unsafe { self.device.read(self.address, bytemuck::cast_slice_mut(numbers)) }
    }

    /// Begins to read one number, see [`Device::begin_read`].
    pub(super) fn begin_read(&self, at: usize) -> Result<usize> {
        assert!(at < self.room && size_of::<T>() <= LATER, "beyond the end of a buffer");
        // SAFETY: the number lies within the room of the buffer, as just asserted.
        unsafe { self.device.begin_read(self.at(at), size_of::<T>()) }
    }

    /// The number that was begun to be read.
    pub(super) fn end_read(&self, read: usize) -> Result<T> {
        let mut number = [T::zeroed()];
        self.device.end_read(read, bytemuck::cast_slice_mut(&mut number))?;
        Ok(number[0])
    }

    /// Where a number is.
    pub(super) fn at(&self, at: usize) -> u64 {
        self.address + (at * size_of::<T>()) as u64
    }

    /// Where it is; 0 if it has no room.
    pub(super) fn address(&self) -> u64 {
        self.address
    }

    fn give_back(&mut self) {
        if self.room > 0 {
            // SAFETY: it was allocated and is not used after this.
            unsafe { self.device.free(self.address) };
        }
        (self.address, self.room) = (0, 0);
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        if self.room > 0 {
            // SAFETY: it was allocated, and nobody has it any more.
            unsafe { self.device.free(self.address) };
        }
    }
}
