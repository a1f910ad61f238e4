//! The browser's local storage, for what no reload may lose. A full or forbidden one keeps nothing.

use leptos::prelude::*;
use web_sys::Storage;

/// What the keys begin with of what belongs to somebody: all but how the keyboard works here.
const OURS: &str = "madang.";

/// Keeps an entry.
pub fn put(key: &str, entry: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(key, entry);
    }
}

/// Forgets an entry.
pub fn remove(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}

/// Every entry whose key begins so: the rest of the key, and the entry.
#[must_use]
pub fn entries(prefix: &str) -> Vec<(String, String)> {
    let Some(storage) = storage() else { return Vec::new() };
    let keys = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok()?);
    let of_prefix = |key: String| Some((key.strip_prefix(prefix)?.to_owned(), storage.get_item(&key).ok()??));
    keys.filter_map(of_prefix).collect()
}

/// Forgets everything that anybody has begun to write or has not sent yet in this browser.
pub fn forget_all() {
    for (name, _) in entries(OURS) {
        remove(&format!("{OURS}{name}"));
    }
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}
