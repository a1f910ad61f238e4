//! Where the built browser side lies on this disk.

use super::config::Config;
use leptos::config::LeptosOptions;
use sha2::{Digest, Sha256};
use std::{
    borrow::Cow,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

/// Hexadecimal digits of a version.
const VERSION_DIGITS: usize = 16;

/// The built browser side.
#[derive(Clone, Debug)]
pub struct Site {
    /// The directory: what is in `public/`, and `pkg/` with the WebAssembly module, its JavaScript and the styles.
    pub root: PathBuf,
    /// What Leptos needs to know to refer to them: `/pkg/VERSION/…`, which may be kept for ever.
    pub options: LeptosOptions,
    /// Tells this `pkg/` from any other.
    version: String,
}

impl Site {
    /// Finds the site: where `--site` says, else beside the executable, else where the build leaves it.
    ///
    /// # Errors
    /// A line for the person who starts the server.
    pub fn find(config: &Config) -> Result<Self, String> {
        let root = match &config.site {
            Some(site) => Some(site.clone()),
            None => candidates().into_iter().find(|path| is_site(path)),
        };
        let root = root.unwrap_or_else(|| "target/site".into());
        if !is_site(&root) {
            return Err(format!(
                "there is no built site in {} (make it with `make build`, or name its directory with --site)",
                root.display()
            ));
        }
        let version = version(&root.join("pkg")).map_err(|error| format!("cannot read {}: {error}", root.display()))?;
        let reload_port = std::env::var("LEPTOS_RELOAD_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(3001);
        // cargo-leptos replaces files under a running server, and knows them by their plain names.
        let is_watched = std::env::var_os("LEPTOS_WATCH").is_some();
        let options = LeptosOptions::builder()
            .output_name("madang")
            .site_root(root.to_string_lossy().into_owned())
            .site_pkg_dir(if is_watched { "pkg".into() } else { format!("pkg/{version}") })
            .reload_port(reload_port)
            .build();
        Ok(Self { root, options, version })
    }

    /// The path of a file below [`Site::root`] that an address asks for, and whether what is there never changes.
    /// A page from before an upgrade gets what there is now.
    #[must_use]
    pub fn path<'a>(&self, asked: &'a str) -> (Cow<'a, str>, bool) {
        let versioned = asked.strip_prefix("/pkg/").and_then(|rest| rest.split_once('/'));
        match versioned {
            Some((version, file)) if is_version(version) => (format!("/pkg/{file}").into(), version == self.version),
            _ => (asked.into(), false),
        }
    }
}

/// The beginning of a hash of all files and their names.
fn version(directory: &Path) -> io::Result<String> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut hash = Sha256::new();
    for file in files.iter().filter(|file| file.is_file()) {
        hash.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update(Sha256::digest(fs::read(file)?));
    }
    let mut version = hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    version.truncate(VERSION_DIGITS);
    Ok(version)
}

fn is_version(text: &str) -> bool {
    text.len() == VERSION_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn candidates() -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.join("site")));
    beside.into_iter().chain([PathBuf::from("target/site")]).collect()
}

fn is_site(path: &Path) -> bool {
    path.join("pkg").is_dir()
}
