//! What this machine calls itself.

use anyhow::Context;

/// The host's name, for a service that was given none by `option`.
///
/// # Errors
///
/// When the host has no name, or one that is no text.
pub fn host_name(option: &str) -> anyhow::Result<String> {
    let name = nix::unistd::gethostname()
        .with_context(|| format!("cannot tell the host's name; give one with {option}"))?;
    let name = name.into_string().ok();
    name.with_context(|| format!("the host's name is no text; give one with {option}"))
}
