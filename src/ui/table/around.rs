//! What a pane that is built around a table leaves to the table, written once, so that no pane forgets a part of it.

/// Inside `impl View`: leaves to the field `table` what every such pane leaves to it, and the methods that are named.
macro_rules! of_table {
    ($($method:ident),* $(,)?) => {
        $crate::ui::table::of_table!(@ fn name(&self) -> &'static str);
        $crate::ui::table::of_table!(@ fn kind(&self) -> $crate::view::Kind);
        $crate::ui::table::of_table!(@ fn crumb(&self, cx: &$crate::view::Cx) -> String);
        $crate::ui::table::of_table!(@ fn filter_words(&self) -> String);
        $crate::ui::table::of_table!(@ fn columns(&self) -> Vec<&'static str>);
        $crate::ui::table::of_table!(@ fn subject(&self, cx: &$crate::view::Cx) -> $crate::view::Subject);
        $crate::ui::table::of_table!(@ fn marked(&self, cx: &$crate::view::Cx) -> (Vec<$crate::view::Subject>, Vec<$crate::model::Str>));
        $crate::ui::table::of_table!(@ fn ages(&self, cx: &$crate::view::Cx) -> Option<u32>);
        $crate::ui::table::of_table!(@ fn hints(&self) -> &'static [$crate::action::Action]);
        $crate::ui::table::of_table!(@mut fn tick(&mut self, cx: &$crate::view::Cx) -> bool);
        $($crate::ui::table::of_table!(=> $method);)*
    };
    (=> sync) => { $crate::ui::table::of_table!(@mut fn sync(&mut self, cx: &$crate::view::Cx, changed: &[$crate::feed::Feed])); };
    (=> wanted) => { $crate::ui::table::of_table!(@ fn wanted(&self, cx: &$crate::view::Cx, out: &mut Vec<$crate::feed::Wanted>)); };
    (=> choose) => {
        $crate::ui::table::of_table!(@mut fn choose(&mut self, title: &'static str, letter: char, cx: &$crate::view::Cx) -> $crate::view::Reaction);
    };
    (=> input) => {
        $crate::ui::table::of_table!(@mut fn input(&mut self, prompt: $crate::view::Prompt, text: &str, done: bool, cx: &$crate::view::Cx) -> $crate::view::Reaction);
    };
    (=> peel) => { $crate::ui::table::of_table!(@mut fn peel(&mut self, cx: &$crate::view::Cx) -> bool); };
    (=> draw) => {
        $crate::ui::table::of_table!(@mut fn redraw(&mut self, area: ratatui::layout::Rect, buf: &mut ratatui::buffer::Buffer, cx: &$crate::view::Cx) -> Option<Vec<u16>>);
        $crate::ui::table::of_table!(@mut fn draw(&mut self, area: ratatui::layout::Rect, buf: &mut ratatui::buffer::Buffer, cx: &$crate::view::Cx));
    };
    (=> click) => { $crate::ui::table::of_table!(@mut fn click(&mut self, column: u16, row: u16, cx: &$crate::view::Cx) -> bool); };
    (=> status) => { $crate::ui::table::of_table!(@ fn status(&self, cx: &$crate::view::Cx) -> String); };
    (@ fn $name:ident(&$me:ident $(, $argument:ident: $type:ty)*) $(-> $out:ty)?) => {
        fn $name(&$me $(, $argument: $type)*) $(-> $out)? {
            $me.table.$name($($argument),*)
        }
    };
    (@mut fn $name:ident(&mut $me:ident $(, $argument:ident: $type:ty)*) $(-> $out:ty)?) => {
        fn $name(&mut $me $(, $argument: $type)*) $(-> $out)? {
            $me.table.$name($($argument),*)
        }
    };
}

pub(crate) use of_table;
