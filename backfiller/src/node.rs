//! Another node: its name and the address of its restreamer.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;
use url::Url;

/// The longest name, in bytes; it becomes the value of a label.
const MAX_NAME_BYTES: usize = 255;

/// A node to copy from. Printing it shows no password that its address may hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Node {
    name: Arc<str>,
    url: Url,
}

/// A text that names no node.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadNode {
    /// The address is none that can be asked.
    #[error("{0:?} is no node's address: write it like http://node.example:8000")]
    Address(String),
    /// The name cannot be shown.
    #[error("{0:?} is no node's name: it must be 1 to 255 bytes without control characters")]
    Name(String),
}

impl Node {
    /// The node at `address`, called as its host, with the port where it is not the usual one.
    ///
    /// # Errors
    ///
    /// When `address` is no HTTP address, or has a query or a fragment.
    pub fn at(address: &str) -> Result<Self, BadNode> {
        let url = parse_address(address)?;
        let host = url.host_str().unwrap_or_default();
        let name = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { name: name.into(), url })
    }

    /// The node at `address`, called `name`.
    ///
    /// # Errors
    ///
    /// When `name` cannot be shown, or as [`Node::at`].
    pub fn named(name: &str, address: &str) -> Result<Self, BadNode> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
            return Err(BadNode::Name(name.chars().take(MAX_NAME_BYTES).collect()));
        }
        Ok(Self { name: name.into(), url: parse_address(address)? })
    }

    /// What the node is called in logs and metrics.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of its restreamer.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

fn parse_address(address: &str) -> Result<Url, BadNode> {
    // what stands before the @ may be a password
    let shown = || BadNode::Address(address.rsplit('@').next().unwrap_or_default().to_owned());
    let url: Url = address.parse().map_err(|_| shown())?;
    let can_be_asked = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none();
    if can_be_asked { Ok(url) } else { Err(shown()) }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host) = (self.url.scheme(), self.url.host_str().unwrap_or_default());
        write!(f, "{} ({scheme}://{host}", self.name)?;
        if let Some(port) = self.url.port() {
            write!(f, ":{port}")?;
        }
        write!(f, "{})", self.url.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_called_as_its_host_unless_it_has_a_name() {
        assert_eq!(Node::at("http://node-b.example:8000").unwrap().name(), "node-b.example:8000");
        assert_eq!(Node::at("https://node-b.example/wub/").unwrap().name(), "node-b.example");
        assert_eq!(Node::named("b", "http://node-b.example").unwrap().name(), "b");
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for address in ["", "node-b:8000", "ftp://node-b", "http://", "http://b/?x", "http://b/#x"]
        {
            assert!(matches!(Node::at(address), Err(BadNode::Address(_))), "{address}");
        }
        assert!(matches!(Node::named("a\nb", "http://b"), Err(BadNode::Name(_))));
        assert!(matches!(Node::named("", "http://b"), Err(BadNode::Name(_))));
    }

    #[test]
    fn a_password_is_never_shown() {
        let node = Node::at("http://me:secret@node-b:8000/wub").unwrap();
        assert_eq!(format!("{node} {node:?}"), "node-b:8000 node-b:8000 (http://node-b:8000/wub)");
        let error = Node::at("http://me:secret@node-b:port").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
