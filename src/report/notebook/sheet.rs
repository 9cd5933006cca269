//! Cells, and the file as Jupyter writes it: nbformat 4.5, keys in order, one space of indent, a newline at the end.

use serde::Serialize;
use serde_json::{Value, json};

/// Fields in alphabetical order: serde_json keeps them, and Jupyter sorts them.
#[derive(Serialize)]
#[serde(tag = "cell_type", rename_all = "lowercase")]
enum Cell {
    Code { execution_count: Option<u32>, id: String, metadata: Value, outputs: [u8; 0], source: Vec<String> },
    Markdown { id: String, metadata: Value, source: Vec<String> },
}

/// A notebook in the making. Cell ids are given, so that they stay the same from export to export.
#[derive(Default)]
pub struct Sheet {
    cells: Vec<Cell>,
}

fn lines(source: &str) -> Vec<String> {
    source.trim_end().split_inclusive('\n').map(str::to_owned).collect()
}

impl Sheet {
    /// A Markdown cell.
    pub fn text(&mut self, id: &str, source: &str) {
        self.cells.push(Cell::Markdown { id: id.to_owned(), metadata: json!({}), source: lines(source) });
    }

    /// A Python cell.
    pub fn code(&mut self, id: &str, source: &str) {
        self.push(id, source, json!({}));
    }

    /// A Python cell with a tag.
    pub fn tagged(&mut self, id: &str, source: &str, tag: &str) {
        self.push(id, source, json!({ "tags": [tag] }));
    }

    fn push(&mut self, id: &str, source: &str, metadata: Value) {
        let (id, source) = (id.to_owned(), lines(source));
        self.cells.push(Cell::Code { execution_count: None, id, metadata, outputs: [], source });
    }

    /// The file.
    pub fn finish(self) -> String {
        let notebook = json!({
            "cells": self.cells,
            "metadata": {
                "kernelspec": { "display_name": "Python 3", "language": "python", "name": "python3" },
                "language_info": { "name": "python" },
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        });
        let mut bytes = Vec::new();
        let indent = serde_json::ser::PrettyFormatter::with_indent(b" ");
        // Writing to memory cannot fail.
        let _ = notebook.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, indent));
        bytes.push(b'\n');
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
