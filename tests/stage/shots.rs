//! Pictures of the screen that are held against what they were.

/// A desk, a default terminal, and a corner of one.
pub const SIZES: [(u16, u16); 3] = [(120, 35), (80, 24), (60, 15)];

/// Draws all sizes and holds them against what they were. A macro, because the pictures lie beside the test that takes them.
macro_rules! shots {
    ($stage:expr, $name:expr) => {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            for (width, height) in $crate::stage::shots::SIZES {
                insta::assert_snapshot!(format!("{}_{width}x{height}", $name), $stage.screen(width, height));
            }
        });
    };
}

pub(crate) use shots;
