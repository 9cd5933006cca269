/// Lets the allocator keep what is freed: a training step frees and takes the same tensors again and again, and giving their pages
/// back to the system each time costs up to a third of the time. Only glibc has (and needs) this setting.
#[allow(unsafe_code)]
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` takes two integers, and accepts or refuses them; it may be called at any time.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20);
    }
}
