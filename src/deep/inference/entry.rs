//! The layers of a description.

use super::Window;
use serde::Deserialize;

fn one() -> usize {
    1
}

/// A layer.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Entry {
    Convolution {
        name: String,
        outputs: usize,
        kernel: Kernel,
        #[serde(default = "one")]
        stride: usize,
        #[serde(default)]
        padding: Padding,
        #[serde(default = "one")]
        groups: usize,
    },
    Linear {
        name: String,
        outputs: usize,
    },
    BatchNorm {
        name: String,
        #[serde(default = "small")]
        eps: f32,
    },
    Relu {},
    Relu6 {},
    MaxPool {
        kernel: Kernel,
        stride: Option<usize>,
        #[serde(default)]
        padding: Padding,
    },
    GlobalAveragePool {},
    Residual {
        name: String,
        body: Vec<toml::Table>,
        #[serde(default)]
        shortcut: Vec<toml::Table>,
    },
}

fn small() -> f32 {
    1e-5
}

#[derive(Deserialize, Clone, Copy)]
#[serde(untagged, expecting = "a kernel is a number, or two: [height, width]")]
pub enum Kernel {
    Square(usize),
    Sides([usize; 2]),
}

#[derive(Deserialize, Clone, Copy)]
#[serde(untagged, expecting = "padding is a number, four of them: [top, bottom, left, right], or \"same\"")]
pub enum Padding {
    All(usize),
    Sides([usize; 4]),
    Named(Same),
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
pub enum Same {
    Same,
}

impl Default for Padding {
    fn default() -> Self {
        Self::All(0)
    }
}

/// What a kernel, a stride and a padding say of a picture.
pub fn window(kernel: Kernel, stride: usize, padding: Padding, picture: [usize; 2]) -> Window {
    let size = match kernel {
        Kernel::Square(k) => [k; 2],
        Kernel::Sides(sides) => sides,
    };
    match padding {
        Padding::All(p) => Window { size, stride, padding: [p; 4] },
        Padding::Sides(padding) => Window { size, stride, padding },
        Padding::Named(Same::Same) => Window::same(size, stride, picture),
    }
}
