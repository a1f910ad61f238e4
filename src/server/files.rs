//! The database file: where it is, the lock that keeps a second server off it, and the subcommands that
//! check and copy it.

use super::{config::Config, store};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// Where the settings say that the database is.
///
/// # Errors
/// One line for the person who set them.
pub fn database(config: &Config) -> Result<PathBuf, String> {
    match &config.database_url {
        None => Ok(config.data.join("madang.db")),
        Some(url) => match url.strip_prefix("sqlite:") {
            Some(path) if !path.trim_start_matches('/').is_empty() => {
                Ok(path.strip_prefix("//").unwrap_or(path).into())
            }
            _ => Err("--database-url: this release knows sqlite:PATH".into()),
        },
    }
}

/// Takes the lock beside the database, making the directory as needed. It is a file of its own, so that a
/// backup may still read the database; it is held until the file is dropped.
///
/// # Errors
/// One line for the person who starts the server.
pub fn lock(database: &Path) -> Result<File, String> {
    let directory = directory_of(database);
    std::fs::create_dir_all(directory)
        .map_err(|error| format!("cannot make the data directory {}: {error}", directory.display()))?;
    let path = database.with_extension("lock");
    let lock = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|error| format!("cannot write in the data directory {}: {error}", directory.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(format!("{} is in use by another madang", database.display())),
        Err(std::fs::TryLockError::Error(error)) => Err(format!("cannot lock {}: {error}", path.display())),
    }
}

/// `madang verify`: says in one line that a data file is whole, or what is wrong with it.
///
/// # Errors
/// What is wrong, a line each.
pub async fn verify(file: &Path) -> Result<String, String> {
    must_be_there(file)?;
    let found = store::verify(file).await.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    match found {
        Ok(whole) => Ok(format!(
            "{} is whole: {} rooms, {} messages, {} changes",
            file.display(),
            whole.rooms,
            whole.messages,
            whole.changes
        )),
        Err(wrong) => Err(format!("{} is damaged:\n  {}", file.display(), wrong.join("\n  "))),
    }
}

/// `madang backup`: copies the database, in use or not, to a new file, and verifies the copy. The file
/// appears under its name only when it is whole.
///
/// # Errors
/// One line for the person who asked.
pub async fn backup(database: &Path, to: &Path) -> Result<String, String> {
    must_be_there(database)?;
    if to.exists() {
        return Err(format!("{} is there already; a backup never replaces a file", to.display()));
    }
    let part = PathBuf::from(format!("{}.part", to.display()));
    let _ = std::fs::remove_file(&part);
    let copied = async {
        store::copy(database, &part).await.map_err(|error| format!("cannot write {}: {error}", to.display()))?;
        let whole = verify(&part).await?;
        std::fs::rename(&part, to)
            .and_then(|()| File::open(directory_of(to))?.sync_all())
            .map_err(|error| format!("cannot write {}: {error}", to.display()))?;
        Ok(whole.replace(&*part.to_string_lossy(), &to.to_string_lossy()))
    };
    copied.await.inspect_err(|_| drop(std::fs::remove_file(&part)))
}

fn must_be_there(file: &Path) -> Result<(), String> {
    if file.is_file() { Ok(()) } else { Err(format!("there is no database at {}", file.display())) }
}

fn directory_of(file: &Path) -> &Path {
    file.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
