//! Where the built browser side lies on this disk.

use super::config::Config;
use leptos::config::LeptosOptions;
use std::path::{Path, PathBuf};

/// The built browser side.
#[derive(Clone, Debug)]
pub struct Site {
    /// The directory: what is in `public/`, and `pkg/` with the WebAssembly module, its JavaScript and the styles.
    pub root: PathBuf,
    /// What Leptos needs to know to refer to them.
    pub options: LeptosOptions,
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
        let reload_port = std::env::var("LEPTOS_RELOAD_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(3001);
        let options = LeptosOptions::builder()
            .output_name("madang")
            .site_root(root.to_string_lossy().into_owned())
            .site_pkg_dir("pkg")
            .reload_port(reload_port)
            .build();
        Ok(Self { root, options })
    }
}

fn candidates() -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.join("site")));
    beside.into_iter().chain([PathBuf::from("target/site")]).collect()
}

fn is_site(path: &Path) -> bool {
    path.join("pkg").is_dir()
}
