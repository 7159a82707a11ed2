//! What the C library's allocator is told when many feeds are recorded.
//!
//! Left alone it keeps what many threads have allocated and freed in many arenas, and for a hundred
//! channels that is half a gigabyte of which hardly any is in use. Told not to, it asks the kernel for each
//! large piece and gives it back, which costs a fifth more processor time: too much where few feeds are
//! recorded, which need little memory either way.

/// From so many feeds on memory counts for more than time.
const MANY: usize = 8;
/// What is larger is asked of the kernel and given back to it, in bytes.
const LARGE: i32 = 128 << 10;

/// Prepares for so many feeds; to be called before they are recorded.
pub(crate) fn prepare(feeds: usize) {
    if feeds < MANY {
        return;
    }
    tune();
}

#[cfg(target_env = "gnu")]
#[expect(
    unsafe_code,
    reason = "mallopt may be called by any thread at any time (mallopt(3)), and changes no \
                                 memory that is in use; nothing else reaches the C library's allocator"
)]
fn tune() {
    for (option, value) in
        [(libc::M_ARENA_MAX, 1), (libc::M_MMAP_THRESHOLD, LARGE), (libc::M_TRIM_THRESHOLD, LARGE)]
    {
        // SAFETY: it takes two integers, and an option that it does not know is refused by its result
        let taken = unsafe { libc::mallopt(option, value) };
        if taken == 0 {
            tracing::debug!(option, "the allocator takes no advice");
        }
    }
}

#[cfg(not(target_env = "gnu"))]
fn tune() {}
