//! Markdown as people type it in a chat: bold, italic, struck out, code, lists, quotes and links. The parser is
//! comrak's; what is made of its tree is only what is named here, and everything else stays text.

mod marks;

use crate::html::Html;
use comrak::{
    Arena, Options,
    nodes::{AstNode, ListType, NodeValue},
    parse_document,
};

/// Quotes and lists inside one another; what is deeper is shown without them.
const DEPTH: usize = 8;
/// What may follow an address in Korean without a blank, and is no part of it.
const PARTICLES: &str = "은 는 이 가 을 를 에 에서 에게 한테 하고 이랑 랑 밖에 께 로 으로 와 과 도 만 의 까지 부터 보다 처럼 라고 이라고 라는 이라는 입니다 이에요 예요 이야 인데 요";
/// What may stand behind an address without a blank, and is no part of it either.
const ENDS: [char; 8] = ['…', '。', '、', '，', '！', '？', '：', '；'];

/// Renders a message; `None` where it is nothing but text.
#[must_use]
pub fn render(text: &str) -> Option<String> {
    guarded(text, || parsed(text, rendered)).flatten().flatten()
}

/// Does `work` with a text; should it panic, the text is shown as it is: nothing that somebody says may stop the server.
fn guarded<T>(text: &str, work: impl FnOnce() -> T + std::panic::UnwindSafe) -> Option<T> {
    std::panic::catch_unwind(work)
        .inspect_err(|_| tracing::error!(bytes = text.len(), "a text could not be rendered"))
        .ok()
}

/// Does `work` with the tree of a text; `None` where there is no sign of a mark.
fn parsed<T>(text: &str, work: impl for<'a> FnOnce(&'a AstNode<'a>) -> T) -> Option<T> {
    marks::are_likely(text).then(|| work(parse_document(&Arena::new(), &marks::without_false(text), &options())))
}

fn rendered<'a>(root: &'a AstNode<'a>) -> Option<String> {
    let mut writer = Writer { html: Html::new(), is_marked_up: false };
    writer.blocks(root, 0);
    (writer.is_marked_up && root.descendants().any(has_words)).then(|| writer.html.into_string())
}

fn has_words<'a>(node: &'a AstNode<'a>) -> bool {
    match &node.data().value {
        NodeValue::CodeBlock(code) => !code.literal.trim().is_empty(),
        NodeValue::Text(_) | NodeValue::Code(_) | NodeValue::HtmlInline(_) => true,
        _ => false,
    }
}

/// What is said without its marks, its lines joined by blanks where there are any: for the list of rooms and for quotes.
#[must_use]
pub fn plain(text: &str) -> String {
    let words = guarded(text, || parsed(text, |root| rendered(root).map(|_| words_in(root))));
    // What is shown as it was typed is so here too.
    words.flatten().flatten().unwrap_or_else(|| text.to_owned())
}

/// What was written in a node, without its marks; only code keeps its lines.
fn words_in<'a>(node: &'a AstNode<'a>) -> String {
    let mut words = String::new();
    for node in node.descendants() {
        match &node.data().value {
            NodeValue::Text(text) => words.push_str(text),
            NodeValue::Code(code) => words.push_str(&code.literal),
            NodeValue::CodeBlock(code) => words.push_str(&code.literal),
            NodeValue::HtmlInline(html) => words.push_str(html),
            NodeValue::HtmlBlock(html) => words.push_str(&html.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak | NodeValue::Paragraph | NodeValue::Item(_)
                if !words.is_empty() && !words.ends_with([' ', '\n']) =>
            {
                words.push(' ');
            }
            _ => {}
        }
    }
    words.truncate(words.trim_end().len());
    words
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.cjk_friendly_emphasis = true;
    options.parse.ignore_setext = true;
    options
}

struct Writer {
    html: Html,
    /// Whether anything came of it but text and its lines.
    is_marked_up: bool,
}

impl Writer {
    fn blocks<'a>(&mut self, of: &'a AstNode<'a>, depth: usize) {
        for node in of.children() {
            self.block(node, depth);
        }
    }

    fn block<'a>(&mut self, node: &'a AstNode<'a>, depth: usize) {
        let value = node.data().value.clone();
        match value {
            NodeValue::Paragraph => {
                let in_tight_list = node
                    .parent()
                    .and_then(|item| item.parent())
                    .is_some_and(|list| matches!(&list.data().value, NodeValue::List(list) if list.tight));
                if in_tight_list {
                    return self.inlines(node, depth);
                }
                self.html.raw("<p>");
                self.inlines(node, depth);
                self.html.raw("</p>");
            }
            // A chat has no headings: the line is shown as it was typed.
            NodeValue::Heading(heading) => {
                self.html.raw("<p>").text(&"#".repeat(heading.level.into())).raw(" ");
                self.inlines(node, depth);
                self.html.raw("</p>");
            }
            NodeValue::CodeBlock(code) => {
                self.is_marked_up = true;
                self.html.raw("<pre><code>").text(code.literal.trim_end_matches('\n')).raw("</code></pre>");
            }
            NodeValue::ThematicBreak => {
                self.html.raw("<p>---</p>");
            }
            NodeValue::HtmlBlock(html) => {
                self.html.raw("<p>");
                self.lines(html.literal.trim_end());
                self.html.raw("</p>");
            }
            NodeValue::Item(_) => {
                self.html.raw("<li>");
                self.blocks(node, depth);
                self.html.raw("</li>");
            }
            _ if depth >= DEPTH => {
                if node.previous_sibling().is_some() {
                    self.html.raw("<br>");
                }
                self.lines(&words_in(node));
            }
            NodeValue::BlockQuote => self.wrapped("<blockquote>", node, "</blockquote>", depth),
            NodeValue::List(list) if list.list_type == ListType::Bullet => self.wrapped("<ul>", node, "</ul>", depth),
            NodeValue::List(list) => {
                self.html.raw("<ol start=\"").number(list.start as u64).raw("\">");
                self.wrapped("", node, "</ol>", depth);
            }
            _ => self.blocks(node, depth + 1),
        }
    }

    fn wrapped<'a>(&mut self, open: &'static str, node: &'a AstNode<'a>, close: &'static str, depth: usize) {
        self.is_marked_up = true;
        self.html.raw(open);
        self.blocks(node, depth + 1);
        self.html.raw(close);
    }

    fn inlines<'a>(&mut self, of: &'a AstNode<'a>, depth: usize) {
        for node in of.children() {
            self.inline(node, depth);
        }
    }

    fn inline<'a>(&mut self, node: &'a AstNode<'a>, depth: usize) {
        let value = node.data().value.clone();
        match value {
            NodeValue::Text(text) => drop(self.html.text(&text)),
            NodeValue::HtmlInline(html) => self.lines(&html),
            NodeValue::SoftBreak | NodeValue::LineBreak => drop(self.html.raw("<br>")),
            NodeValue::Code(code) => {
                self.is_marked_up = true;
                self.html.raw("<code>").text(&code.literal).raw("</code>");
            }
            _ if depth >= 2 * DEPTH => self.lines(&words_in(node)),
            NodeValue::Emph => self.marked("<em>", node, "</em>", depth),
            NodeValue::Strong => self.marked("<strong>", node, "</strong>", depth),
            NodeValue::Strikethrough => match tildes(node) {
                None => self.marked("<del>", node, "</del>", depth),
                Some(tildes) => {
                    self.html.raw(tildes);
                    self.inlines(node, depth + 1);
                    self.html.raw(tildes);
                }
            },
            NodeValue::Link(link) | NodeValue::Image(link) => self.link(node, &link.url, depth + 1),
            _ => self.inlines(node, depth),
        }
    }

    fn marked<'a>(&mut self, open: &'static str, node: &'a AstNode<'a>, close: &'static str, depth: usize) {
        self.is_marked_up = true;
        self.html.raw(open);
        self.inlines(node, depth + 1);
        self.html.raw(close);
    }

    /// A link leads to another page or to a mail program, and nowhere else. An image is a link to it: nobody is made
    /// to load what a stranger chose.
    fn link<'a>(&mut self, node: &'a AstNode<'a>, url: &str, depth: usize) {
        let Some(scheme) = ["https://", "http://", "mailto:"].into_iter().find(|scheme| begins_with(url, scheme))
        else {
            return self.inlines(node, depth);
        };
        self.is_marked_up = true;
        let shown = only_text(node);
        let is_bare = shown.as_deref().is_some_and(|shown| shown == url || bare_prefix(url, shown).is_some());
        let tail = if is_bare && scheme != "mailto:" { tail(url) } else { "" };
        self.html
            .raw("<a href=\"")
            .text(&url[..url.len() - tail.len()])
            .raw("\" target=\"_blank\" rel=\"noopener nofollow ugc\">");
        match shown.filter(|_| is_bare) {
            Some(shown) => drop(self.html.text(&shown[..shown.len() - tail.len()])),
            None => self.inlines(node, depth),
        }
        self.html.raw("</a>").text(tail);
    }

    fn lines(&mut self, text: &str) {
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.html.raw("<br>");
            }
            self.html.text(line);
        }
    }
}

/// The tildes around a text that are none of the marks: "2시~3시~" and "네~~맞아요~~" are ways of writing.
fn tildes<'a>(node: &'a AstNode<'a>) -> Option<&'static str> {
    let column = |node: &AstNode<'a>| node.data().sourcepos.start.column;
    let is_double = node.first_child().is_some_and(|child| column(child) == column(node) + 2);
    let is_in_word = node.previous_sibling().is_some_and(
        |before| matches!(&before.data().value, NodeValue::Text(text) if text.ends_with(char::is_alphanumeric)),
    );
    match (is_double, is_in_word) {
        (true, false) => None,
        (true, true) => Some("~~"),
        (false, _) => Some("~"),
    }
}

/// What was put before an address that was written without it.
fn bare_prefix<'a>(url: &'a str, shown: &str) -> Option<&'a str> {
    url.strip_suffix(shown).filter(|prefix| ["http://", "mailto:"].contains(prefix))
}

fn begins_with(url: &str, scheme: &str) -> bool {
    url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn only_text<'a>(node: &'a AstNode<'a>) -> Option<String> {
    let only = node.first_child().filter(|child| child.next_sibling().is_none())?;
    match &only.data().value {
        NodeValue::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

/// What stands behind an address without a blank and is no part of it: the end of a sentence, before that a particle behind
/// a Latin letter or a digit, and before either what closes around the address.
fn tail(url: &str) -> &str {
    let said = url.trim_end_matches(ENDS);
    let latin = said.trim_end_matches(|letter| matches!(letter, '가'..='힣'));
    let has_particle = PARTICLES.split(' ').any(|particle| particle == &said[latin.len()..]);
    let end = if has_particle { latin } else { said };
    if end.len() == url.len() {
        return "";
    }
    let inside = end.trim_end_matches([')', ']', '>', '"', '\'', '”', '’', '」', '』', '》']);
    // A bracket that was opened in the address is closed there.
    let end = if inside.contains('(') { end } else { inside };
    let is_latin = end.ends_with(|letter: char| letter.is_ascii_alphanumeric() || letter == ')');
    &url[if has_particle && !is_latin { said.len() } else { end.len() }..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        render(text).unwrap_or_else(|| panic!("{text} is more than text"))
    }

    #[test]
    fn text_is_left_alone() {
        for text in [
            "안녕하세요",
            "3 - 2 = 1.",
            "a_b_c",
            "#1842",
            "어디: 마당",
            "<b>x</b>",
            "&amp; \\*",
            "# 제목",
            "---",
            "a\n\nb:",
            "ㅎ_ㅎ",
            "^_^ *",
            "1) ",
            "> ",
            "-",
            "11. 25. 모임",
            "2026. 11. 25.\n어때요",
            "2시~3시~",
            "네~~맞아요~~",
            "안녕~~ 반가워~~",
            "3*4*5",
            "```\n```",
            "2026. 11. 25.\n2027. 1. 1.",
            "2. ^_^ 둘 ^_^",
        ] {
            assert_eq!(render(text), None, "{text}");
        }
    }

    #[test]
    fn marks_are_shown() {
        assert_eq!(
            html("**굵게**는 *기울여* ~~지워~~ `a<b`"),
            "<p><strong>굵게</strong>는 <em>기울여</em> <del>지워</del> <code>a&lt;b</code></p>"
        );
        assert_eq!(html("**\"따옴표\"**는"), "<p><strong>&quot;따옴표&quot;</strong>는</p>");
        assert_eq!(html("```rust\nlet a = \"<b>\";\n```"), "<pre><code>let a = &quot;&lt;b&gt;&quot;;</code></pre>");
        assert_eq!(html("할 일\n- 하나\n- 둘"), "<p>할 일</p><ul><li>하나</li><li>둘</li></ul>");
        assert_eq!(html("```\n11. 25.\n```"), "<pre><code>11. 25.</code></pre>");
        assert_eq!(html("``` 첫 줄\n둘째 줄"), "<pre><code> 첫 줄\n둘째 줄</code></pre>");
        assert_eq!(html("```\n한 줄```\n그리고 3*4*5"), "<pre><code>한 줄</code></pre><p>그리고 3*4*5</p>");
        assert_eq!(html("```한 줄```\n11. 25."), "<p><code>한 줄</code><br>11. 25.</p>");
        assert_eq!(html("````\n11. 25.\n```\n3*4*5\n````"), "<pre><code>11. 25.\n```\n3*4*5</code></pre>");
        assert_eq!(html("```\n가\n``` 그리고\n11. 25."), "<pre><code>가</code></pre><p>그리고<br>11. 25.</p>");
        assert_eq!(
            html("- 항목\n  ```\n  x\n  ```\n그리고"),
            "<ul><li>항목<pre><code>x</code></pre></li></ul><p>그리고</p>"
        );
        assert_eq!(html("> 남의 말\n내 말"), "<blockquote><p>남의 말</p></blockquote><p>내 말</p>");
        assert_eq!(html("> 남의\n> 말\n\n내 말"), "<blockquote><p>남의<br>말</p></blockquote><p>내 말</p>");
        assert_eq!(html("**3*4*5**"), "<p><strong>3*4*5</strong></p>");
        assert_eq!(html("1. ^_^ 하나 ^_^"), "<ol start=\"1\"><li>^_^ 하나 ^_^</li></ol>");
        let deep = (0..10).map(|level| format!("{}- {level}\n", "  ".repeat(level))).collect::<String>();
        let deep = html(&deep);
        assert_eq!((deep.matches("<ul>").count(), deep.matches("<ul><li>").count()), (8, 8), "{deep}");
        assert!(deep.contains("7<br>8 9</li>"), "{deep}");
        let quoted = html(&format!("{}x", "> ".repeat(20)));
        assert!(quoted.matches("<blockquote>").count() == 8 && !quoted.contains("<br>"), "{quoted}");
        assert_eq!(html("3. 셋\n4. 넷"), "<ol start=\"3\"><li>셋</li><li>넷</li></ol>");
        assert_eq!(
            html("> 그가 말했다\n> 두 줄로\n\n**응**"),
            "<blockquote><p>그가 말했다<br>두 줄로</p></blockquote><p><strong>응</strong></p>"
        );
    }

    #[test]
    fn links_lead_out_and_korean_particles_stay_behind() {
        let link = |url: &str, shown: &str| {
            format!("<a href=\"{url}\" target=\"_blank\" rel=\"noopener nofollow ugc\">{shown}</a>")
        };
        assert_eq!(
            html("https://example.com/a?b=1&c=2"),
            format!("<p>{}</p>", link("https://example.com/a?b=1&amp;c=2", "https://example.com/a?b=1&amp;c=2"))
        );
        assert_eq!(
            html("https://example.com을 보세요"),
            format!("<p>{}을 보세요</p>", link("https://example.com", "https://example.com"))
        );
        assert_eq!(
            html("www.example.com에서"),
            format!("<p>{}에서</p>", link("http://www.example.com", "www.example.com"))
        );
        assert_eq!(
            html("https://example.com/a을…"),
            format!("<p>{}을…</p>", link("https://example.com/a", "https://example.com/a"))
        );
        for (said, address, after) in [
            ("(https://example.com)에서", "https://example.com", ")에서"),
            ("(https://example.com)", "https://example.com", ")"),
            ("(https://example.com)…", "https://example.com", ")…"),
            ("(https://example.com/한국)。", "https://example.com/한국", ")。"),
            ("(https://example.com/가_(나)에서", "https://example.com/가_(나)", "에서"),
        ] {
            assert_eq!(html(said), format!("<p>({}{after}</p>", link(address, address)));
        }
        let quoted = "\"https://example.com\"을";
        let link_in_it = link("https://example.com", "https://example.com");
        assert_eq!(html(quoted), format!("<p>&quot;{link_in_it}&quot;을</p>"));
        assert_eq!(
            html("https://ko.wikipedia.org/wiki/한국"),
            format!("<p>{0}</p>", link("https://ko.wikipedia.org/wiki/한국", "https://ko.wikipedia.org/wiki/한국"))
        );
        assert_eq!(html("[마당](https://example.com)"), format!("<p>{}</p>", link("https://example.com", "마당")));
        assert_eq!(
            html("![그림](https://example.com/a.png)"),
            format!("<p>{}</p>", link("https://example.com/a.png", "그림"))
        );
    }

    #[test]
    fn without_its_marks_a_message_is_one_line() {
        assert_eq!(plain("그냥 말"), "그냥 말");
        assert_eq!(plain("**10시**에 만나요:\n- 돗자리\n- `물`"), "10시에 만나요: 돗자리 물");
        assert_eq!(plain("\\*그대로*"), "\\*그대로*");
        assert_eq!(plain("> 인용\n\n[여기](https://example.com)"), "인용 여기");
    }

    #[test]
    fn a_link_whose_words_end_like_its_address_is_only_a_link() {
        for text in [
            "[서](https://a에서)",
            "[다](https://a보다)",
            "[지](https://a까지)",
            "[](https://a에서)",
            "18446744073709551615. a\n2. b",
        ] {
            assert!(render(text).is_none_or(|html| !html.is_empty()), "{text}");
        }
        assert!(html("[서](https://a에서)").contains(">서</a>"));
    }

    #[test]
    fn a_face_is_a_face() {
        for said in ["^_^ 그리고 ^_^", "-_- 음 -_-", ">_< 귀여워", "*^^*", ">ㅅ< 와", "네 *^^* 네 *^^*"] {
            assert_eq!(render(said), None, "{said}");
            assert_eq!(plain(said), said);
        }
        assert!(html("> 남의 말").contains("<blockquote>"));
        assert!(html("`^_^`").contains("^_^"));
        for address in ["https://a.example/x-_-y", "https://a.example/3*4", "www.a.example/x-_-3*4"] {
            assert!(html(address).contains(&format!("{address}\"")), "{address}");
        }
    }

    #[test]
    fn what_cannot_be_rendered_is_shown_as_it_is() {
        assert_eq!(guarded("x", || -> Option<String> { panic!("on purpose") }), None);
    }

    #[test]
    fn nothing_runs() {
        for text in [
            "[a](javascript:alert(1))",
            "[a](JaVaScRiPt:alert(1))",
            "[a](data:text/html,x)",
            "<javascript:alert(1)>",
            "[a](vbscript:x)",
            "![x](javascript:alert(1))",
            "[a](\u{1}javascript:alert(1))",
            "<img src=x onerror=alert(1)> **a**",
            "*<script>alert(1)</script>*",
            "[a](https://x\" onmouseover=\"alert(1))",
            "**a** <svg/onload=alert(1)>",
            "`<script>`",
            "> <iframe src=//x>",
        ] {
            let html = render(text).unwrap_or_default();
            let tags: Vec<&str> = html
                .split('<')
                .skip(1)
                .map(|tag| tag.split(['>', ' ']).next().unwrap_or_default().trim_start_matches('/'))
                .collect();
            assert!(
                tags.iter().all(|tag| ["p", "a", "strong", "em", "code", "blockquote", "br"].contains(tag)),
                "{text}: {html}"
            );
            assert!(
                !html.to_lowercase().contains("href=\"java")
                    && !html.contains("href=\"data")
                    && !html.contains("\" on"),
                "{text}: {html}"
            );
        }
    }

    #[test]
    fn what_is_nested_without_end_ends() {
        for text in [
            ">".repeat(8_000),
            "- ".repeat(4_000) + "x",
            "*a ".repeat(2_600),
            "[".repeat(8_000),
            "**a **".repeat(1_300),
            "`".repeat(8_000),
            "<a ".repeat(2_600),
            "[a](".repeat(2_000),
        ] {
            let html = render(&text).unwrap_or_default();
            assert!(html.len() < 20 * text.len(), "{}", html.len());
            assert!(html.matches("<blockquote>").count() + html.matches("<ul>").count() <= 10);
        }
    }
}
