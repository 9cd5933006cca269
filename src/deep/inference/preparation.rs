use crate::data::images::Images;
use crate::data::photograph::{middle, resize};
use crate::error::{InputError, Result};

/// What becomes of a photograph before it enters a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Preparation {
    /// The part of the shorter side that is kept.
    pub crop: f64,
    /// Height and width that it is scaled to.
    pub size: [usize; 2],
    /// What is subtracted, a number a channel.
    pub mean: Vec<f32>,
    /// What is divided by.
    pub deviation: Vec<f32>,
}

impl Preparation {
    /// The inputs that a picture becomes, channel by channel.
    ///
    /// # Errors
    /// For a picture with another number of channels.
    pub fn inputs(&self, picture: &Images) -> Result<Vec<f32>> {
        let channels = self.mean.len();
        if picture.channels != channels {
            let remedy = "Give pictures such as the network was trained on.";
            return Err(InputError::value("channels", picture.channels, &channels.to_string(), remedy));
        }
        let scaled = resize(&middle(picture, self.crop), self.size);
        let plane = scaled.height * scaled.width;
        let value = |at: usize| (f32::from(scaled.pixels[at]) - self.mean[at / plane]) / self.deviation[at / plane];
        Ok((0..scaled.pixels.len()).map(value).collect())
    }
}
