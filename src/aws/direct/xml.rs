//! XML as a tree of names and texts. Attributes, namespaces and comments mean nothing in AWS's replies and are left out.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;

/// Elements within elements; AWS's replies have about eight.
const DEEPEST: usize = 64;

/// One element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::aws) struct Element {
    pub(in crate::aws) name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn named(name: &str) -> Self {
        Element { name: name.to_owned(), ..Element::default() }
    }

    /// The first child of a name.
    pub(in crate::aws) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// What stands in the first child of a name; nothing where that is empty.
    pub(in crate::aws) fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// What stands in the element itself.
    pub(in crate::aws) fn own(&self) -> &str {
        self.text.trim()
    }

    /// The members of a list.
    pub(in crate::aws) fn list(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.child(name).into_iter().flat_map(|list| list.children.iter().filter(|child| matches!(&*child.name, "member" | "item")))
    }
}

/// Reads a whole document.
pub(super) fn read(text: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(text);
    // The element that is open, outermost first, below one that holds the document's own.
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) if open.len() <= DEEPEST => open.push(Element::named(start.local_name().as_ref())),
            Event::Start(_) => return Err("elements within elements without end".to_owned()),
            Event::Empty(start) => innermost(&mut open).children.push(Element::named(start.local_name().as_ref())),
            Event::End(_) => {
                let done = open.pop().filter(|_| !open.is_empty()).ok_or("an end without a beginning")?;
                innermost(&mut open).children.push(done);
            }
            Event::Text(text) => innermost(&mut open).text.push_str(&text.xml10_content()),
            Event::CData(text) => innermost(&mut open).text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let whole = format!("&{};", &*reference);
                innermost(&mut open).text.push_str(&unescape(&whole).map_err(|error| error.to_string())?);
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match (open.len(), open.pop().and_then(|document| document.children.into_iter().next())) {
        (1, Some(root)) => Ok(root),
        (1, None) => Err("no element".to_owned()),
        _ => Err("it breaks off".to_owned()),
    }
}

fn innermost(open: &mut [Element]) -> &mut Element {
    open.last_mut().expect("the document stays open to its end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_references_and_lists_are_read() {
        let root = read(
            "<a x='1'><!-- n --><set><item><b>1 &lt; 2 &#38; &quot;3&quot;</b></item><item/><other/></set><c><![CDATA[<raw>]]></c></a>",
        );
        let root = root.unwrap();
        assert_eq!(root.name, "a");
        assert_eq!(root.list("set").map(|item| item.text("b")).collect::<Vec<_>>(), [Some("1 < 2 & \"3\""), None]);
        assert_eq!(root.child("c").map(Element::own), Some("<raw>"));
        assert_eq!((root.text("none"), root.list("none").count()), (None, 0));
    }

    #[test]
    fn what_is_no_whole_document_is_refused() {
        for text in ["", "words", "<a>", "<a></b>", "</a>", "<a>&unknown;</a>", &"<a>".repeat(100_000)] {
            assert!(read(text).is_err(), "{}", &text[..text.len().min(20)]);
        }
    }
}
