//! Figures as PDF with words that can be selected (feature `pdf`).

use super::canvas::{FAMILY, FONTS};
use crate::error::{InputError, Result};
use krilla::Document;
use krilla::geom::Size;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};

/// The SVG as a page of its own size, set in the bundled font.
///
/// # Errors
/// An SVG that is none.
pub fn pdf(svg: &str) -> Result<Vec<u8>> {
    let bad = |e: String| InputError::new(format!("the figure could not be turned into a PDF: {e}"));
    let mut options = usvg::Options { font_family: FAMILY.to_owned(), ..Default::default() };
    for font in FONTS {
        options.fontdb_mut().load_font_data(font.to_vec());
    }
    let tree = usvg::Tree::from_str(svg, &options).map_err(|e| bad(e.to_string()))?;
    let size = Size::from_wh(tree.size().width(), tree.size().height()).ok_or_else(|| bad("it is empty".to_owned()))?;
    let mut document = Document::new();
    let mut page = document.start_page_with(PageSettings::new(size));
    let mut surface = page.surface();
    surface.draw_svg(&tree, size, SvgSettings::default()).ok_or_else(|| bad("it cannot be drawn".to_owned()))?;
    surface.finish();
    page.finish();
    document.finish().map_err(|e| bad(format!("{e:?}")))
}
