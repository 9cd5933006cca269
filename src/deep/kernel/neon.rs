//! The tile on aarch64. The panels' triples and their use are described at [`super::Panels`].

#![allow(unsafe_code)]

use super::{COLUMNS, ROWS};
use std::arch::aarch64::*;

/// Rows of a strip: with two registers of four columns, eight byte counters.
const STRIP: usize = 4;

/// Bytes hold the counts of 31 pairs: 31 · 8 < 256.
const UNTIL_FULL: usize = 31;

/// Strips of four rows and eight columns.
#[target_feature(enable = "neon")]
pub fn neon(a: &[u32], b: &[u32], n: i32, c: &mut [i32], stride: usize) {
    for i in (0..ROWS).step_by(STRIP) {
        for j in (0..COLUMNS).step_by(8) {
            strip(a, b, n, &mut c[stride * i + j..], stride, (i, j));
        }
    }
}

#[target_feature(enable = "neon")]
fn strip(a: &[u32], b: &[u32], n: i32, c: &mut [i32], stride: usize, (i0, j0): (usize, usize)) {
    let ((a, a_last), (b, b_last)) = (a.as_chunks::<{ 3 * ROWS }>(), b.as_chunks::<{ 3 * COLUMNS }>());
    let mut carries = [[vdupq_n_u32(0); 2]; STRIP];
    for (a, b) in a.chunks(UNTIL_FULL).zip(b.chunks(UNTIL_FULL)) {
        let mut bytes = [[vdupq_n_u8(0); 2]; STRIP];
        for (a, b) in a.iter().zip(b) {
            for j in 0..2 {
                let at = j0 + 4 * j;
                let (bs, bx, by) = (load4(&b[at..]), load4(&b[COLUMNS + at..]), load4(&b[2 * COLUMNS + at..]));
                for i in 0..STRIP {
                    let x = veorq_u32(vdupq_n_u32(a[ROWS + i0 + i]), bx);
                    let y = veorq_u32(vdupq_n_u32(a[2 * ROWS + i0 + i]), by);
                    let s = veorq_u32(vdupq_n_u32(a[i0 + i]), bs);
                    bytes[i][j] = vaddq_u8(bytes[i][j], count_bytes(veorq_u32(s, vandq_u32(x, y))));
                }
            }
        }
        for i in 0..STRIP {
            for j in 0..2 {
                carries[i][j] = vaddq_u32(carries[i][j], add_bytes(bytes[i][j]));
            }
        }
    }
    for i in 0..STRIP {
        for j in 0..2 {
            let parity = veorq_u32(vdupq_n_u32(a_last[i0 + i]), load4(&b_last[j0 + 4 * j..]));
            let distance = vaddq_u32(vaddq_u32(carries[i][j], carries[i][j]), add_bytes(count_bytes(parity)));
            let value = vsubq_s32(vdupq_n_s32(n), vreinterpretq_s32_u32(vaddq_u32(distance, distance)));
            let out = &mut c[stride * i + 4 * j..][..4];
            // SAFETY: `out` is 4 numbers of 32 bits.
            unsafe { vst1q_s32(out.as_mut_ptr(), value) };
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn count_bytes(x: uint32x4_t) -> uint8x16_t {
    vcntq_u8(vreinterpretq_u8_u32(x))
}

/// Sums of the four bytes of each lane of 32 bits.
#[inline]
#[target_feature(enable = "neon")]
fn add_bytes(x: uint8x16_t) -> uint32x4_t {
    vpaddlq_u16(vpaddlq_u8(x))
}

#[inline]
#[target_feature(enable = "neon")]
fn load4(x: &[u32]) -> uint32x4_t {
    let x = &x[..4];
    // SAFETY: the slice has 128 bits.
    unsafe { vld1q_u32(x.as_ptr()) }
}
