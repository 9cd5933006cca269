use super::{COLUMNS, ROWS};

/// A set of instructions that this machine has; only such a value can be had, so a tile may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instructions(Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni256,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Instructions {
    /// Those that this machine has, fastest first; the portable code comes last and is always there.
    pub fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let vnni = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni");
            if vnni {
                sets.push(Set::Avx512Vnni);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("avxvnni") {
                sets.push(Set::AvxVnni);
            }
            if vnni && is_x86_feature_detected!("avx512vl") {
                sets.push(Set::Avx512Vnni256);
            }
            if is_x86_feature_detected!("avx2") {
                sets.push(Set::Avx2);
            }
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
            Set::Avx512Vnni => "AVX-512 VNNI",
            #[cfg(target_arch = "x86_64")]
            Set::AvxVnni => "AVX-VNNI",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni256 => "AVX-512 VNNI, 256 bits",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "AVX2",
            Set::Portable => "portable",
        }
    }

    /// c[stride·i + j] = ⟨aᵢ, bⱼ⟩ for a panel of eight rows and one of 32 rows, equally long.
    #[inline]
    #[allow(unsafe_code)]
    pub(super) fn tile(self, a: &[u32], b: &[u32], c: &mut [i32], stride: usize) {
        match self.0 {
            // SAFETY (here and below): the value exists, so `available` has found these instructions on this machine.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni => unsafe { super::x86::avx512_vnni(a, b, c, stride) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::AvxVnni => unsafe { super::x86::avx_vnni(a, b, c, stride) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni256 => unsafe { super::x86::avx512_vnni_256(a, b, c, stride) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { super::x86::avx2(a, b, c, stride) },
            Set::Portable => portable(a, b, c, stride),
        }
    }
}

/// Plain integers: what the other tiles are checked against, and what Miri sees.
fn portable(a: &[u32], b: &[u32], c: &mut [i32], stride: usize) {
    let ((a, _), (b, _)) = (a.as_chunks::<ROWS>(), b.as_chunks::<COLUMNS>());
    for i in 0..ROWS {
        let mut sums = [0i32; COLUMNS];
        for (a, b) in a.iter().zip(b) {
            let a = a[i].to_le_bytes().map(i32::from);
            for j in 0..COLUMNS {
                let b = b[j].to_le_bytes().map(|b| i32::from(b as i8));
                sums[j] = sums[j].wrapping_add(a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]);
            }
        }
        c[stride * i..][..COLUMNS].copy_from_slice(&sums);
    }
}
