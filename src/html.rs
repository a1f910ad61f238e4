//! HTML put together as text, by the server and by the browser alike. What people wrote cannot become
//! markup: only literals of this program go in as they are, and what the server's `markdown` made of a text.

use std::fmt::Write;

/// HTML under construction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Markup of our own.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, or the value of an attribute in double quotes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            let escaped = match byte {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                b'\'' => "&#39;",
                _ => continue,
            };
            self.0.push_str(&text[from..at]);
            self.0.push_str(escaped);
            from = at + 1;
        }
        self.0.push_str(&text[from..]);
        self
    }

    /// A number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        let _ = write!(self.0, "{number}");
        self
    }

    /// What the server made of a message's Markdown; see `server/markdown`.
    pub fn sanitised(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Other HTML.
    pub fn html(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// As text for the browser.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As text for the browser.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_stays_text() {
        let mut html = Html::new();
        html.raw("<p title=\"").text("\"><script>").raw("\">").text("한 & 'b' <i>").number(7).raw("</p>");
        assert_eq!(html.into_string(), "<p title=\"&quot;&gt;&lt;script&gt;\">한 &amp; &#39;b&#39; &lt;i&gt;7</p>");
    }
}
