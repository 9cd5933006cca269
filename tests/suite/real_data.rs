//! The readers on the real image sets, against what numpy reads (tests/fixtures/make_images.py).

use crate::common::{counts, fixture, root};
use implicit_bias::data::images::{ImageFiles, LabelledImages, file_pair, file_test_pair};

#[test]
#[ignore = "needs the data sets in data/: scripts/fetch-data.sh"]
fn real_images_are_what_numpy_reads() {
    let (fixture, data) = (fixture("images.json"), root().join("data"));
    for set in [ImageFiles::Mnist, ImageFiles::FashionMnist, ImageFiles::Cifar10] {
        let parts = [("training", set.training(&data)), ("test", set.test(&data))];
        for (part, read) in parts {
            let (facts, LabelledImages { images, labels }) = (&fixture[set.name()][part], read.unwrap());
            let shape = [images.count(), images.channels, images.height, images.width];
            assert_eq!(shape.to_vec(), counts(&facts["shape"]), "{set:?} {part}");
            let class = |c| labels.iter().filter(|l| **l == c).count();
            assert_eq!((0..10).map(class).collect::<Vec<_>>(), counts(&facts["classes"]));
            assert_eq!(
                labels[..20].iter().map(|l| usize::from(*l)).collect::<Vec<_>>(),
                counts(&facts["first_labels"])
            );
            let mut sums = vec![0; images.channels];
            let planes = images.pixels.chunks_exact(images.height * images.width).enumerate();
            planes.for_each(|(k, plane)| {
                sums[k % images.channels] += plane.iter().map(|p| usize::from(*p)).sum::<usize>()
            });
            assert_eq!(sums, counts(&facts["channel_sums"]));
            let weighted = images.pixels.iter().enumerate().map(|(k, p)| (k as u64 % 251 + 1) * u64::from(*p));
            assert_eq!(Some(weighted.sum()), facts["weighted_sum"].as_u64());

            let pair = if part == "test" { file_test_pair } else { file_pair };
            let pair = pair((set, &data), (3, 5), None, false, 0).unwrap();
            assert_eq!(pair.shape, [images.height, images.width]);
            let sum = pair.x.iter().sum::<f64>() * 255.0 * images.channels as f64;
            let expected = facts["sum_of_classes_3_and_5"].as_f64().unwrap();
            assert!((sum / expected - 1.0).abs() < 1e-9, "{set:?} {part}: {sum} for {expected}");
        }
    }
}
