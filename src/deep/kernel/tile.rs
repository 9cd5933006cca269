//! One tile of a product: eight rows by thirty-two columns, on each set of instructions.

use super::{COLUMNS, ROWS};

/// A set of instructions that this machine has; only such a value can be had, so a tile may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instructions(Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
}

impl Instructions {
    /// Those that this machine has, fastest first; the portable code comes last and is always there.
    pub fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vpopcntdq") {
                sets.push(Set::Avx512);
            }
            if is_x86_feature_detected!("avx2") {
                sets.push(Set::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            sets.push(Set::Neon);
        }
        sets.push(Set::Portable);
        sets.into_iter().map(Self).collect()
    }

    /// The fastest of this machine.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// Its usual name.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "AVX-512 VPOPCNTDQ",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "AVX2",
            #[cfg(target_arch = "aarch64")]
            Set::Neon => "NEON",
            Set::Portable => "portable",
        }
    }

    /// c[stride·i + j] = n − 2 |aᵢ ⊕ bⱼ| for the rows of two panels of equally many columns.
    #[inline]
    #[allow(unsafe_code)]
    pub(super) fn tile(self, a: &[u32], b: &[u32], n: i32, c: &mut [i32], stride: usize) {
        match self.0 {
            // SAFETY: the value exists, so `available` has found AVX-512F and VPOPCNTDQ on this machine.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { super::x86::avx512(a, b, n, c, stride) },
            // SAFETY: the value exists, so `available` has found AVX2 on this machine.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { super::x86::avx2(a, b, n, c, stride) },
            // SAFETY: the value exists, so `available` has found NEON on this machine.
            #[cfg(target_arch = "aarch64")]
            Set::Neon => unsafe { super::neon::neon(a, b, n, c, stride) },
            Set::Portable => portable(a, b, n, c, stride),
        }
    }
}

/// Plain words: what the other tiles are checked against, and what Miri sees.
fn portable(a: &[u32], b: &[u32], n: i32, c: &mut [i32], stride: usize) {
    let ((a, a_last), (b, b_last)) = (a.as_chunks::<{ 3 * ROWS }>(), b.as_chunks::<{ 3 * COLUMNS }>());
    for i in 0..ROWS {
        let mut carries = [0; COLUMNS];
        for (a, b) in a.iter().zip(b) {
            let (s, x, y) = (a[i], a[ROWS + i], a[2 * ROWS + i]);
            for j in 0..COLUMNS {
                let majority = s ^ b[j] ^ ((x ^ b[COLUMNS + j]) & (y ^ b[2 * COLUMNS + j]));
                carries[j] += majority.count_ones();
            }
        }
        for (j, c) in c[stride * i..][..COLUMNS].iter_mut().enumerate() {
            *c = n - 2 * (2 * carries[j] + (a_last[i] ^ b_last[j]).count_ones()) as i32;
        }
    }
}
