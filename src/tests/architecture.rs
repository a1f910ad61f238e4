//! The dependency rule of `lib.rs`, tried on the source itself.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A word that may stand only in some files, and which those are.
struct Confined {
    word: &'static str,
    to: &'static [&'static str],
}

const CONFINED: &[Confined] = &[
    Confined { word: "feature =", to: &["lib.rs", "server/store/mod.rs"] }, // and the store of the benchmark
    Confined { word: "sqlx", to: &["server/store/"] },
    Confined { word: "axum", to: &["server/"] },
    Confined { word: "leptos_axum", to: &["server/"] },
    Confined { word: "tokio", to: &["server/"] },
    Confined { word: "leptos", to: &["api.rs", "lib.rs", "server/", "ui/"] },
    Confined { word: "leptos_router", to: &["server/pages.rs"] },
    Confined { word: "leptos_meta", to: &["server/pages.rs"] },
    Confined { word: "web_sys", to: &["ui/"] },
    Confined { word: "gloo_net", to: &["ui/"] },
    Confined { word: "inner_html", to: &["ui/rows.rs"] }, // what it is given is of the type Html
];

/// What the files under a path may not name of the crate.
struct Barred {
    from: &'static str,
    except: &'static [&'static str],
    modules: &'static [&'static str],
}

const BARRED: &[Barred] = &[
    Barred { from: "domain/", except: &[], modules: &["server", "ui", "api", "protocol"] },
    Barred { from: "protocol/", except: &[], modules: &["server", "ui", "api"] },
    Barred { from: "ui/", except: &[], modules: &["server"] },
    Barred { from: "server/", except: &["server/pages.rs"], modules: &["ui"] },
    Barred { from: "server/", except: &[], modules: &["api"] },
];

fn is_in(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path == *place || (place.ends_with('/') && path.starts_with(place)))
}

/// Without comments, in which any word may stand.
fn code(source: &str) -> String {
    // An address in a string has a colon before its slashes.
    let comment = |line: &str| line.match_indices("//").map(|(at, _)| at).find(|at| !line[..*at].ends_with(':'));
    source.lines().map(|line| &line[..comment(line).unwrap_or(line.len())]).collect::<Vec<_>>().join("\n")
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_some_and(is_word_part);
        let after = code[at + word.len()..].chars().next().is_some_and(is_word_part);
        !before && !after
    })
}

/// The modules that `crate::name` and `crate::{name, name::…}` refer to.
fn modules_named(code: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for (at, found) in code.match_indices("crate::") {
        let mut rest = code[at + found.len()..].chars().peekable();
        let grouped = rest.next_if_eq(&'{').is_some();
        let (mut depth, mut name, mut taking) = (0, String::new(), true);
        for c in rest {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 && grouped => {
                    modules.insert(std::mem::take(&mut name));
                    taking = true;
                }
                c if is_word_part(c) && taking && depth == 0 => name.push(c),
                c if c.is_whitespace() && name.is_empty() => {}
                _ if grouped => taking = false,
                _ => break,
            }
        }
        modules.insert(name);
    }
    modules.remove("");
    modules
}

/// Everything in which the file at `path` (from `src`) breaks the rule.
fn breaches(path: &str, source: &str) -> Vec<String> {
    let code = code(source);
    let words = CONFINED.iter().filter(|confined| has_word(&code, confined.word) && !is_in(path, confined.to));
    let mut found: Vec<String> =
        words.map(|confined| format!("{path}: `{}` belongs to {:?}", confined.word, confined.to)).collect();
    let named = modules_named(&code);
    for barred in BARRED.iter().filter(|barred| is_in(path, &[barred.from]) && !is_in(path, barred.except)) {
        found.extend(
            barred
                .modules
                .iter()
                .filter(|module| named.contains(**module))
                .map(|module| format!("{path}: names crate::{module}")),
        );
    }
    found
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a readable directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_source_keeps_the_dependency_rule() {
    // Where cargo runs tests; a path of compile time may be that of another checkout with the same target directory.
    let root = Path::new("src");
    let mut files = Vec::new();
    sources(root, &mut files);
    assert!(files.len() > 20, "only {} files in {}", files.len(), root.display());
    let mut found = Vec::new();
    let mut paths = Vec::new();
    for file in files {
        let path = file.strip_prefix(root).expect("below src").to_string_lossy().replace('\\', "/");
        paths.push(path.clone());
        // These tests, and this file, may name anything.
        if !path.starts_with("tests/") {
            found.extend(breaches(&path, &fs::read_to_string(&file).expect("readable")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    for barred in BARRED {
        assert!(paths.iter().any(|path| is_in(path, &[barred.from])), "a rule for {}, where nothing is", barred.from);
    }
}

#[test]
fn each_breach_is_noticed() {
    for (path, source) in [
        ("domain/room.rs", "use leptos::prelude::*;"),
        ("domain/room.rs", "use crate::protocol::Talk;"),
        ("domain/room.rs", "use crate::{\n    protocol::{self, Talk},\n};"),
        ("domain/room.rs", "fn f() { crate::server::main() }"),
        ("protocol/client.rs", "use crate::{domain::{Error, Seq}, api};"),
        ("protocol/client.rs", "use crate::{domain::Error, ui::state::State};"),
        ("ui/mod.rs", "use crate::{api, server};"),
        ("ui/mod.rs", "#[cfg(feature = \"ssr\")]"),
        ("ui/mod.rs", "#[cfg(not(feature = \"ssr\"))]\n#[cfg(feature = \"hydrate\")]"),
        ("ui/mod.rs", "<div inner_html=text></div>"),
        ("ui/mod.rs", "use leptos_router::components::Router;"),
        ("ui/mod.rs", "use axum::Router;"),
        ("server/chat/mod.rs", "use sqlx::query;"),
        ("server/chat/mod.rs", "use crate::ui::App;"),
        ("server/storeroom.rs", "sqlx::query()"),
        ("server/chat/mod.rs", "use leptos_meta::Title;"),
        ("api.rs", "use leptos_axum::redirect;"),
    ] {
        assert_eq!(breaches(path, source).len(), 1, "{path}: {source}");
    }
}

#[test]
fn what_is_allowed_is_no_breach() {
    for (path, source) in [
        ("domain/room.rs", "//! Knows no leptos, axum or crate::server.\nuse super::Error; // not crate::api"),
        ("domain/room.rs", "const A: &str = \"http://a.example\"; // axum"),
        ("api.rs", "use crate::{domain::{Error, RoomId}, protocol::Talk};\ncrate::server::functions::list_rooms()"),
        ("lib.rs", "#[cfg(feature = \"ssr\")]\npub mod server;"),
        ("ui/mod.rs", "use crate::{api, domain::{self, Error}, protocol::ServerFrame};\nlet server_name = 1;"),
        ("server/pages.rs", "use crate::{domain::Error, ui::{page::Page, server_side}};"),
        ("server/store/sqlite.rs", "use sqlx::Row;"),
        ("server/hub/mod.rs", "use crate::{domain::limits, protocol::{close, Member}};"),
    ] {
        assert_eq!(breaches(path, source), Vec::<String>::new(), "{path}: {source}");
    }
}
