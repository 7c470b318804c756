//! Which GPUs there are.

use super::driver::check_compiler;
use super::kernels::MOST_RANKS;
use crate::{Error, Result};
use cudarc::driver::result::{self, DriverError, device};
use cudarc::driver::sys::{self, CUdevice_attribute_enum as Attribute, CUresult};

/// The least compute capability: lanes of a warp that go on alone began with it.
const LEAST: [i32; 2] = [7, 0];

/// The oldest driver, as it says its version: 1000 times that of CUDA, and 10 times what is behind the point.
const OLDEST: i32 = 12_000;

/// A GPU that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its number.
    pub number: usize,
    /// What it is called.
    pub name: String,
    /// Its compute capability, as in 9.0.
    pub capability: [i32; 2],
    /// Bytes of its memory.
    pub memory: u64,
    /// Whether training takes it, which is what those do that share the work: the first, and those like it that all see each other's memory.
    pub used: bool,
}

/// The GPUs that are there, and the version of CUDA that the driver has.
///
/// # Errors
/// [`Error::Device`] if there is no driver or no GPU, if the driver is too old, or if it fails.
pub fn devices() -> Result<(Vec<Found>, [i32; 2])> {
    let version = start()?;
    let found = |number| {
        let device = device::get(number).map_err(|e| failed("the GPU cannot be had", e))?;
        let said = |e| failed("the GPU does not say what it is", e);
        // SAFETY: `device` is one that was just given.
        let memory = unsafe { device::total_mem(device) }.map_err(said)? as u64;
        let name = device::get_name(device).map_err(said)?;
        let capability = capability(device)?;
        Ok(Found { number: number as usize, name, capability, memory, used: false })
    };
    let count = device::get_count().map_err(|e| failed("GPUs cannot be counted", e))?;
    if count == 0 {
        return Err(Error::Device("NVIDIA's driver has found no GPU: use the CPU".into()));
    }
    let mut found = (0..count).map(found).collect::<Result<Vec<_>>>()?;
    share(&mut found);
    Ok((found, [version / 1000, version % 1000 / 10]))
}

/// Whether there is a GPU that can be trained on.
///
/// # Errors
/// As for [`devices`], and if all are too old or there is no compiler of kernels.
pub(crate) fn check() -> Result<()> {
    let (found, _) = devices()?;
    let first = found.first().filter(|_| !found.iter().any(|gpu| gpu.used));
    if let Some(Found { name, capability, .. }) = first {
        let [has, wants] = [capability, &LEAST].map(|[major, minor]| format!("{major}.{minor}"));
        let message = format!("{name} has compute capability {has}, and {wants} is needed");
        return Err(Error::Device(format!("{message}: use the CPU")));
    }
    check_compiler()
}

/// Looks for a driver that can be used; returns its version.
pub(super) fn start() -> Result<i32> {
    // SAFETY: it only looks for a library of the system.
    if !unsafe { sys::is_culib_present() } {
        let remedy = "install NVIDIA's driver, or use the CPU";
        return Err(Error::Device(format!("there is no driver for NVIDIA GPUs here: {remedy}")));
    }
    let mut version = 0;
    // SAFETY: every driver has this function, which writes a number.
    let said = unsafe { sys::cuDriverGetVersion(&mut version) };
    if said != CUresult::CUDA_SUCCESS || version < OLDEST {
        let [has, wants] = [version, OLDEST].map(|of| format!("{}.{}", of / 1000, of % 1000 / 10));
        let message = format!("the NVIDIA driver is of CUDA {has}, and {wants} or later is needed");
        return Err(Error::Device(format!("{message}: install a newer one, or use the CPU")));
    }
    result::init().map_err(|e| failed("the NVIDIA driver does not start", e))?;
    Ok(version)
}

pub(super) fn capability(device: sys::CUdevice) -> Result<[i32; 2]> {
    let attribute = |which| {
        // SAFETY: `device` is one that the driver gave.
        let value = unsafe { device::get_attribute(device, which) };
        value.map_err(|e| failed("the GPU does not say what it is", e))
    };
    Ok([
        attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
        attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
    ])
}

pub(super) fn failed(what: &str, error: DriverError) -> Error {
    let name = error.error_string().map(|text| text.to_string_lossy().into_owned());
    Error::Device(format!("{what}: {}", name.unwrap_or_else(|_| format!("{:?}", error.0))))
}

/// Finds those that share the work.
fn share(found: &mut [Found]) {
    let mut ranks: Vec<usize> = Vec::new();
    for at in 0..found.len() {
        let (first, gpu) = (&found[ranks.first().copied().unwrap_or(at)], &found[at]);
        let is_alike = first.capability == gpu.capability && gpu.capability >= LEAST;
        let is_peer =
            |&of: &usize| sees(found[of].number, gpu.number) && sees(gpu.number, found[of].number);
        if is_alike && ranks.len() < MOST_RANKS && ranks.iter().all(is_peer) {
            ranks.push(at);
        }
    }
    ranks.into_iter().for_each(|at| found[at].used = true);
}

/// Whether kernels on one GPU can read the memory of another.
fn sees(one: usize, other: usize) -> bool {
    let mut can = 0;
    let pair = [one, other].map(|number| device::get(number as i32));
    let [Ok(one), Ok(other)] = pair else { return false };
    // SAFETY: the driver gave both; it writes a number.
    let said = unsafe { sys::cuDeviceCanAccessPeer(&mut can, one, other) };
    said == CUresult::CUDA_SUCCESS && can != 0
}
