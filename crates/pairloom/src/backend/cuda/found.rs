//! Which GPUs there are.

use super::kernels::MOST_RANKS;
use crate::{Error, Result};
use cudarc::driver::result::{self, DriverError, device};
use cudarc::driver::sys::{self, CUdevice_attribute_enum as Attribute, CUresult};
use cudarc::nvrtc;

/// The least compute capability: lanes of a warp that go on alone began with it.
pub const LEAST_CAPABILITY: [i32; 2] = [7, 0];

/// The oldest driver, as it says its version: 1000 times that of CUDA, and 10 times what is behind the point.
const OLDEST: i32 = 12_000;

/// The functions of the driver that are called, here and by cudarc, which panics where one is not there.
const FUNCTIONS: [&str; 35] = [
    "cuCtxEnablePeerAccess",
    "cuCtxGetCurrent",
    "cuCtxSetCurrent",
    "cuDeviceCanAccessPeer",
    "cuDeviceGet",
    "cuDeviceGetAttribute",
    "cuDeviceGetCount",
    "cuDeviceGetName",
    "cuDevicePrimaryCtxRelease_v2",
    "cuDevicePrimaryCtxRetain",
    "cuDeviceTotalMem_v2",
    "cuDriverGetVersion",
    "cuEventCreate",
    "cuEventDestroy_v2",
    "cuEventRecord",
    "cuEventSynchronize",
    "cuGetErrorName",
    "cuGetErrorString",
    "cuInit",
    "cuLaunchKernel",
    "cuMemAlloc_v2",
    "cuMemFreeHost",
    "cuMemFree_v2",
    "cuMemGetInfo_v2",
    "cuMemHostAlloc",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemsetD8Async",
    "cuModuleGetFunction",
    "cuModuleLoadData",
    "cuModuleUnload",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuStreamSynchronize",
    "cuStreamWaitEvent",
];

/// The same of the compiler of kernels.
const OF_COMPILER: [&str; 8] = [
    "nvrtcCompileProgram",
    "nvrtcCreateProgram",
    "nvrtcDestroyProgram",
    "nvrtcGetCUBIN",
    "nvrtcGetCUBINSize",
    "nvrtcGetProgramLog",
    "nvrtcGetProgramLogSize",
    "nvrtcVersion",
];

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
        let [has, wants] =
            [capability, &LEAST_CAPABILITY].map(|[major, minor]| format!("{major}.{minor}"));
        let message = format!("{name} has compute capability {has}, and {wants} is needed");
        return Err(Error::Device(format!("{message}: use the CPU")));
    }
    compiler()
}

/// Whether there is a compiler of kernels.
///
/// # Errors
/// [`Error::Device`] if there is none that can be used.
pub fn compiler() -> Result<()> {
    // SAFETY: it only looks for a library of the system.
    if !unsafe { nvrtc::sys::is_culib_present() } {
        let remedy = "it is NVRTC, part of the CUDA toolkit and of the Python package nvidia-cuda-nvrtc-cu12; the folder \
                      of libnvrtc must be one of LD_LIBRARY_PATH";
        return Err(Error::Device(format!("there is no compiler of GPU kernels here: {remedy}")));
    }
    // SAFETY: the library is there; its functions are looked for and not called.
    let is_there =
        |name: &str| unsafe { nvrtc::sys::culib().get::<Function>(name.as_bytes()) }.is_ok();
    check_functions("the compiler of GPU kernels (libnvrtc)", &OF_COMPILER, is_there)?;
    let (mut major, mut minor) = (0, 0);
    // SAFETY: the function is there, and writes two numbers.
    let said = unsafe { nvrtc::sys::nvrtcVersion(&mut major, &mut minor) };
    // A driver runs what was compiled for GPUs by compilers of its own major version.
    let most = start().map_or(i32::MAX, |driver| driver / 1000);
    if said.result().is_ok() && (OLDEST / 1000..=most).contains(&major) {
        return Ok(());
    }
    let wants = match most {
        i32::MAX => format!("CUDA {} or later", OLDEST / 1000),
        most => format!("CUDA {} to {most}, as the driver is,", OLDEST / 1000),
    };
    let is = format!("the compiler of GPU kernels (NVRTC) is of CUDA {major}.{minor}");
    Err(Error::Device(format!(
        "{is}, and one of {wants} is needed: install that and have its folder first in LD_LIBRARY_PATH, or use the CPU"
    )))
}

/// A function that is not called.
type Function = unsafe extern "C" fn();

/// Refuses a library that lacks functions.
fn check_functions(what: &str, names: &[&str], is_there: impl Fn(&str) -> bool) -> Result<()> {
    match names.iter().find(|name| !is_there(name)) {
        None => Ok(()),
        Some(name) => Err(Error::Device(format!(
            "{what} has no function {name}: it is damaged or none of NVIDIA's; install it anew, or use the CPU"
        ))),
    }
}

/// Looks for a driver that can be used; returns its version.
pub(super) fn start() -> Result<i32> {
    // SAFETY: it only looks for a library of the system.
    if !unsafe { sys::is_culib_present() } {
        let remedy = "install NVIDIA's driver (a container is to be started with the GPUs, as by docker run --gpus all), or \
                      use the CPU";
        return Err(Error::Device(format!("there is no driver for NVIDIA GPUs here: {remedy}")));
    }
    // SAFETY: the library is there; its functions are looked for and not called.
    let is_there = |name: &str| unsafe { sys::culib().get::<Function>(name.as_bytes()) }.is_ok();
    check_functions("the NVIDIA driver (libcuda)", &FUNCTIONS, is_there)?;
    let mut version = 0;
    // SAFETY: the function is there, and writes a number.
    let said = unsafe { sys::cuDriverGetVersion(&mut version) };
    if said != CUresult::CUDA_SUCCESS || version < OLDEST {
        let [has, wants] = [version, OLDEST].map(|of| format!("{}.{}", of / 1000, of % 1000 / 10));
        let message = format!("the NVIDIA driver is of CUDA {has}, and {wants} or later is needed");
        return Err(Error::Device(format!("{message}: install a newer one, or use the CPU")));
    }
    result::init()
        .map_err(|e| failed("there is no GPU to use: the NVIDIA driver does not start", e))?;
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
        let is_alike = first.capability == gpu.capability && gpu.capability >= LEAST_CAPABILITY;
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
