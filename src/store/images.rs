//! Whether what a task runs is what a reference names: a task may tell the digest of an index or that of its platform.

use super::Store;
use crate::model::{Ctx, Holds, Image, index_of};

impl Store {
    /// Whether an image of the repository `name` is, or holds, what runs by this digest.
    #[must_use]
    pub fn holds(&self, ctx: Ctx, name: &str, image: &Image, digest: &str) -> Holds {
        if *image.digest == *digest {
            return Holds::Itself;
        }
        let Some(index) = index_of(name, image) else { return Holds::No };
        let Some(index) = self.image_index(ctx, &index) else { return Holds::Unread };
        let child = index.children.iter().find(|(child, _)| **child == *digest);
        child.map_or(Holds::No, |(_, platform)| Holds::Platform(platform.clone()))
    }
}
